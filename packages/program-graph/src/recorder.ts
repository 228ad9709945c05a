/** Turns the calls to Pulumi's mock monitor into resources with outputs, and collects everything that is wrong with them. */
import * as runtime from "@pulumi/pulumi/runtime/index.js";
import * as runtimeState from "@pulumi/pulumi/runtime/state.js";
import { resolveAssets } from "./assets";
import type { Graph } from "./graph";
import type { GraphResource, ResourceType } from "./resource";
import { ResourceTypes } from "./resource-types";
import type { StackConfig } from "./stack-config";
import { isRecord, messageOf, recordOf } from "./values";

/** The local implementation of a provider function (`aws:index/getRegion:getRegion`). */
export type ProviderCall = (
  inputs: Readonly<Record<string, unknown>>,
) => Record<string, unknown> | Promise<Record<string, unknown>>;

export interface RecorderOptions {
  readonly config: StackConfig;
  /** Assets and bundles are found relative to it; the CLI would run the program there. */
  readonly projectDir: string;
  /** The types that the provider has. A resource of another type, or with an input that its type lacks, is a problem. */
  readonly types: readonly ResourceType[];
  readonly calls?: Readonly<Record<string, ProviderCall>>;
  readonly accountId: string;
}

interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getCustom(): boolean;
  getRemote?(): boolean;
  getProtect?(): boolean | undefined;
  getDependenciesList?(): string[];
  getIgnorechangesList?(): string[];
}

type Respond = (error: Error | null, response: { getUrn(): string } | undefined) => void;

/** The mock monitor, seen through the two methods that are wrapped. */
interface Monitor {
  registerResource(request: RegisterRequest, respond: Respond): Promise<void>;
  readResource(request: RegisterRequest, respond: Respond): Promise<void>;
}

export class Recorder {
  readonly warnings: string[] = [];
  private readonly types: ResourceTypes<ResourceType>;
  private readonly resources: GraphResource[] = [];
  private readonly byUrn = new Map<string, GraphResource>();
  private readonly problems = new Set<string>();
  private readonly failures = new Map<unknown, string>();
  /** The request whose `newResource` call comes next: the mock monitor calls it in the same turn. */
  private current: RegisterRequest | undefined;
  private readonly details = new Map<RegisterRequest, Pick<GraphResource, "id" | "inputs" | "state" | "secretInputs">>();

  constructor(private readonly options: RecorderOptions) {
    this.types = new ResourceTypes(options.types);
  }

  /** Wraps the monitor that the mocks have installed, and notes which resource a failed input belongs to. */
  attach(): void {
    // The runtime types its monitor as the gRPC client; with mocks it is a MockMonitor, whose methods take these shapes.
    const monitor = runtime.getMonitor() as Monitor | undefined;
    if (monitor === undefined) throw new Error("The Pulumi runtime has no monitor after setMocks.");
    const register = monitor.registerResource.bind(monitor);
    monitor.registerResource = (request, respond) => {
      this.current = request;
      return register(request, (error, response) => {
        if (error === null && response !== undefined) this.registered(request, response.getUrn());
        respond(error, response);
      });
    };
    monitor.readResource = async (request, respond) => {
      const what = `${request.getType()} (${request.getName()}): an existing resource is looked up; nothing exists before this program.`;
      this.problems.add(what);
      respond(new Error(what), undefined);
    };
    const pending = runtimeState.getPendingResourceRegistrations();
    const set = pending.set.bind(pending);
    pending.set = (resource, entry) => {
      const fail = entry.fail;
      entry.fail = (error: Error) => {
        this.failures.set(error, `${entry.type ?? "resource"} (${entry.name ?? entry.label})`);
        fail?.(error);
      };
      return set(resource, entry);
    };
  }

