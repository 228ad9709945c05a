/** Step Functions over the messaging services, fake functions and jobs, and a time that only moves when told. */
import type { AwsRequest, AwsResponse, AwsService } from "../../src/contracts";
import { AwsError } from "../../src/contracts";
import { AwsEndpoint } from "../../src/endpoint/endpoint";
import { Iam } from "../../src/permissions/iam";
import { ServiceGate } from "../../src/services/service-gate";
import { StepFunctionsService } from "../../src/services/stepfunctions";
import type { Timers } from "../../src/services/stepfunctions/timers";
import { call, type World, world } from "../messaging/helpers";

export const ROLE = "arn:aws:iam::000000000000:role/machine";
const region = "us-east-1";

interface Sleep {
  readonly at: number;
  readonly wake: () => void;
}

export class FakeTimers implements Timers {
  private ms = Date.UTC(2026, 0, 15, 12, 0, 0);
  private readonly sleeping = new Set<Sleep>();
  /** Every wait that was asked for, in milliseconds. */
  readonly asked: number[] = [];

  now(): number {
    return this.ms;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    this.asked.push(ms);
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const sleep: Sleep = {
        at: this.ms + ms,
        wake: () => {
          this.sleeping.delete(sleep);
          resolve();
        },
      };
      this.sleeping.add(sleep);
      signal.addEventListener("abort", () => {
        this.sleeping.delete(sleep);
        reject(signal.reason);
      });
    });
  }

  /** Moves to the next moment at which somebody wakes. */
  async next(): Promise<boolean> {
    await quiet();
    const first = [...this.sleeping].sort((left, right) => left.at - right.at)[0];
    if (first === undefined) return false;
    this.ms = Math.max(this.ms, first.at);
    first.wake();
    await quiet();
    return true;
  }

  move(ms: number): void {
    this.ms += ms;
  }
}

/** Everything that can go on without time has gone on. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

type Answer = Readonly<Record<string, unknown>>;

/** A service whose actions are functions; it remembers what it was asked. */
export class FakeService implements AwsService {
  readonly calls: { readonly action: string; readonly input: Answer; readonly principal: string }[] = [];

  constructor(
    readonly name: string,
    private readonly actions: Readonly<Record<string, (input: Answer) => object | Promise<object>>>,
  ) {}

  permissions(request: AwsRequest) {
    return [{ action: `${this.name}:${request.action}`, resource: "*" }];
  }

  async handle(request: AwsRequest): Promise<AwsResponse> {
    const input = JSON.parse(String(request.body)) as Answer;
    this.calls.push({ action: request.action, input, principal: request.principal.arn });
    const action = this.actions[request.action];
    if (action === undefined) throw new AwsError("UnsupportedOperation", `${this.name} has no ${request.action}.`, 501);
    return { status: 200, body: JSON.stringify(await action(input)) };
  }

  /** Actions in the order of their calls. */
  get asked(): string[] {
    return this.calls.map(({ action }) => action);
  }
}

export class FakeFunctions implements AwsService {
  readonly name = "lambda";
  readonly calls: { readonly name: string; readonly payload: unknown; readonly type: string | undefined }[] = [];

  constructor(private readonly functions: Readonly<Record<string, (payload: never) => unknown>>) {}

  permissions(request: AwsRequest) {
    return [
      { action: "lambda:InvokeFunction", resource: `arn:aws:lambda:${region}:000000000000:function:${this.functionOf(request)}` },
    ];
  }

  private functionOf(request: AwsRequest): string {
    return decodeURIComponent(request.url.pathname.split("/")[3] ?? "").replace(/^arn:.*:function:/, "");
  }

  async handle(request: AwsRequest): Promise<AwsResponse> {
    const name = this.functionOf(request);
    const payload = JSON.parse(String(request.body)) as never;
    this.calls.push({ name, payload, type: request.headers["x-amz-invocation-type"] });
    const headers = { "x-amz-executed-version": "$LATEST" };
    try {
      const answer = (await this.functions[name]?.(payload)) ?? null;
      return { status: 200, headers, body: JSON.stringify(answer) };
    } catch (error) {
      if (error instanceof AwsError || !(error instanceof Error)) throw error;
      const body = JSON.stringify({ errorType: error.name, errorMessage: error.message });
      return { status: 200, headers: { ...headers, "x-amz-function-error": "Unhandled" }, body };
    }
  }
}

export interface HistoryEvent {
  readonly id: number;
  readonly previousEventId: number;
  readonly type: string;
  readonly [details: string]: unknown;
}

/** A machine of one task; a resource without `arn:` is an integration. */
export const task = (resource: string, Parameters: object | undefined, more: object = {}) => ({
  Work: {
    Type: "Task",
    Resource: resource.startsWith("arn:") ? resource : `arn:aws:states:::${resource}`,
    ...(Parameters === undefined ? {} : { Parameters }),
    End: true,
    ...more,
  },
});

