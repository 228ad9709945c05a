/** Asynchronous invocations: accepted into the database, retried, then handed to a destination. */
import { randomUUID } from "node:crypto";
import type { LocalContext } from "../contracts";
import type { InvokeResult } from "./function-config";
import { Persistence } from "./persistence";
import type { FunctionPool } from "./pool";
import type { LambdaPorts, Timers } from "./ports";

interface AsyncConfig {
  readonly maxRetries: number;
  readonly maxAgeSeconds: number;
  readonly onFailure: string | undefined;
}

const defaultAsyncConfig: AsyncConfig = {
  maxRetries: 2,
  maxAgeSeconds: 21_600,
  onFailure: undefined,
};

interface AsyncEvent {
  readonly id: string;
  readonly functionName: string;
  readonly payload: string;
  readonly acceptedAt: number;
  readonly attempts: number;
}

export class AsyncInvocations {
  private readonly configs = new Map<string, AsyncConfig>();
  private readonly running = new Map<string, Promise<void>>();
  private readonly cancels = new Set<() => void>();
  private readonly persistence: Persistence;
  private closed = false;

  constructor(
    private readonly context: LocalContext,
    private readonly ports: LambdaPorts,
    private readonly pool: FunctionPool,
    private readonly timers: Timers,
    /** Waits before the first and the second retry; Lambda waits one and two minutes, which is too long on a laptop. */
    private readonly retryDelaysMs: readonly number[] = [1_000, 2_000],
  ) {
    this.persistence = new Persistence(timers, context.log);
    context.db.exec(
      "CREATE TABLE IF NOT EXISTS lambda_async (id TEXT PRIMARY KEY, function_name TEXT NOT NULL, payload TEXT NOT NULL, accepted_at INTEGER NOT NULL, attempts INTEGER NOT NULL)",
    );
  }

  configure(functionName: string, config: Partial<AsyncConfig>): void {
    this.configs.set(functionName, { ...defaultAsyncConfig, ...config });
  }

  /** Back to the defaults. */
  reset(functionName: string): void {
    this.configs.delete(functionName);
  }

  /** Accepts an event; returns its request id. */
  accept(functionName: string, payload: string): string {
    const event: AsyncEvent = { id: randomUUID(), functionName, payload, acceptedAt: this.context.clock.now(), attempts: 0 };
    this.context.db
      .prepare("INSERT INTO lambda_async (id, function_name, payload, accepted_at, attempts) VALUES (?, ?, ?, ?, 0)")
      .run(event.id, functionName, payload, event.acceptedAt);
    this.start(event);
    return event.id;
  }

  /** Resumes events that an earlier run accepted and didn't finish. */
  resume(): void {
    for (const row of this.context.db.prepare("SELECT * FROM lambda_async ORDER BY accepted_at").all()) {
      this.start({
        id: String(row.id),
        functionName: String(row.function_name),
        payload: String(row.payload),
        acceptedAt: Number(row.accepted_at),
        attempts: Number(row.attempts),
      });
    }
  }

  private start(event: AsyncEvent): void {
    if (this.closed) return;
    const run = this.process(event)
      .catch((error: unknown) => this.context.log(`Asynchronous event ${event.id} of ${event.functionName}: ${String(error)}`))
      .finally(() => this.running.delete(event.id));
    this.running.set(event.id, run);
  }

  private later(event: AsyncEvent, ms: number): void {
    const cancel = this.timers.after(ms, () => {
      this.cancels.delete(cancel);
      this.start(event);
    });
    this.cancels.add(cancel);
  }

  private async process(event: AsyncEvent): Promise<void> {
    // The function was deleted, so its events can't be processed any more.
    if (this.pool.get(event.functionName) === undefined) return this.forget(event);
    const config = this.configs.get(event.functionName) ?? defaultAsyncConfig;
    const tooOld = this.context.clock.now() - event.acceptedAt > config.maxAgeSeconds * 1000;
    if (tooOld) return this.giveUp(event, undefined, "EventAgeExceeded", config);
    let result: InvokeResult;
    try {
      result = await this.pool.invoke(event.functionName, event.payload, { requestId: event.id });
    } catch {
      // Throttled or stopping: tried again until the event is too old; does not count as an attempt.
      if (!this.closed) this.later(event, this.retryDelaysMs[0] ?? 1_000);
      return;
    }
    if (this.closed && result.functionError !== undefined) return;
    if (result.functionError === undefined) return this.forget(event);
    const attempts = event.attempts + 1;
    if (attempts > config.maxRetries) return this.giveUp({ ...event, attempts }, result, "RetriesExhausted", config);
    await this.record(event, () =>
      this.context.db.prepare("UPDATE lambda_async SET attempts = ? WHERE id = ?").run(attempts, event.id),
    );
    if (this.closed) return;
    this.later({ ...event, attempts }, this.retryDelaysMs[event.attempts] ?? this.retryDelaysMs.at(-1) ?? 1_000);
  }

  private async giveUp(
    event: AsyncEvent,
    result: InvokeResult | undefined,
    condition: string,
    { onFailure }: AsyncConfig,
  ): Promise<void> {
    const dimensions = { FunctionName: event.functionName };
    if (onFailure !== undefined) {
      try {
        if (!(await this.record(event, () => this.send(onFailure, event, result, condition)))) return;
      } catch (error) {
        // As on AWS: the event is dropped, and a metric shows that its destination didn't get it.
        this.ports.metric("DestinationDeliveryFailures", 1, "Count", dimensions);
        this.context.log(`${event.functionName}: ${onFailure} did not take an event: ${String(error)}`);
      }
    }
    this.ports.metric("AsyncEventsDropped", 1, "Count", dimensions);
    await this.forget(event);
  }

  private async forget(event: AsyncEvent): Promise<void> {
    await this.record(event, () => this.context.db.prepare("DELETE FROM lambda_async WHERE id = ?").run(event.id));
  }

  private record(event: AsyncEvent, work: () => unknown): Promise<boolean> {
    return this.persistence.run(`Asynchronous event ${event.id} of ${event.functionName}`, work);
  }

  private async send(destination: string, event: AsyncEvent, result: InvokeResult | undefined, condition: string): Promise<void> {
    const config = this.pool.get(event.functionName)?.config;
    const [arn, roleArn] = [config?.arn ?? event.functionName, config?.roleArn ?? ""];
    const record = JSON.stringify({
      version: "1.0",
      timestamp: new Date(this.context.clock.now()).toISOString(),
      requestContext: {
        requestId: event.id,
        functionArn: `${arn}:$LATEST`,
        condition,
        approximateInvokeCount: event.attempts,
      },
      requestPayload: parsed(event.payload),
      ...(result === undefined
        ? {}
        : {
            responseContext: {
              statusCode: 200,
              executedVersion: "$LATEST",
              ...(result.functionError === undefined ? {} : { functionError: result.functionError }),
            },
            responsePayload: parsed(result.payload),
          }),
    });
    await this.ports.deliver(destination, record, roleArn);
  }

  /** Events that are not finished. */
  pending(): number {
    return Number(this.context.db.prepare("SELECT count(*) AS n FROM lambda_async").get()?.n ?? 0);
  }

  /** Stops; unfinished events stay in the database. */
  async end(): Promise<void> {
    this.closed = true;
    for (const cancel of this.cancels) cancel();
    this.persistence.end();
    await Promise.all(this.running.values());
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
