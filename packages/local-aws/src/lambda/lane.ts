/** Batches of one shard, one at a time and in order. */
import { messageOf } from "@risk/program-graph";
import type { InvokeResult } from "./function-config";
import { type BatchOutcome, batchOutcome, fitting, type ShardOptions } from "./mapping";
import { Persistence } from "./persistence";
import type { StreamRecord } from "./ports";
import { eventRecord, failureRecord, type GiveUpCondition } from "./stream-batch";

export interface Tracked {
  readonly record: StreamRecord;
  done: boolean;
}

export class Lane {
  private readonly queue: Tracked[] = [];
  private running: Promise<void> | undefined;
  private cancelTimer: (() => void) | undefined;
  private resumeWait: (() => void) | undefined;
  private readonly persistence: Persistence;
  private closed = false;

  constructor(
    private readonly options: ShardOptions,
    private readonly onProgress: () => void,
  ) {
    this.persistence = new Persistence(options.timers, options.context.log);
  }

  push(tracked: Tracked): void {
    this.queue.push(tracked);
    if (this.running !== undefined || this.closed) return;
    const { mapping, timers } = this.options;
    if (this.queue.length >= mapping.batchSize) this.run();
    else if (this.cancelTimer === undefined) {
      this.cancelTimer = timers.after(mapping.windowSeconds * 1000, () => {
        this.cancelTimer = undefined;
        this.run();
      });
    }
  }

  /** Starts a batch of the queued records, unless one is running: the next then follows by itself. */
  run(): void {
    if (this.running !== undefined || this.closed || this.queue.length === 0) return;
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    const batch = this.queue.splice(0, this.options.mapping.batchSize);
    this.running = this.process(batch)
      .catch((error: unknown) => this.again(batch, error))
      .finally(() => {
        this.running = undefined;
        this.run();
      });
  }

  /** A batch is never dropped because of an error of this machine: what is left of it is the lane's next batch. */
  private async again(batch: readonly Tracked[], error: unknown): Promise<void> {
    const { shardId, mapping, context } = this.options;
    context.log(`Shard ${shardId} of ${mapping.functionName}: ${messageOf(error)}; trying again.`);
    this.queue.unshift(...batch.filter(({ done }) => !done));
    await this.sleep(this.options.retryMs * 100);
  }

  /** Runs a batch until every record is done or given up; it may be retried or split. */
  private async process(batch: Tracked[]): Promise<void> {
    const { mapping, context } = this.options;
    let rest = batch;
    let attempts = 0;
    let wait = this.options.retryMs;
    let lastResult: InvokeResult | undefined;
    while (rest.length > 0 && !this.closed) {
      rest = await this.withoutExpired(rest, attempts, lastResult);
      const fit = fitting(rest.map(({ record }) => record.data.length * 1.34 + 600));
      if (fit < rest.length) {
        await this.process(rest.slice(0, fit));
        rest = rest.slice(fit);
        continue;
      }
      if (rest.length === 0) return;
      const result = await this.invoke(rest);
      if (this.closed) return;
      if (result !== "throttled") {
        lastResult = result;
        const ids = new Set(rest.map(({ record }) => record.sequenceNumber));
        const failed = batchOutcome(result, mapping.reportsItemFailures, ids);
        const failedAt = firstFailure(failed, rest);
        const succeeded = rest.slice(0, failedAt);
        this.finish(succeeded);
        rest = rest.slice(failedAt);
        if (rest.length === 0) return;
        // After progress, the rest is a new batch with attempts of its own. AWS doesn't document this; settings must not rely on it.
        attempts = succeeded.length > 0 ? 0 : attempts + 1;
        if (succeeded.length > 0) wait = this.options.retryMs;
        // A reported failure splits the batch at the reported record and no further ("Configuring partial batch response with Kinesis
        // Data Streams and Lambda"); only a batch that failed as a whole is halved.
        if (mapping.bisectOnError && rest.length > 1 && failed.kind === "all") {
          const half = Math.ceil(rest.length / 2);
          await this.process(rest.slice(0, half));
          if (!this.closed) await this.process(rest.slice(half));
          return;
        }
        if (mapping.maxRetries >= 0 && attempts > mapping.maxRetries) {
          await this.giveUp(rest, "RetryAttemptsExhausted", attempts, result);
          return;
        }
      }
      await this.sleep(wait);
      wait = Math.min(wait * 2, this.options.retryMs * 100);
    }
    if (this.closed)
      context.log(
        `Shard ${this.options.shardId}: stopped with a batch of ${rest.length} unfinished; it is read again at the next start.`,
      );
  }