/** A call of a function whose answer is kept beside the input. */
export const invoke = (name: string, more: object = {}) => ({
  Type: "Task",
  Resource: "arn:aws:states:::lambda:invoke",
  Parameters: { FunctionName: name, "Payload.$": "$" },
  ResultSelector: { "value.$": "$.Payload" },
  ResultPath: "$.result",
  End: true,
  ...more,
});

/** An error with a name, as functions throw them. */
export function named(name: string, message = name): Error {
  const error = new Error(message);
  error.name = name;
  return error;
}

export interface WorldOptions {
  /** In place of the world's own of the same name. */
  readonly services?: readonly AwsService[];
  /** Between two questions about a job; default 1 s. */
  readonly pollMs?: number;
  readonly random?: () => number;
  /** Statements of the machine's role; default: everything. */
  readonly statements?: readonly object[];
  /** The database of an earlier world. */
  readonly previous?: { readonly messaging: World };
}

export async function stepFunctionsWorld(options: WorldOptions = {}) {
  const timers = new FakeTimers();
  const metrics: { readonly name: string; readonly value: number; readonly dimensions: object }[] = [];
  const messaging = options.previous?.messaging ?? world();
  const context = { ...messaging.context, clock: timers };
  const iam = new Iam(context.accountId, region);
  const trust = { Statement: [{ Effect: "Allow", Principal: { Service: "states.amazonaws.com" }, Action: "sts:AssumeRole" }] };
  iam.putRole("machine", ROLE, trust);
  const statements = options.statements ?? [{ Effect: "Allow", Action: "*", Resource: "*" }];
  if (statements.length > 0) iam.putInlinePolicy("machine", "own", { Version: "2012-10-17", Statement: statements });
  const endpoint = new AwsEndpoint({
    region: "us-east-1",
    keys: () => undefined,
    iam,
    now: () => timers.now(),
    log: () => undefined,
  });
  const service = new StepFunctionsService(
    context,
    {
      iam,
      registry: messaging.registry,
      events: messaging.events,
      logs: messaging.logs,
      gate: new ServiceGate(context, iam, messaging.kms),
      metrics: (_namespace, name, dimensions, value) => metrics.push({ name, value, dimensions }),
      perform: (request) => endpoint.call(request),
    },
    { timers, random: options.random ?? (() => 0.5), pollMs: options.pollMs ?? 1000 },
  );
  const { services = [] } = options;
  const own = [messaging.sqs, messaging.sns, messaging.events].filter(({ name }) => !services.some((one) => one.name === name));
  for (const one of [service, ...own, ...services]) endpoint.register(one);
  const machineArn = (name = "machine") => service.arnOf(name);
  const deploy = (
    states: object,
    more: { readonly StartAt?: string; readonly TimeoutSeconds?: number; readonly name?: string } = {},
  ) => {
    const { name = "machine", ...fields } = more;
    const definition = JSON.stringify({ StartAt: Object.keys(states)[0], States: states, ...fields });
    service.deploy({ name, roleArn: ROLE, definition, keyId: undefined, logGroupArn: undefined });
  };
  const start = async (input: unknown = {}, name = "run"): Promise<string> => {
    const body = { stateMachineArn: machineArn(), name, input: JSON.stringify(input) };
    return (await call<{ executionArn: string }>(service, "StartExecution", body)).executionArn;
  };
  const describe = (executionArn: string) => call<Record<string, string>>(service, "DescribeExecution", { executionArn });
  const history = async (executionArn: string): Promise<HistoryEvent[]> =>
    (await call<{ events: HistoryEvent[] }>(service, "GetExecutionHistory", { executionArn, maxResults: 1000 })).events;
  /** Moves time on until the execution has ended. */
  const end = async (executionArn: string) => {
    await quiet();
    while ((await describe(executionArn)).status === "RUNNING") {
      if (!(await timers.next())) throw new Error(`${executionArn} waits for something that no time brings.`);
    }
    await service.executions.settled(executionArn);
    return describe(executionArn);
  };
  /** Deploys, runs to the end and gives the execution with its parsed output. */
  const run = async (states: object, input: unknown = {}, more: Parameters<typeof deploy>[1] = {}) => {
    deploy(states, more);
    const executionArn = await start(input);
    const execution = await end(executionArn);
    const events = await history(executionArn);
    return {
      execution,
      events,
      types: events.map(({ type }) => type),
      output: execution.output === undefined ? undefined : (JSON.parse(execution.output) as unknown),
    };
  };
  return { service, iam, endpoint, context, messaging, timers, metrics, machineArn, deploy, start, describe, history, end, run };
}
