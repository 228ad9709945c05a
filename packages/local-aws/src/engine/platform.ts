/** The whole platform of one stack on this machine: evaluate, create services, deploy, run, stop. */
import { join } from "node:path";
import type { Graph } from "@risk/program-graph";
import { readStackConfig } from "@risk/program-graph";
import type { GraphResource, Part } from "../contracts";
import { namingDisk } from "../disk";
import type { SessionCredentials } from "../endpoint/credentials";
import type { FaultRule, InjectedFault } from "../faults/schedule";
import { deploy } from "./deploy";
import { applyChanges, type ReloadResult } from "./reload";
import { databaseRoles, endAll, type MachineOptions, openRuntime, startParts, warehouseUrl } from "./runtime";
import type { Services } from "./services";
import { graphOf } from "./stack-graph";

export interface PlatformOptions extends MachineOptions {
  readonly stack: string;
  /** Folder with `Pulumi.yaml`; default: the working folder. */
  readonly projectDir?: string;
  /** Default `.local/<stack>` of the project. Used by one running platform at a time. */
  readonly dataDir?: string;
  /** Gives up a start that is under way: what has started is ended, and {@link startPlatform} rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called for each resource once its body exists. */
  readonly onCreated?: (resource: GraphResource, services: Services) => void;
}

export interface Platform {
  /** The stack's outputs. */
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly graph: Graph;
  readonly endpointUrl: string;
  readonly warehouseUrl: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly region: string;
  readonly dataDir: string;
  readonly services: Services;
  readonly faults: {
    /** Replaces the faults; an empty list stops them. Their time begins now. @throws Error with every problem of the rules */
    inject(seed: number, rules: readonly FaultRule[]): void;
    /** What happened since the last `inject`. */
    injected(): readonly InjectedFault[];
  };
  /** Session credentials of a function's role, for trying out what the function may do. */
  credentialsOf(functionName: string): SessionCredentials;
  /** Reads the stack's config again and applies the changes that can be applied. With a bad config it rejects and changes nothing. */
  reload(): Promise<ReloadResult>;
  /** Ends everything; safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts the platform. When anything fails, the parts that were started are ended before the error is thrown.
 * @throws Error with every problem of the config or the program, with the resource that failed, or with the port that is taken
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const projectDir = options.projectDir ?? process.cwd();
  const started: Part[] = [];
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= endAll(started, options.log);
    return stopping;
  };
  try {
    return await untilAborted(start(options, projectDir, started, stop), options.signal);
  } catch (error) {
    await stop();
    throw namingDisk(error, options.dataDir ?? defaultDataDir(projectDir, options.stack));
  }
}

const defaultDataDir = (projectDir: string, stack: string): string => join(projectDir, ".local", stack);

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function start(
  options: PlatformOptions,
  projectDir: string,
  started: Part[],
  stop: () => Promise<void>,
): Promise<Platform> {
  const { signal } = options;
  signal?.throwIfAborted();
  const config = readStackConfig(projectDir, options.stack);
  let graph: Graph | undefined;
  const { context, credentials, services, faults } = await openRuntime(
    {
      ...options,
      region: config.region,
      dataDir: options.dataDir ?? defaultDataDir(projectDir, options.stack),
      databaseRolesOf: (roleName) => databaseRoles(graph?.resources ?? [], roleName),
    },
    started,
  );
  const evaluateStack = () => graphOf(projectDir, readStackConfig(projectDir, options.stack), services.bodies);
  // The warehouse takes longest to start, so the program is evaluated in the meantime.
  const [evaluated] = await Promise.all([evaluateStack(), startParts(services.parts, started, signal)]);
  graph = evaluated;
  await deploy(graph, services.bodies, (resource) => {
    signal?.throwIfAborted();
    options.onCreated?.(resource, services);
  });
  signal?.throwIfAborted();
  services.lambda.activate();
  services.firehose.activate();
  // Ends first, so that everything else ends on a machine that works.
  started.push({ title: "faults", end: () => faults.end() });
  const roleOf = (functionName: string) => {
    const roleArn = services.lambda.pool.get(functionName)?.config.roleArn;
    if (roleArn !== undefined) return roleArn;
    throw new Error(`There is no function ${functionName}. Functions: ${services.lambda.pool.names().join(", ")}.`);
  };
  return {
    outputs: graph.outputs,
    graph,
    endpointUrl: context.endpointUrl,
    warehouseUrl: warehouseUrl(services, graph.resources),
    credentials: credentials.owner,
    region: config.region,
    dataDir: context.dataDir,
    services,
    faults,
    credentialsOf: (functionName) => credentials.issue(roleOf(functionName), functionName),
    reload: async () => {
      const next = await evaluateStack();
      const result = await applyChanges(graph ?? next, next, services.bodies);
      graph = next;
      return result;
    },
    stop,
  };
}
