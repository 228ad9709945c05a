/** The resources of the provider `aws` over the local bodies: check, diff, create, read, update, delete. */
import { createHash } from "node:crypto";
import type { GraphResource, NameRule, ResourceBody } from "../contracts.js";
import { BodyRegistry } from "../engine/bodies.js";
import { fieldChanges } from "../engine/graph.js";
import type { ResourceStore } from "./store.js";
import { comparable, hasUnknown, type Properties, plain, plainProperties, resolved, secret, UNKNOWN } from "./values.js";

export interface ProviderArgs {
  readonly bodies: readonly ResourceBody[];
  readonly region: string;
  readonly accountId: string;
  /** Assets are found relative to it. */
  readonly projectDir: string;
  readonly store: ResourceStore;
  readonly log: (line: string) => void;
  /** Told before a body is created; what it throws fails the creation. */
  readonly onCreate?: (urn: string) => void;
  /** Told when a resource has its body. */
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

/** Outputs that the provider's schema marks as sensitive, besides what the program marks itself. */
const SENSITIVE: Readonly<Record<string, readonly string[]>> = {
  "aws:apigateway/apiKey:ApiKey": ["value"],
  "aws:secretsmanager/secretVersion:SecretVersion": ["secretString"],
  "aws:ssm/parameter:Parameter": ["value"],
};

/** `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME` */
export const typeOf = (urn: string): string => urn.split("::")[2]?.split("$").pop() ?? "";
export const nameOf = (urn: string): string => urn.split("::").slice(3).join("::");

export class ProviderResources {
  private readonly registry: BodyRegistry;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly args: ProviderArgs) {
    this.registry = new BodyRegistry(args.bodies);
  }

  /**
   * Bodies again for everything that was created; they live in this process. What finds no place is gone, such as a file that a stack
   * kept on its destruction in a bucket that it didn't keep; a refresh takes it out of a state that still has it.
   */
  async restore(): Promise<void> {
    for (const resource of [...this.args.store.all()]) {
      try {
        await this.registry.get(resource.type)?.create?.(resource);
        this.args.onCreated?.(resource);
      } catch (error) {
        this.args.store.remove(resource.urn, resource.id);
        this.args.log(`${resource.type} (${resource.name}) is gone: ${messageOf(error)}`);
      }
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
    const inputs = rule === undefined ? news : named(rule, urn, olds, news, randomSeed);
    if (failures.length === 0 && !hasUnknown(inputs)) {
      try {
        this.outputsOf(type, name, plainProperties(inputs));
      } catch (error) {
        failures.push({ property: rule?.field ?? "", reason: messageOf(error) });
      }
    }
    return { inputs, failures };
  }

  diff(urn: string, oldInputs: Properties, news: Properties): Difference {
    const body = this.registry.get(typeOf(urn));
    const replaceOn = body?.replaceOn ?? [];
    const [before, after] = [comparable(oldInputs), comparable(news)];
    const changes = fieldChanges(before, after).map(({ path, before: was, after: is }) => {
      const field = path.split(/[.[]/)[0] ?? path;
      const kind = was === undefined ? "add" : is === undefined ? "delete" : "update";
      return { path, kind, replaces: replaceOn.includes(field) } as const;
    });
    // Two resources can't have one name: the provider deletes first where the program chose the name.
    const field = body?.autoName?.field;
    const keepsName = field !== undefined && news[field] !== undefined && plain(oldInputs[field]) === plain(news[field]);
    return { changes, deleteBeforeReplace: body?.deleteBeforeReplace === true || keepsName };
  }

  /** What a preview shows: inputs are known, everything else only after the creation. */
  previewCreate(inputs: Properties): Properties {
    return inputs;
  }

  previewUpdate(urn: string, id: string, olds: Properties, news: Properties): Properties {
    const state: Record<string, unknown> = { ...olds, ...news };
    const known = this.args.store.get(urn, id);
    if (known === undefined || hasUnknown(news)) return state;
    try {
      const after = this.outputsOf(known.type, known.name, plainProperties(news)).state;
      for (const { path } of fieldChanges(plain(known.state), { ...plainProperties(news), ...after })) {
        const field = path.split(/[.[]/)[0] ?? path;
        if (!(field in news)) state[field] = UNKNOWN;
      }
    } catch {
      // Assets are not read in a preview, and a body may need them: what it would answer then is what it answered before.
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
      return { id: resource.id, state: shown(resource, inputs) };
    });
  }

  update(urn: string, id: string, oldInputs: Properties, news: Properties): Promise<Properties> {
    return this.inTurn(async () => {
      const known = this.args.store.get(urn, id);
      const name = known?.name ?? nameOf(urn);
      const previous = known ?? { ...(await this.resourceOf(urn, name, oldInputs)), id };
      const next = { ...(await this.resourceOf(urn, name, news)), id };
      const body = this.registry.get(next.type);
      if (body?.create !== undefined && body.update === undefined) {
        throw new Error(`${next.type} (${nameOf(urn)}) can't be changed in place on this machine.`);
      }
      await body?.update?.(next, previous);
      this.args.store.put(next);
      return shown(next, news);
    });
  }

  delete(urn: string, id: string, inputs: Properties): Promise<void> {
    return this.inTurn(async () => {
      const resource = this.args.store.get(urn, id) ?? { ...(await this.resourceOf(urn, nameOf(urn), inputs)), id };
      await this.registry.get(resource.type)?.delete?.(resource);
      this.args.store.remove(urn, id);
    });
  }

  /** False when nothing was created under this id: a refresh takes it out of the state. */
  exists(urn: string, id: string): boolean {
    return this.args.store.get(urn, id) !== undefined;
  }

  /** One after the other, as bodies expect it. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.queue.then(work);
    this.queue = run.catch(() => undefined);
    return run;
  }

  /** The logical name, or one more while the resource that it replaces still exists: ids follow from names. */
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
    const plainInputs = await resolved(inputs, this.args.projectDir);
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

  private outputsOf(type: string, name: string, inputs: Properties): { readonly id: string; readonly state: Properties } {
    const { region, accountId } = this.args;
    return this.registry.get(type)?.outputs({ name, inputs, region, accountId }) ?? { id: name, state: {} };
  }
}

/** `<logical name>-<7 hex>`, drawn once: the seed is the engine's, and an update keeps the name. */
function named(rule: NameRule, urn: string, olds: Properties, news: Properties, randomSeed: Uint8Array): Properties {
  if (news[rule.field] !== undefined || news[`${rule.field}Prefix`] !== undefined) return news;
  const kept = olds[rule.field];
  if (kept !== undefined && kept !== UNKNOWN) return { ...news, [rule.field]: kept };
  const suffix = createHash("sha256").update(randomSeed).update(urn).digest("hex").slice(0, 7);
  const generated = `${nameOf(urn)}-${suffix}`;
  return { ...news, [rule.field]: rule.adapt?.(generated, plainProperties(news)) ?? generated };
}

/** The state as the engine keeps it: inputs with their marks of secrets, and the outputs beside them. */
function shown({ type, state }: GraphResource, inputs: Properties): Properties {
  const sensitive = SENSITIVE[type] ?? [];
  const outputs = Object.fromEntries(Object.entries(state).filter(([key]) => !(key in inputs)));
  return Object.fromEntries(
    Object.entries({ ...outputs, ...inputs }).map(([key, value]) => [key, sensitive.includes(key) ? secret(value) : value]),
  );
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
