/**
 * Lambda's event source mapping of a Kinesis stream, with ReportBatchItemFailures and BisectBatchOnFunctionError: one batch of a shard at
 * a time, children after their parents, and records that are too old or were retried too often go to the failure destination
 * ("Using Lambda to process records from Amazon Kinesis Data Streams", Lambda developer guide).
 */
import type { KinesisStreamBatchResponse, KinesisStreamEvent, KinesisStreamRecord } from "aws-lambda";
import type { Random } from "../kernel/random";
import type { Scheduler } from "../kernel/scheduler";
import type { Shard, Stream, StreamRecord } from "./kinesis";

export interface StreamSourceSettings {
  readonly batchSize: number;
  readonly windowMs: number;
  /** -1: no limit. */
  readonly maxRetries: number;
  readonly maxAgeMs: number;
}

/** What became of an invocation; undefined: it failed, timed out or crashed. */
export type StreamInvoke = (event: KinesisStreamEvent) => Promise<KinesisStreamBatchResponse | undefined>;

export interface StreamSourcePorts {
  readonly invoke: StreamInvoke;
  /** The failure destination. */
  readonly giveUp: (records: readonly StreamRecord[], reason: string) => void;
  /** Whether the checkpoint of a finished batch is lost, so that its records are read again. */
  readonly repeats: () => boolean;
}

const SHORTEST_POLL_MS = 20;

interface Part {
  readonly records: readonly StreamRecord[];
  readonly retries: number;
}

export class StreamSource {
  readonly #positions = new Map<Shard, number>();
  readonly #running = new Set<Shard>();

  constructor(
    private readonly stream: Stream,
    private readonly settings: StreamSourceSettings,
    private readonly ports: StreamSourcePorts,
    private readonly scheduler: Scheduler,
    private readonly random: Random,
  ) {}

  /** Whether every record of the stream is dealt with. */
  get isDrained(): boolean {
    return this.#running.size === 0 && this.stream.shards.every((shard) => this.#isDone(shard));
  }

  /** Reads the shard, and those that wait for it, as far as there are records. */
  wake(shard: Shard): void {
    if (this.#running.has(shard) || this.#isDone(shard) || !this.#mayStart(shard)) return;
    this.#running.add(shard);
    void this.#read(shard).then(() => {
      this.#running.delete(shard);
      for (const other of this.stream.shards) this.wake(other);
    });
  }

  /** A parent without records may itself be waiting for its own. */
  #mayStart({ parents }: Shard): boolean {
    return parents.every((parent) => this.#isDone(parent) && this.#mayStart(parent));
  }

  #isDone(shard: Shard): boolean {
    return (this.#positions.get(shard) ?? 0) === shard.records.length;
  }

  async #read(shard: Shard): Promise<void> {
    let wasRepeated = false;
    while (!this.#isDone(shard)) {
      const from = this.#positions.get(shard) ?? 0;
      // A full batch doesn't wait for its window.
      const isFull = shard.records.length - from >= this.settings.batchSize;
      await this.scheduler.sleep(this.random.between(1, isFull ? SHORTEST_POLL_MS : this.settings.windowMs));
      const records = shard.records.slice(from, from + this.settings.batchSize);
      await this.#deliver(records);
      // What is read again starts at the same place, and may hold records that have come since.
      wasRepeated = !wasRepeated && this.ports.repeats();
      if (!wasRepeated) this.#positions.set(shard, from + records.length);
    }
  }

  async #deliver(records: readonly StreamRecord[]): Promise<void> {
    const parts: Part[] = [{ records, retries: 0 }];
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      const kept = this.#withoutExpired(part);
      if (kept.records.length === 0) continue;
      const response = await this.ports.invoke({ Records: kept.records.map(described) });
      const left = afterResponse(kept.records, response);
      if (left.length === 0) continue;
      const retries = kept.retries + 1;
      if (this.settings.maxRetries >= 0 && retries > this.settings.maxRetries) {
        this.ports.giveUp(left, "RetryAttemptsExhausted");
        continue;
      }
      // A failed invocation is halved, which costs no retry; a reported failure is a bisection at the reported record.
      const middle = response === undefined && left.length > 1 ? Math.ceil(left.length / 2) : left.length;
      if (middle < left.length) parts.push({ records: left.slice(middle), retries: kept.retries });
      parts.push({ records: left.slice(0, middle), retries: middle < left.length ? kept.retries : retries });
      await this.scheduler.sleep(Math.min(30_000, 200 * 2 ** Math.min(retries, 8)));
    }
  }

  #withoutExpired({ records, retries }: Part): Part {
    const oldest = this.scheduler.now() - this.settings.maxAgeMs;
    const expired = records.filter(({ arrivedAtMs }) => arrivedAtMs < oldest);
    if (expired.length === 0) return { records, retries };
    this.ports.giveUp(expired, "RecordAgeExceeded");
    return { records: records.filter(({ arrivedAtMs }) => arrivedAtMs >= oldest), retries };
  }
}

/** The records that have to be delivered again: those from the lowest reported sequence number, all for an answer without meaning. */
function afterResponse(
  records: readonly StreamRecord[],
  response: KinesisStreamBatchResponse | undefined | null,
): readonly StreamRecord[] {
  if (response === undefined) return records;
  const reported = (response?.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier);
  if (reported.length === 0) return [];
  const positions = reported.map((sequence) => records.findIndex((record) => record.sequence === sequence));
  return records.slice(Math.max(0, Math.min(...positions)));
}

export function described({ shardId, sequence, partitionKey, data, arrivedAtMs }: StreamRecord): KinesisStreamRecord {
  return {
    awsRegion: "us-east-1",
    eventID: `${shardId}:${sequence}`,
    eventName: "aws:kinesis:record",
    eventSource: "aws:kinesis",
    eventSourceARN: "arn:aws:kinesis:us-east-1:000000000000:stream/transactions",
    eventVersion: "1.0",
    invokeIdentityArn: "arn:aws:iam::000000000000:role/scorer",
    kinesis: {
      approximateArrivalTimestamp: arrivedAtMs / 1000,
      data: data.toString("base64"),
      kinesisSchemaVersion: "1.0",
      partitionKey,
      sequenceNumber: sequence,
    },
  };
}
