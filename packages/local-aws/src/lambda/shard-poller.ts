/** Reads one shard in order and hands its records to lanes. */
import { createHash } from "node:crypto";
import { messageOf } from "@risk/program-graph";
import { Lane, type Tracked } from "./lane";
import type { ShardOptions } from "./mapping";

interface ShardPollerOptions extends ShardOptions {
  readonly checkpoint: { load(): string; save(sequenceNumber: string): unknown };
  /** Called when a closed shard is read to its end. */
  readonly onEnded: () => void;
}

/** Wait after a read or a checkpoint that the disk refused. */
const RETRY_MS = 1000;

/** Records read ahead of the slowest lane. */
const maxBuffered = 20_000;

/**
 * Records are spread over `parallelizationFactor` lanes by their partition key; a lane runs one batch at a time, so one key
 * keeps its order. The checkpoint is the last record before which everything is done.
 */
export class ShardPoller {
  private readonly lanes: Lane[];
  private readonly window: Tracked[] = [];
  private cursor: string;
  private reading = false;
  private wokenWhileReading = false;
  private ended = false;
  private closed = false;
  private cancelRetry: (() => void) | undefined;

  constructor(private readonly options: ShardPollerOptions) {
    this.lanes = Array.from({ length: options.mapping.parallelizationFactor }, () => new Lane(options, () => this.advance()));
    this.cursor = options.checkpoint.load();
  }

  /** Reads all records up to the newest; call it when some may have arrived. Never throws: a producer isn't told that its readers can't work. */
  wake(): void {
    if (this.reading) {
      this.wokenWhileReading = true;
      return;
    }
    this.reading = true;
    try {
      do {
        this.wokenWhileReading = false;
        this.readAll();
      } while (this.wokenWhileReading);
    } catch (error) {
      this.retry(error);
    } finally {
      this.reading = false;
    }
  }

  private retry(error: unknown): void {
    const { shardId, mapping, context, timers } = this.options;
    if (this.closed) return;
    context.log(`Shard ${shardId} of ${mapping.functionName}: ${messageOf(error)}; trying again.`);
    this.cancelRetry?.();
    this.cancelRetry = timers.after(RETRY_MS, () => this.wake());
  }

  private readAll(): void {
    const { ports, mapping, shardId } = this.options;
    while (!this.closed && !this.ended && this.window.length < maxBuffered) {
      const { records, ended } = ports.streams.read(mapping.sourceArn, shardId, this.cursor, 10_000);
      for (const record of records) {
        const tracked = { record, done: false };
        this.window.push(tracked);
        this.cursor = record.sequenceNumber;
        this.laneOf(record.partitionKey).push(tracked);
      }
      this.ended = ended;
      if (records.length === 0) break;
    }
    this.advance();
  }

  private laneOf(partitionKey: string): Lane {
    const index =
      this.lanes.length === 1 ? 0 : createHash("md5").update(partitionKey).digest().readUInt32BE(0) % this.lanes.length;
    const lane = this.lanes[index];
    if (lane === undefined) throw new Error(`No lane ${index}`);
    return lane;
  }

  private advance(): void {
    let finished = 0;
    while (this.window[finished]?.done === true) finished += 1;
    const last = this.window[finished - 1];
    if (last !== undefined) {
      if (!this.save(last.record.sequenceNumber)) return;
      this.window.splice(0, finished);
      if (!this.reading) this.wake();
    }
    if (this.ended && this.window.length === 0 && !this.closed) this.options.onEnded();
  }

  /** A checkpoint that can't be saved now is saved with the next one, or after a while. */
  private save(sequenceNumber: string): boolean {
    try {
      this.options.checkpoint.save(sequenceNumber);
      return true;
    } catch (error) {
      this.retry(error);
      return false;
    }
  }

  flush(): void {
    for (const lane of this.lanes) lane.run();
  }

  idle(): boolean {
    return this.window.length === 0;
  }

  async end(): Promise<void> {
    this.closed = true;
    this.cancelRetry?.();
    await Promise.all(this.lanes.map((lane) => lane.end()));
  }
}