  private async invoke(batch: readonly Tracked[]): Promise<InvokeResult | "throttled"> {
    const { ports, mapping, shardId, context } = this.options;
    const last = batch.at(-1)?.record;
    if (last !== undefined) {
      ports.metric("IteratorAge", Math.max(0, context.clock.now() - last.arrivedAt), "Milliseconds", {
        FunctionName: mapping.functionName,
      });
    }
    try {
      return await this.options.invoke(JSON.stringify({ Records: batch.map(({ record }) => eventRecord(record, this.options)) }));
    } catch (error) {
      if (!this.closed && !(error instanceof Error && error.name === "TooManyRequestsException")) {
        context.log(`Shard ${shardId} of ${mapping.functionName}: ${String(error)}; trying again.`);
      }
      return "throttled";
    }
  }

  private async withoutExpired(batch: Tracked[], attempts: number, result: InvokeResult | undefined): Promise<Tracked[]> {
    const { mapping, context } = this.options;
    if (mapping.maxRecordAgeSeconds < 0) return batch;
    const oldest = context.clock.now() - mapping.maxRecordAgeSeconds * 1000;
    const expired = batch.filter(({ record }) => record.arrivedAt < oldest);
    if (expired.length > 0) await this.giveUp(expired, "RecordAgeExceeded", attempts, result);
    return batch.filter(({ record }) => record.arrivedAt >= oldest);
  }

  private async giveUp(
    batch: readonly Tracked[],
    condition: GiveUpCondition,
    attempts: number,
    result: InvokeResult | undefined,
  ): Promise<void> {
    const { mapping, shardId, context } = this.options;
    const delivered =
      mapping.onFailure === undefined || (await this.deliver(mapping.onFailure, batch, { condition, attempts, result }));
    if (!delivered) return;
    context.log(`${mapping.functionName}: gave up a batch of ${batch.length} (${condition}, shard ${shardId})`);
    this.finish(batch);
  }

  /** Writes a batch to the failure destination; false when the end of the platform came first. */
  private async deliver(
    bucketArn: string,
    batch: readonly Tracked[],
    end: Parameters<typeof failureRecord>[2],
  ): Promise<boolean> {
    const { mapping, ports, roleArn, context } = this.options;
    const records = batch.map(({ record }) => record);
    const { key, body } = failureRecord(this.options, records, end);
    try {
      const write = () => ports.putObject(bucketArn, key, body, roleArn);
      if (!(await this.persistence.run(`${mapping.functionName}: failed batch`, write))) return false;
      if (mapping.countsEvents) {
        const dimensions = { EventSourceMappingUUID: mapping.uuid };
        ports.metric("OnFailureDestinationDeliveredEventCount", batch.length, "Count", dimensions);
      }
    } catch (error) {
      // As on AWS: the shard goes on, and the metric shows that a batch is lost.
      ports.metric("DestinationDeliveryFailures", 1, "Count", { FunctionName: mapping.functionName });
      context.log(`${mapping.functionName}: ${bucketArn} did not take a failed batch: ${String(error)}`);
    }
    return true;
  }

  private finish(batch: readonly Tracked[]): void {
    for (const tracked of batch) tracked.done = true;
    if (batch.length > 0) this.onProgress();
  }

  private sleep(ms: number): Promise<void> {
    if (this.closed) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.options.timers.after(ms, resolve);
      this.resumeWait = () => {
        cancel();
        resolve();
      };
    });
  }

  async end(): Promise<void> {
    this.closed = true;
    this.cancelTimer?.();
    this.resumeWait?.();
    this.persistence.end();
    await this.running;
  }
}

/** Index of the first record that is not done. */
function firstFailure(outcome: BatchOutcome, batch: readonly Tracked[]): number {
  if (outcome.kind === "ok") return batch.length;
  if (outcome.kind === "all") return 0;
  const failed = new Set(outcome.ids);
  return batch.findIndex(({ record }) => failed.has(record.sequenceNumber));
}
