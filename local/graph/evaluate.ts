/** Runs a Pulumi program in this process and records what it registers: a graph with deterministic provider outputs. */
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import * as runtime from "@pulumi/pulumi/runtime/index.js";
import * as runtimeState from "@pulumi/pulumi/runtime/state.js";
import { resolveAssets } from "./assets";
import type { Graph } from "./graph";
import { sharePackageTree } from "./package-tree";
import type { GraphResource, ResourceType } from "./resource";
import { ResourceTypes } from "./resource-types";
import type { StackConfig } from "./stack-config";
import { isRecord, messageOf, recordOf } from "./values";

/** A provider function (`aws:index/getRegion:getRegion`) answered locally. */
export type ProviderCall = (
  inputs: Readonly<Record<string, unknown>>,
) => Record<string, unknown> | Promise<Record<string, unknown>>;

export interface EvaluateOptions {
  readonly config: StackConfig;
  /** Absolute path of the emitted program (`dist/index.js`), or the program itself. */
  readonly program: string | (() => unknown);
  /** Assets and bundles are found relative to it; the CLI would run the program there. */
  readonly projectDir: string;
  /** What is known of the provider: any other type or input is a problem. */
  readonly types: readonly ResourceType[];
  readonly calls?: Readonly<Record<string, ProviderCall>>;
  readonly accountId: string;
}

/** The program cannot be evaluated; `problems` has one line each. */
export class EvaluationError extends Error {
  readonly code = "EVALUATION";
  constructor(
    stack: string,
    readonly problems: readonly string[],
  ) {
    super(`The program of stack "${stack}" cannot run here:\n  - ${problems.join("\n  - ")}`);
  }
}

let queue: Promise<unknown> = Promise.resolve();

/**
 * Evaluates the program; nothing is created. Evaluations of one process run one after the other, since working folder,
 * rejection handlers and the module cache are shared; they are independent of each other otherwise.
 * @throws EvaluationError with every unsupported type, unknown field, duplicate URN and failed output.
 */
export function evaluate(options: EvaluateOptions): Promise<Graph> {
  const run = queue.then(() => runtimeState.withLocalStorage(() => evaluateNow(options)));
  queue = run.catch(() => undefined);
  return run;
}

async function evaluateNow(options: EvaluateOptions): Promise<Graph> {
  const { config, projectDir } = options;
  const recorder = new Recorder(options);
  runtime.setAllConfig({ ...config.values, "aws:region": config.region }, [...config.secretKeys]);
  await runtime.setMocks(
    { newResource: (args) => recorder.newResource(args), call: (args) => recorder.call(args.token, args.inputs) },
    config.project,
    config.stack,
    false,
    "local",
  );
  recorder.attach();
  const readAnew = sharePackageTree();
  const restore = takeProcess(projectDir, recorder);
  let outputs: unknown;
  try {
    outputs = await runtime.runInPulumiStack(async () => runProgram(options.program));
    await settle();
  } catch (error) {
    await settle();
    recorder.rejected(error);
  } finally {
    readAnew();
    restore();
  }
  return recorder.finish(isRecord(outputs) ? outputs : {});
}

async function runProgram(program: EvaluateOptions["program"]): Promise<Record<string, unknown> | undefined> {
  const exported: unknown = typeof program === "string" ? loadFresh(program) : program;
  const entry = isRecord(exported) && "default" in exported ? exported.default : exported;
  const result: unknown = typeof entry === "function" ? await entry() : entry;
  return isRecord(result) ? result : undefined;
}

/** Loads the program anew: a module that registered resources or read config must not be reused by the next evaluation. */
function loadFresh(program: string): unknown {
  const load = createRequire(program);
  // The cache knows files by their real paths; the project's folder may be a link.
  const root = dirname(realpathSync(program)) + sep;
  for (const path of Object.keys(load.cache)) {
    if (path.startsWith(root) && !path.includes(`${sep}node_modules${sep}`)) delete load.cache[path];
  }
  return load(program);
}

/** How `pulumi.log.warn` writes where no engine listens. */
const WARNING = "warning: [runtime] ";

/** Working folder, unhandled rejections, warnings and stack traces belong to the evaluation while it runs; returns how to give them back. */
function takeProcess(projectDir: string, recorder: Recorder): () => void {
  const onRejection = (reason: unknown): void => recorder.rejected(reason);
  const { stackTraceLimit } = Error;
  // Pulumi renders a stack for each of its thousands of promises, a tenth of the whole start; problems are reported by their messages.
  Error.stackTraceLimit = 0;
  const folder = process.cwd();
  if (folder !== projectDir) process.chdir(projectDir);
  const listeners = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", onRejection);
  const { warn } = console;
  console.warn = (...parts: unknown[]): void => {
    const [text] = parts;
    if (typeof text === "string" && text.startsWith(WARNING)) recorder.warnings.push(text.slice(WARNING.length));
    else warn(...parts);
  };
  return () => {
    console.warn = warn;
    Error.stackTraceLimit = stackTraceLimit;
    process.off("unhandledRejection", onRejection);
    for (const listener of listeners) process.on("unhandledRejection", listener);
    if (folder !== projectDir) process.chdir(folder);
  };
}

/** All registrations are answered, and rejections nobody handled have been reported (after one turn of the event loop). */
async function settle(): Promise<void> {
  const store = runtimeState.getStore();
  let done: unknown;
  while (done !== store.settings.rpcDone) {
    done = store.settings.rpcDone;
    await store.settings.rpcDone.catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await new Promise((resolve) => setImmediate(resolve));
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

class Recorder {
  readonly warnings: string[] = [];
  private readonly types: ResourceTypes<ResourceType>;
  private readonly resources: GraphResource[] = [];
  private readonly byUrn = new Map<string, GraphResource>();
  private readonly problems = new Set<string>();
  private readonly failures = new Map<unknown, string>();
  /** The request whose `newResource` call comes next: the mock monitor calls it in the same turn. */
  private current: RegisterRequest | undefined;
  private readonly details = new Map<RegisterRequest, Pick<GraphResource, "id" | "inputs" | "state" | "secretInputs">>();

  constructor(private readonly options: EvaluateOptions) {
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
      const problem = `${token}: this provider function has no local answer.`;
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
    if (this.problems.size > 0) throw new EvaluationError(stack, [...this.problems]);
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