  async newResource(args: {
    type: string;
    name: string;
    inputs: unknown;
  }): Promise<{ id: string; state: Record<string, unknown> }> {
    const request = this.current;
    this.current = undefined;
    const raw = recordOf(args.inputs);
    if (request === undefined) return { id: args.name, state: raw };
    const secretInputs = Object.keys(raw).filter((key) => holdsSecret(raw[key]));
    const inputs = recordOf(await resolveAssets(unwrapSecrets(raw), this.options.projectDir));
    const plainComponent = !request.getCustom() && request.getRemote?.() !== true;
    if (plainComponent) {
      this.details.set(request, { id: "", inputs, state: inputs, secretInputs });
      return { id: "", state: raw };
    }
    const found = this.types.problems(args.type, args.name, inputs);
    for (const problem of found) this.problems.add(problem);
    const outputs = this.outputsOf(args.type, args.name, inputs);
    this.details.set(request, { id: outputs.id, inputs, state: { ...inputs, ...outputs.state }, secretInputs });
    return { id: outputs.id, state: { ...raw, ...outputs.state } };
  }

  private outputsOf(type: string, name: string, inputs: Readonly<Record<string, unknown>>) {
    const { config, accountId } = this.options;
    try {
      const known = this.types.get(type);
      return known?.outputs({ name, inputs, region: config.region, accountId }) ?? { id: `${name}-id`, state: {} };
    } catch (error) {
      this.problems.add(`${type} (${name}): ${messageOf(error)}`);
      return { id: `${name}-id`, state: {} };
    }
  }

  call(token: string, inputs: unknown): Record<string, unknown> | Promise<Record<string, unknown>> {
    const answer = this.options.calls?.[token];
    if (answer === undefined) {
      const problem = `${token}: this provider function isn't implemented locally.`;
      this.problems.add(problem);
      throw new Error(problem);
    }
    return answer(recordOf(inputs));
  }

  private registered(request: RegisterRequest, urn: string): void {
    const details = this.details.get(request);
    if (details === undefined) return;
    const resource: GraphResource = {
      urn,
      type: request.getType(),
      name: request.getName(),
      parent: request.getParent() || undefined,
      ...details,
      dependsOn: request.getDependenciesList?.() ?? [],
      protect: request.getProtect?.() ?? false,
      ignoreChanges: request.getIgnorechangesList?.() ?? [],
    };
    const twin = this.byUrn.get(urn);
    if (twin !== undefined) {
      const parents = [twin.parent ?? "the stack", resource.parent ?? "the stack"].join(" and ");
      this.problems.add(
        `${urn}: registered twice (${resource.type} "${resource.name}", under ${parents}); give one another name.`,
      );
    }
    this.byUrn.set(urn, resource);
    this.resources.push(resource);
  }

  /** A rejected output, program or registration. The first report of an error names its resource. */
  rejected(reason: unknown): void {
    const owner = this.failures.get(reason);
    const text = messageOf(reason);
    // An invoke that failed rejects with an empty message after its problem was noted.
    if ([...this.problems].some((problem) => text === "" || text.includes(problem))) return;
    this.problems.add(owner === undefined ? text : `${owner}: ${text}`);
  }

  finish(outputs: Record<string, unknown>): Graph {
    for (const [error, owner] of this.failures) {
      const text = messageOf(error);
      if (![...this.problems].some((problem) => problem.includes(text))) this.problems.add(`${owner}: ${text}`);
    }
    const { project, stack } = this.options.config;
    if (this.problems.size > 0)
      throw new Error(`The program of stack "${stack}" cannot run here:\n  - ${[...this.problems].join("\n  - ")}`);
    return { project, stack, resources: this.resources, byUrn: this.byUrn, outputs, warnings: this.warnings };
  }
}

function holdsSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return runtime.isRpcSecret(value) || Object.values(value).some(holdsSecret);
}

function unwrapSecrets(value: unknown): unknown {
  if (runtime.isRpcSecret(value)) return unwrapSecrets(runtime.unwrapRpcSecret(value));
  if (Array.isArray(value)) return value.map(unwrapSecrets);
  if (!isRecord(value) || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unwrapSecrets(item)]));
}
