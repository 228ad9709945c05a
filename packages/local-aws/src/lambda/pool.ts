/** The pool of execution environments that runs the functions. */
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { AwsError, type LocalContext } from "../contracts";
import { bootstrapFile } from "./bootstrap";
import { unpack } from "./code-folder";
import { AccountConcurrency } from "./concurrency";
import { Environment, type FunctionError, type Outcome } from "./environment";
import type { FunctionConfig, InvokeOptions, InvokeResult } from "./function-config";
import type { LambdaPorts } from "./ports";
import { newTraceId } from "./trace";

interface FunctionState {
  readonly config: FunctionConfig;
  readonly taskRoot: string;
  readonly idle: PooledEnvironment[];
  readonly busy: Set<PooledEnvironment>;
  running: number;
}

interface PooledEnvironment {
  readonly environment: Environment;
  readonly logStream: string;
  lines: string[];
}

/** Lambda's limit for a synchronous request and for a response. */
const maxPayloadBytes = 6 * 1024 * 1024;

export class FunctionPool {
  private readonly functions = new Map<string, FunctionState>();
  /** Replaced and removed functions whose last invocations still run. */
  private readonly retired = new Set<FunctionState>();
  private readonly waiting: (() => void)[] = [];
  readonly concurrency = new AccountConcurrency();
  private processes = 0;
  private closed = false;

  constructor(
    private readonly context: LocalContext,
    private readonly ports: LambdaPorts,
    /** Invocations that run at once on this machine; more wait. Only a reserved concurrency below it throttles. */
    private readonly maxProcesses = 10,
  ) {}

  /**
   * Registers a function, or replaces it: environments of the old code end.
   * @throws AwsError InvalidParameterValueException when it reserves more executions than the account has
   */
  async put(config: FunctionConfig): Promise<void> {
    this.concurrency.reserve(config.name, config.reservedConcurrency);
    const previous = this.functions.get(config.name);
    const taskRoot = join(this.context.dataDir, "functions", config.name, config.code.sha256.slice(0, 16));
    unpack(config.code, taskRoot);
    this.functions.set(config.name, { config, taskRoot, idle: [], busy: new Set(), running: 0 });
    if (previous !== undefined) await this.retire(previous);
  }

  /** Ends the idle environments; running invocations finish. */
  async remove(name: string): Promise<void> {
    const state = this.functions.get(name);
    this.functions.delete(name);
    this.concurrency.forget(name);
    if (state !== undefined) await this.retire(state);
  }

  private async retire(state: FunctionState): Promise<void> {
    if (state.busy.size > 0) this.retired.add(state);
    await Promise.all(state.idle.splice(0).map(({ environment }) => environment.end()));
  }

  get(name: string): FunctionState | undefined {
    return this.functions.get(name);
  }

  names(): string[] {
    return [...this.functions.keys()].sort();
  }

  /** Kills the processes that are in the middle of an invocation; returns how many. */
  killBusy(name: string): number {
    const busy = [...(this.functions.get(name)?.busy ?? [])];
    for (const { environment } of busy) environment.kill();
    return busy.length;
  }

  /**
   * Runs one invocation to its end.
   * @throws AwsError ResourceNotFoundException, TooManyRequestsException (reserved concurrency), RequestEntityTooLargeException.
   */
  async invoke(name: string, payload: string, options: InvokeOptions = {}): Promise<InvokeResult> {
    const state = this.functions.get(name);
    if (state === undefined) {
      throw new AwsError(
        "ResourceNotFoundException",
        `Function not found: ${name}. Functions here: ${this.names().join(", ") || "none"}`,
        404,
      );
    }
    if (Buffer.byteLength(payload) > maxPayloadBytes) {
      throw new AwsError(
        "RequestEntityTooLargeException",
        `${Buffer.byteLength(payload)} byte payload is too large for the Invoke operation (limit ${maxPayloadBytes} bytes)`,
        413,
      );
    }
    const { reservedConcurrency } = state.config;
    const dimensions = { FunctionName: name };
    // An invocation that waits for a process of this machine isn't an execution yet, so a larger reservation can't be used up here.
    if (reservedConcurrency !== undefined && reservedConcurrency < this.maxProcesses && state.running >= reservedConcurrency) {
      this.ports.metric("Throttles", 1, "Count", dimensions);
      throw new AwsError(
        "TooManyRequestsException",
        `Rate Exceeded. Function ${name} has reserved concurrency ${reservedConcurrency} and all of it is in use.`,
        429,
      );
    }
    state.running += 1;
    this.ports.metric("ConcurrentExecutions", state.running, "Count", dimensions);
    try {
      await this.acquire();
      try {
        return await this.run(state, payload, options);
      } finally {
        this.release();
      }
    } finally {
      state.running -= 1;
    }
  }

