/** The resources of the provider `aws` over the local bodies: check, diff, create, read, update, delete. */
import { createHash } from "node:crypto";
import { fieldChanges, messageOf, ResourceTypes } from "@risk/program-graph";
import type { GraphResource, NameRule, ResourceBody } from "../contracts";
import { physicalName } from "../engine/names";
import type { ResourceStore } from "./store";
import { comparable, hasUnknown, type Properties, plain, plainProperties, resolved, secret, UNKNOWN } from "./values";

interface ProviderArgs {
  readonly bodies: readonly ResourceBody[];
  readonly region: string;
  readonly accountId: string;
  /** Assets are found relative to it. */
  readonly projectDir: string;
  readonly store: ResourceStore;
  readonly notice: (line: string) => void;
  /** Called before a body is created; an error that it throws fails the creation. */
  readonly onCreate?: (urn: string) => void;
  /** Called when a resource has its body. */
  readonly onCreated?: (resource: GraphResource) => void;
}

export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

export interface Difference {
  readonly changes: readonly { readonly path: string; readonly kind: "add" | "delete" | "update"; readonly replaces: boolean }[];
  readonly deleteBeforeReplace: boolean;
}

/** Outputs that the provider's schema marks as sensitive, in addition to what the program marks. */
const SENSITIVE: Readonly<Record<string, readonly string[]>> = {
  "aws:apigateway/apiKey:ApiKey": ["value"],
  "aws:secretsmanager/secretVersion:SecretVersion": ["secretString"],
  "aws:ssm/parameter:Parameter": ["value"],
};

/** `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME` */
export const typeOf = (urn: string): string => urn.split("::")[2]?.split("$").pop() ?? "";
export const nameOf = (urn: string): string => urn.split("::").slice(3).join("::");

/** The input that a path begins with: `policy` of `policy.b[1]`, `a:b` of `["a:b"].c`. */
export const fieldOf = (path: string): string => /^\["([^"]*)"\]/.exec(path)?.[1] ?? path.split(/[.[]/)[0] ?? path;

export class ProviderResources {
  private readonly registry: ResourceTypes<ResourceBody>;
  private queue: Promise<unknown> = Promise.resolve();
  /** Resources that couldn't be restored, and why. */
  private readonly missing = new Map<GraphResource, string>();

  constructor(private readonly args: ProviderArgs) {
    this.registry = new ResourceTypes(args.bodies);
  }

  /**
   * Gives everything that was created a body again; bodies live in this process. It takes rounds, since a resource may have been changed
   * to refer to a newer one. A resource that can't be restored is reported and stays known, such as a file that a stack kept in a bucket
   * that it didn't keep; a refresh removes it from the state.
   */
  async restore(): Promise<void> {
    let waiting = [...this.args.store.all()];
    for (let left = Number.POSITIVE_INFINITY; waiting.length > 0 && waiting.length < left; ) {
      left = waiting.length;
      this.missing.clear();
      for (const resource of waiting) await this.giveBody(resource);
      waiting = waiting.filter((resource) => this.missing.has(resource));
    }
    for (const [{ type, name }, reason] of this.missing) this.args.notice(`${type} (${name}) can't be restored: ${reason}`);
  }

  private async giveBody(resource: GraphResource): Promise<void> {
    try {
      await this.registry.get(resource.type)?.create?.(resource);
      this.args.onCreated?.(resource);
    } catch (error) {
      this.missing.set(resource, messageOf(error));
    }
  }

  /** Fills in the physical name; refuses types, fields and names that have no body. */
  check(
    urn: string,
    olds: Properties,
    news: Properties,
    randomSeed: Uint8Array,
  ): { inputs: Properties; failures: CheckFailure[] } {
    const type = typeOf(urn);
    const name = nameOf(urn);
    const failures = this.registry.problems(type, name, news).map((reason) => ({ property: "", reason }));
    const rule = this.registry.get(type)?.autoName;
    let inputs = news;
    try {
      if (rule !== undefined) inputs = named(rule, urn, olds, news, randomSeed);
      if (failures.length === 0 && !hasUnknown(inputs)) this.outputsOf(type, name, bodyInputs(inputs));
    } catch (error) {
      failures.push({ property: rule?.field ?? "", reason: messageOf(error) });
    }
    return { inputs, failures };
  }

  /**
   * The effect of changed inputs on a resource. Inputs that AWS returns differently from how they were set are compared with the state, as
   * the provider does: they differ every time, unless the program ignores their changes.
   */
  diff(urn: string, olds: Properties, oldInputs: Properties, news: Properties, ignored: readonly string[]): Difference {
    const body = this.registry.get(typeOf(urn));
    const replaceOn = body?.replaceOn ?? [];
    const readBack = Object.keys(body?.readBack?.(bodyInputs(oldInputs)) ?? {}).filter((field) => !ignored.includes(field));
    const seen = Object.fromEntries(readBack.map((field) => [field, olds[field]]));
    const [before, after] = [comparable(withoutMarks({ ...oldInputs, ...seen })), comparable(withoutMarks(news))];
    const changes = fieldChanges(before, after).map(({ path, before: was, after: is }) => {
      const field = fieldOf(path);
      const kind = was === undefined ? "add" : is === undefined ? "delete" : "update";
      return { path, kind, replaces: replaceOn.includes(field) } as const;
    });
    // Two resources can't have the same name: the provider deletes first where the program chose the name and keeps it.
    const field = body?.autoName?.field;
    const isChosen = field !== undefined && news[field] !== undefined && !generatedFields(news).includes(field);
    const keepsName = isChosen && plain(oldInputs[field]) === plain(news[field]);
    return { changes, deleteBeforeReplace: body?.deleteBeforeReplace === true || keepsName };
  }

