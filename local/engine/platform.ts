/** The whole platform of one stack on this machine: evaluate, create services, deploy, run, stop. */
import { join } from "node:path";
import type { GraphResource, Part } from "../contracts.js";
import { roleNameOf, type SessionCredentials } from "../gateway/credentials";
import { FaultInjector, type FaultRule } from "../gateway/faults";
import { evaluate } from "../graph/evaluate.js";
import type { Graph } from "../graph/graph.js";
import { readStackConfig } from "../graph/stack-config.js";
import type { Metering, Usage } from "../services/dynamodb";
import { boundProviderCalls } from "../services/provider-calls";
import { deploy } from "./deploy.js";
import type { KillOrder } from "./kill-switch.js";
import { applyChanges, type ReloadResult } from "./reload.js";
import { ACCOUNT_ID, databaseRoles, endAll, openRuntime, startParts, warehouseUrl } from "./runtime.js";
import type { Services } from "./services.js";

export interface PlatformOptions {
  readonly stack: string;
  /** Folder with `Pulumi.yaml`; default: the working folder. */
  readonly projectDir?: string;
  /** Absolute path of the emitted program; default `dist/index.js` of the project. */
  readonly program?: string;
  /** AWS endpoint; 0 or absent: a free one. */
  readonly port?: number;
  /** REST APIs; 0 or absent: a free one. */
  readonly apiPort?: number;
  readonly warehousePort?: number;
  /** Nothing is kept: database in memory, files in a temporary folder; `dataDir` is not used. */
  readonly inMemory?: boolean;
  /** Default `.local/<stack>` of the project. One running platform a folder. */
  readonly dataDir?: string;
  readonly clock?: { now(): number };
  readonly log?: (line: string) => void;
  /** Told of each resource that has got its body. */
  readonly onCreated?: (resource: GraphResource, services: Services) => void;
  /** Units of provisioned tables: enforced as on AWS (default), only counted, or neither. */
  readonly metering?: Metering;
  /** Told when a table first lacks units. */
  readonly onFirstRefusal?: (usage: Usage) => void;
  readonly faults?: { readonly seed: number; readonly rules: readonly FaultRule[] };
}

export interface InvokeAnswer {
  /** Parsed JSON. */
  readonly value: unknown;
  readonly functionError: string | undefined;
  readonly logTail: string;
}

export interface Platform {
  /** The stack's outputs. */
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly graph: Graph;
  readonly endpointUrl: string;
  /** Base URL of every stage of every API. */
  readonly apiUrls: readonly string[];
  readonly warehouseUrl: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly region: string;
  readonly dataDir: string;
  readonly services: Services;
  readonly faults: {
    /** Kills a function's process after its n-th matching call to AWS was carried out. */
    killDuringCall(rule: { functionName: string; service?: string; action?: string; afterCalls: number }): KillOrder;
    /** Replaces the injected faults; none without rules. */
    inject(seed: number, rules: readonly FaultRule[]): void;
  };
  invoke(functionName: string, event: unknown): Promise<InvokeAnswer>;
  /** Session credentials of a function's role: shows from outside what the function may do. */
  credentialsOf(functionName: string): SessionCredentials;
  /** Reads the stack's config again and applies what can be applied. Rejects with the problems of a bad config, keeping what runs. */
  reload(): Promise<ReloadResult>;
  /** Ends everything; safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts the platform. When anything fails, what was started is ended before the error is thrown.
 * @throws StackConfigError, EvaluationError, DeployError; Error when a port is taken.
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
    return await start(options, projectDir, started, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  options: PlatformOptions,
  projectDir: string,
  started: Part[],
  stop: () => Promise<void>,
): Promise<Platform> {
  const config = readStackConfig(projectDir, options.stack);
  let graph: Graph | undefined;
  const { context, endpoint, credentials, services, killSwitch } = await openRuntime(
    {
      ...options,
      region: config.region,
      dataDir: options.dataDir ?? join(projectDir, ".local", options.stack),
      databaseRolesOf: (roleName) => databaseRoles(graph?.resources ?? [], roleName),
    },
    started,
  );
  const evaluateStack = () =>
    evaluate({
      config: readStackConfig(projectDir, options.stack),
      program: options.program ?? join(projectDir, "dist", "index.js"),
      projectDir,
      types: services.bodies,
      calls: boundProviderCalls({ region: config.region, accountId: ACCOUNT_ID }),
      accountId: ACCOUNT_ID,
    });
  // The warehouse takes longest to start; the program is evaluated meanwhile.
  const [evaluated] = await Promise.all([evaluateStack(), startParts(services.parts, started)]);
  graph = evaluated;
  await deploy(graph, services.bodies, (resource) => options.onCreated?.(resource, services));
  services.lambda.activate();
  const roleOf = (functionName: string) => {
    const roleArn = services.lambda.pool.get(functionName)?.config.roleArn;
    if (roleArn !== undefined) return roleArn;
    throw new Error(`There is no function ${functionName}. Functions: ${services.lambda.pool.names().join(", ")}.`);
  };
  const inject = (seed: number, rules: readonly FaultRule[]) =>
    endpoint.injectFaults(rules.length === 0 ? undefined : new FaultInjector(seed, rules));
  if (options.faults !== undefined) inject(options.faults.seed, options.faults.rules);
  return {
    outputs: graph.outputs,
    graph,
    endpointUrl: context.endpointUrl,
    apiUrls: graph.resources
      .filter(({ type }) => type === "aws:apigateway/stage:Stage")
      .map(({ state }) => String(state.invokeUrl)),
    warehouseUrl: warehouseUrl(services, graph.resources),
    credentials: credentials.owner,
    region: config.region,
    dataDir: context.dataDir,
    services,
    faults: {
      killDuringCall: (rule) => killSwitch.arm({ ...rule, roleName: roleNameOf(roleOf(rule.functionName)) }),
      inject,
    },
    credentialsOf: (functionName) => credentials.issue(roleOf(functionName), functionName),
    invoke: async (functionName, event) => {
      const result = await services.lambda.pool.invoke(functionName, JSON.stringify(event ?? {}));
      return { value: JSON.parse(result.payload) as unknown, functionError: result.functionError, logTail: result.logTail };
    },
    reload: async () => {
      const next = await evaluateStack();
      const result = await applyChanges(graph ?? next, next, services.bodies);
      graph = next;
      return result;
    },
    stop,
  };
}