  private acquire(): Promise<void> | void {
    if (this.processes < this.maxProcesses) {
      this.processes += 1;
      return;
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private release(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.processes -= 1;
    else next();
  }

  private async run(state: FunctionState, payload: string, options: InvokeOptions): Promise<InvokeResult> {
    if (this.closed) throw new AwsError("ServiceException", "The platform is stopping.", 500);
    const { config } = state;
    const requestId = options.requestId ?? randomUUID();
    const { pooled, initMs, initError } = await this.environmentFor(state);
    pooled.lines.push(`START RequestId: ${requestId} Version: ${config.version}`);
    const started = performance.now();
    const outcome: Outcome =
      initError !== undefined
        ? { kind: "error", error: initError, memoryMb: 0 }
        : await pooled.environment.invoke({
            requestId,
            payload,
            functionArn: options.qualifiedArn ?? config.arn,
            traceId: options.traceId ?? newTraceId(this.context.clock.now(), config.tracing === "Active"),
            timeoutMs: config.timeoutSeconds * 1000,
          });
    const durationMs = performance.now() - started;
    const result = tooLarge(outcome);
    if (result.kind === "error" && /^(Sandbox|Runtime)\./.test(result.error.errorType))
      pooled.lines.push(result.error.errorMessage);
    pooled.lines.push(`END RequestId: ${requestId}`, reportLine(requestId, durationMs, initMs, config, result.memoryMb));
    const logTail = this.flushLines(config, pooled);
    this.record(config.name, durationMs, result.kind === "error");
    await this.giveBack(state, pooled);
    return {
      requestId,
      payload: result.kind === "result" ? result.payload : JSON.stringify(result.error),
      functionError: result.kind === "error" ? "Unhandled" : undefined,
      logTail,
    };
  }

  /** A warm environment, or a new one with the milliseconds that its start took. */
  private async environmentFor(state: FunctionState): Promise<{
    readonly pooled: PooledEnvironment;
    readonly initMs?: number;
    readonly initError?: FunctionError | undefined;
  }> {
    let pooled = state.idle.pop();
    while (pooled !== undefined && !pooled.environment.alive) pooled = state.idle.pop();
    const started = performance.now();
    const isWarm = pooled !== undefined;
    pooled ??= this.launch(state);
    state.busy.add(pooled);
    if (isWarm) return { pooled };
    const initError = await pooled.environment.start();
    return { pooled, initMs: performance.now() - started, initError };
  }

  /** Keeps a living environment of the function as it is now; any other ends. */
  private async giveBack(state: FunctionState, pooled: PooledEnvironment): Promise<void> {
    state.busy.delete(pooled);
    if (state.busy.size === 0) this.retired.delete(state);
    const isCurrent = this.functions.get(state.config.name) === state && !this.closed;
    if (pooled.environment.alive && isCurrent) state.idle.push(pooled);
    else await pooled.environment.end();
  }

  private record(name: string, durationMs: number, failed: boolean): void {
    const dimensions = { FunctionName: name };
    this.ports.metric("Invocations", 1, "Count", dimensions);
    this.ports.metric("Errors", failed ? 1 : 0, "Count", dimensions);
    this.ports.metric("Duration", durationMs, "Milliseconds", dimensions);
  }

  private flushLines(config: FunctionConfig, pooled: PooledEnvironment): string {
    const lines = pooled.lines;
    pooled.lines = [];
    const timestamp = this.context.clock.now();
    this.ports.writeLogs(
      config.logGroup,
      pooled.logStream,
      lines.map((message) => ({ timestamp, message })),
    );
    return Buffer.from(`${lines.join("\n")}\n`)
      .subarray(-4096)
      .toString();
  }

  private launch(state: FunctionState): PooledEnvironment {
    const { config } = state;
    const day = new Date(this.context.clock.now()).toISOString().slice(0, 10).replaceAll("-", "/");
    const logStream = `${day}/[${config.version}]${randomBytes(16).toString("hex")}`;
    const credentials = this.ports.credentials(config.roleArn, config.name);
    const environment = new Environment({
      bootstrap: bootstrapFile(join(this.context.dataDir, "functions")),
      taskRoot: state.taskRoot,
      memoryMb: config.memoryMb,
      env: {
        ...config.environment,
        TZ: ":UTC",
        LANG: "en_US.UTF-8",
        _HANDLER: config.handler,
        LAMBDA_TASK_ROOT: state.taskRoot,
        AWS_EXECUTION_ENV: `AWS_Lambda_${config.runtime}`,
        AWS_REGION: this.context.region,
        AWS_DEFAULT_REGION: this.context.region,
        AWS_ENDPOINT_URL: this.context.endpointUrl,
        AWS_LAMBDA_FUNCTION_NAME: config.name,
        AWS_LAMBDA_FUNCTION_VERSION: config.version,
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(config.memoryMb),
        AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
        AWS_LAMBDA_LOG_GROUP_NAME: config.logGroup,
        AWS_LAMBDA_LOG_STREAM_NAME: logStream,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_SESSION_TOKEN: credentials.sessionToken,
      },
      onLine: (line) => pooled.lines.push(line),
    });
    const pooled: PooledEnvironment = { environment, logStream, lines: [] };
    return pooled;
  }

  /** Ends every process; running invocations are cut off. */
  async end(): Promise<void> {
    this.closed = true;
    const all = [...this.functions.values(), ...this.retired].flatMap(({ idle, busy }) => [...idle.splice(0), ...busy]);
    await Promise.all(all.map(({ environment }) => environment.end()));
  }
}

function tooLarge(outcome: Outcome): Outcome {
  if (outcome.kind === "error" || Buffer.byteLength(outcome.payload) <= maxPayloadBytes) return outcome;
  const text = `Response payload size exceeded maximum allowed payload size (${maxPayloadBytes} bytes).`;
  return { kind: "error", error: { errorType: "Function.ResponseSizeTooLarge", errorMessage: text }, memoryMb: outcome.memoryMb };
}

function reportLine(
  requestId: string,
  durationMs: number,
  initMs: number | undefined,
  config: FunctionConfig,
  memoryMb: number,
): string {
  const parts = [
    `REPORT RequestId: ${requestId}`,
    `Duration: ${durationMs.toFixed(2)} ms`,
    `Billed Duration: ${Math.ceil(durationMs + (initMs ?? 0))} ms`,
    `Memory Size: ${config.memoryMb} MB`,
    `Max Memory Used: ${memoryMb} MB`,
  ];
  if (initMs !== undefined) parts.push(`Init Duration: ${initMs.toFixed(2)} ms`);
  return `${parts.join("\t")}\t`;
}