  previewUpdate(urn: string, id: string, olds: Properties, news: Properties): Properties {
    const state: Record<string, unknown> = { ...olds, ...news };
    const known = this.args.store.get(urn, id);
    if (known === undefined || hasUnknown(news)) return state;
    try {
      const after = this.outputsOf(known.type, known.name, bodyInputs(news)).state;
      for (const { path } of fieldChanges(plain(known.state), { ...bodyInputs(news), ...after })) {
        const field = fieldOf(path);
        if (!(field in news)) state[field] = UNKNOWN;
      }
    } catch {
      // Assets aren't read in a preview, and a body may need them: the outputs then stay as they were.
    }
    return state;
  }

  create(urn: string, inputs: Properties): Promise<{ id: string; state: Properties }> {
    return this.inTurn(async () => {
      this.args.onCreate?.(urn);
      const type = typeOf(urn);
      const resource = await this.resourceOf(urn, this.instanceName(urn), inputs);
      await this.registry.get(type)?.create?.(resource);
      this.args.store.put(resource);
      this.args.onCreated?.(resource);
      return { id: resource.id, state: this.shown(resource, inputs) };
    });
  }

  update(urn: string, id: string, oldInputs: Properties, news: Properties): Promise<Properties> {
    return this.inTurn(async () => {
      const known = this.args.store.get(urn, id);
      const name = known?.name ?? nameOf(urn);
      const previous = known ?? { ...(await this.resourceOf(urn, name, oldInputs)), id };
      const next = { ...(await this.resourceOf(urn, name, news)), id };
      const body = this.registry.get(next.type);
      await body?.update?.(next, previous);
      this.args.store.put(next);
      return this.shown(next, news);
    });
  }

  delete(urn: string, id: string, inputs: Properties): Promise<void> {
    return this.inTurn(async () => {
      const resource = this.args.store.get(urn, id) ?? { ...(await this.resourceOf(urn, nameOf(urn), inputs)), id };
      await this.registry.get(resource.type)?.delete?.(resource);
      this.args.store.remove(urn, id);
    });
  }

  /** The state as AWS would return it; undefined when the resource doesn't exist, and a refresh then removes it from the state. */
  read(urn: string, id: string, olds: Properties): Properties | undefined {
    const resource = this.args.store.get(urn, id);
    if (resource === undefined || this.missing.has(resource)) return undefined;
    return { ...olds, ...this.registry.get(resource.type)?.readBack?.(resource.inputs) };
  }

  /** One at a time, as bodies expect it. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.queue.then(work);
    this.queue = run.catch(() => undefined);
    return run;
  }

  /** The logical name, with a number while the resource that it replaces still exists: ids are derived from names. */
  private instanceName(urn: string): string {
    const taken = this.args.store.namesOf(urn);
    const name = nameOf(urn);
    for (let number = 1; ; number++) {
      const candidate = number === 1 ? name : `${name}-${number}`;
      if (!taken.includes(candidate)) return candidate;
    }
  }

  private async resourceOf(urn: string, name: string, inputs: Properties): Promise<GraphResource> {
    const type = typeOf(urn);
    const plainInputs = await resolved(withoutMarks(inputs), this.args.projectDir);
    const { id, state } = this.outputsOf(type, name, plainInputs);
    return {
      urn,
      type,
      name,
      parent: undefined,
      id,
      inputs: plainInputs,
      state: { ...plainInputs, ...state },
      dependsOn: [],
      protect: false,
      ignoreChanges: [],
      secretInputs: [],
    };
  }

  /** The state as the engine keeps it: inputs with their secret marks, outputs, and inputs as AWS returns them. */
  private shown({ type, state }: GraphResource, inputs: Properties): Properties {
    const sensitive = SENSITIVE[type] ?? [];
    const outputs = Object.fromEntries(Object.entries(state).filter(([key]) => !(key in inputs)));
    const readBack = this.registry.get(type)?.readBack?.(bodyInputs(inputs)) ?? {};
    return Object.fromEntries(
      Object.entries({ ...outputs, ...inputs, ...readBack }).map(([key, value]) => [
        key,
        sensitive.includes(key) ? secret(value) : value,
      ]),
    );
  }

  private outputsOf(type: string, name: string, inputs: Properties): { readonly id: string; readonly state: Properties } {
    const { region, accountId } = this.args;
    return this.registry.get(type)?.outputs({ name, inputs, region, accountId }) ?? { id: name, state: {} };
  }
}

/** Lists inputs that were filled in, as the bridge of the real provider does: a generated name may change. */
const GENERATED = "__defaults";

const generatedFields = (inputs: Properties): readonly unknown[] => {
  const fields = inputs[GENERATED];
  return Array.isArray(fields) ? fields : [];
};

const withoutMarks = ({ [GENERATED]: _, ...inputs }: Properties): Properties => inputs;

const bodyInputs = (inputs: Properties): Properties => plainProperties(withoutMarks(inputs));

/**
 * With a physical name: `<logical name>-<7 hex>`, drawn once from the engine's seed. An update keeps it; for a replacement the engine asks
 * again without the old inputs.
 * @throws Error for a name that the service refuses
 */
function named(rule: NameRule, urn: string, olds: Properties, news: Properties, randomSeed: Uint8Array): Properties {
  const { field } = rule;
  if (news[field] !== undefined || news[`${field}Prefix`] !== undefined) return news;
  const hex = createHash("sha256").update(randomSeed).update(urn).digest("hex").slice(0, 7);
  const kept = generatedFields(olds).includes(field) ? olds[field] : undefined;
  return { ...news, [field]: kept ?? physicalName(rule, nameOf(urn), plainProperties(news), hex), [GENERATED]: [field] };
}
