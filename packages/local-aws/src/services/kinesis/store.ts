import type { DatabaseSync } from "node:sqlite";
import { AwsError } from "../../contracts";
import { Documents } from "../documents";
import { numberOf, optionalNumber, optionalText, type Row, textOf, transaction } from "../messaging/database";
import { evenRanges, hashKey, sequenceNumber, sequenceTime } from "./sequence";

export interface StreamRow {
  readonly name: string;
  readonly retentionHours: number;
  readonly keyId?: string | undefined;
  readonly maxRecordKib: number;
}

export interface ShardRow {
  readonly id: string;
  readonly index: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly lastSequence: string;
  readonly parent: string | undefined;
  readonly adjacentParent: string | undefined;
  readonly closedMs: number | undefined;
}

export interface NewRecord {
  readonly partitionKey: string;
  readonly shard: ShardRow;
  readonly data: Buffer;
}

export interface StoredRecord {
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  readonly data: Buffer;
  readonly arrivalMs: number;
}

const schema = `
CREATE TABLE IF NOT EXISTS kinesis_shards (stream TEXT NOT NULL, id TEXT NOT NULL, idx INTEGER NOT NULL, start_hash TEXT NOT NULL, end_hash TEXT NOT NULL,
  last_seq TEXT NOT NULL, parent TEXT, adjacent TEXT, closed INTEGER, PRIMARY KEY (stream, id));
CREATE TABLE IF NOT EXISTS kinesis_records (stream TEXT NOT NULL, shard TEXT NOT NULL, seq TEXT NOT NULL, partition_key TEXT NOT NULL, data BLOB NOT NULL,
  ts INTEGER NOT NULL, PRIMARY KEY (stream, shard, seq)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS kinesis_records_by_time ON kinesis_records (stream, shard, ts);`;

/** Streams, shards and records in SQLite. All calls are synchronous. */
export class KinesisStore {
  private counter = 0;
  private readonly streamsByName: Documents<StreamRow>;
  private readonly shardCache = new Map<string, ShardRow[]>();

  constructor(
    private readonly db: DatabaseSync,
    private readonly now: () => number,
  ) {
    db.exec(schema);
    this.streamsByName = new Documents(db, "kinesis_stream_documents");
  }

  stream(name: string): StreamRow {
    const found = this.findStream(name);
    if (found === undefined)
      throw new AwsError("ResourceNotFoundException", `Stream ${name} not found. Create it or check StreamName/StreamARN.`);
    return found;
  }

  findStream(name: string): StreamRow | undefined {
    return this.streamsByName.get(name);
  }

  streams(): StreamRow[] {
    return this.streamsByName.sorted();
  }

  create(stream: StreamRow, shardCount: number): void {
    transaction(this.db, () => {
      this.save(stream);
      evenRanges(shardCount).forEach((range, index) => {
        this.addShard(stream.name, index, range, [], this.now());
      });
    });
  }

  save(stream: StreamRow): void {
    this.streamsByName.put(stream.name, stream);
  }

  delete(name: string): void {
    transaction(this.db, () => {
      this.db.prepare("DELETE FROM kinesis_records WHERE stream = ?").run(name);
      this.db.prepare("DELETE FROM kinesis_shards WHERE stream = ?").run(name);
      this.streamsByName.delete(name);
    });
    this.shardCache.delete(name);
  }

  shards(stream: string): readonly ShardRow[] {
    let shards = this.shardCache.get(stream);
    if (shards === undefined) {
      shards = this.db.prepare("SELECT * FROM kinesis_shards WHERE stream = ? ORDER BY idx").all(stream).map(shardOf);
      this.shardCache.set(stream, shards);
    }
    return shards;
  }

  shard(stream: string, id: string): ShardRow {
    const found = this.shards(stream).find((shard) => shard.id === id);
    if (found === undefined) throw new AwsError("ResourceNotFoundException", `Shard ${id} in stream ${stream} does not exist.`);
    return found;
  }

  openShards(stream: string): readonly ShardRow[] {
    return this.shards(stream).filter((shard) => shard.closedMs === undefined);
  }

  shardFor(stream: string, partitionKey: string): ShardRow {
    const hash = hashKey(partitionKey);
    const found = this.openShards(stream).find((shard) => hash >= shard.start && hash <= shard.end);
    if (found === undefined)
      throw new AwsError("InternalFailure", `No open shard of ${stream} covers the hash key ${hash}.`, 500);
    return found;
  }

  /** Appends in the given order. Sequence numbers rise within a shard even if the clock steps back. */
  append(stream: string, records: readonly NewRecord[]): { readonly sequenceNumber: string; readonly shardId: string }[] {
    const insert = this.db.prepare("INSERT INTO kinesis_records VALUES (?, ?, ?, ?, ?, ?)");
    const last = new Map<string, string>();
    return transaction(this.db, () => {
      const placed = records.map(({ partitionKey, shard, data }) => {
        const previous = last.get(shard.id) ?? this.shard(stream, shard.id).lastSequence;
        const sequence = this.nextSequence(shard.index, previous);
        insert.run(stream, shard.id, sequence, partitionKey, data, this.now());
        last.set(shard.id, sequence);
        return { sequenceNumber: sequence, shardId: shard.id };
      });
      for (const [id, sequence] of last) {
        this.db.prepare("UPDATE kinesis_shards SET last_seq = ? WHERE stream = ? AND id = ?").run(sequence, stream, id);
        const cached = this.shardCache.get(stream);
        this.shardCache.set(
          stream,
          (cached ?? []).map((shard) => (shard.id === id ? { ...shard, lastSequence: sequence } : shard)),
        );
      }
      return placed;
    });
  }

  private nextSequence(shardIndex: number, previous: string): string {
    this.counter++;
    const now = this.now();
    const sequence = sequenceNumber(now, this.counter, shardIndex);
    // After a restart the counter starts again, so a number within the same ms could fall behind: move one ms on.
    return sequence > previous ? sequence : sequenceNumber(sequenceTime(previous) + 1, this.counter, shardIndex);
  }

  read(stream: string, shard: string, after: string, limit: number): StoredRecord[] {
    return this.db
      .prepare(
        "SELECT seq, partition_key, data, ts FROM kinesis_records WHERE stream = ? AND shard = ? AND seq > ? AND ts > ? ORDER BY seq LIMIT ?",
      )
      .all(stream, shard, after, this.horizonMs(stream), limit)
      .map((row) => ({
        sequenceNumber: textOf(row, "seq"),
        partitionKey: textOf(row, "partition_key"),
        data: Buffer.from(row.data as Uint8Array),
        arrivalMs: numberOf(row, "ts"),
      }));
  }

  private horizonMs(stream: string): number {
    return this.now() - this.stream(stream).retentionHours * 3_600_000;
  }

  /** Deletes what is older than the retention. */
  trim(): void {
    for (const { name } of this.streams()) {
      this.db.prepare("DELETE FROM kinesis_records WHERE stream = ? AND ts <= ?").run(name, this.horizonMs(name));
    }
  }

  /** Doubles or halves the open shards, any number of times. Other targets would leave uneven ranges and are refused. */
  scale(stream: string, target: number): void {
    const current = this.openShards(stream).length;
    if (!Number.isInteger(Math.log2(target / current))) {
      throw new AwsError(
        "ValidationException",
        `TargetShardCount ${target}: the local runtime reshards ${stream} from ${current} only by doubling or halving. Delete the data folder to start with ${target} shards.`,
      );
    }
    while (this.openShards(stream).length < target) for (const shard of this.openShards(stream)) this.split(stream, shard);
    while (this.openShards(stream).length > target) {
      const ordered = [...this.openShards(stream)].sort((left, right) => (left.start < right.start ? -1 : 1));
      for (let index = 0; index < ordered.length; index += 2) this.merge(stream, ordered.slice(index, index + 2));
    }
  }

  private split(stream: string, shard: ShardRow): void {
    const middle = (shard.start + shard.end) / 2n;
    const halves = [
      { start: shard.start, end: middle },
      { start: middle + 1n, end: shard.end },
    ];
    this.reshard(stream, [shard], halves);
  }

  /** Neighbours, in the order of their ranges. */
  private merge(stream: string, shards: readonly ShardRow[]): void {
    const [low, high] = [shards[0], shards.at(-1)];
    if (low !== undefined && high !== undefined) this.reshard(stream, shards, [{ start: low.start, end: high.end }]);
  }

  private reshard(
    stream: string,
    parents: readonly ShardRow[],
    ranges: readonly { readonly start: bigint; readonly end: bigint }[],
  ): void {
    transaction(this.db, () => {
      for (const parent of parents) {
        this.db.prepare("UPDATE kinesis_shards SET closed = ? WHERE stream = ? AND id = ?").run(this.now(), stream, parent.id);
      }
      const next = Math.max(...this.shards(stream).map((shard) => shard.index)) + 1;
      // Children start after everything in their parents.
      const startMs = Math.max(this.now(), ...parents.map((parent) => sequenceTime(parent.lastSequence) + 1));
      ranges.forEach((range, offset) => {
        this.addShard(
          stream,
          next + offset,
          range,
          parents.map((parent) => parent.id),
          startMs,
        );
      });
    });
    this.shardCache.delete(stream);
  }

  private addShard(
    stream: string,
    index: number,
    range: { readonly start: bigint; readonly end: bigint },
    parents: readonly string[],
    ms: number,
  ): void {
    const [id, first] = [`shardId-${String(index).padStart(12, "0")}`, sequenceNumber(ms, 0, index)];
    this.db
      .prepare("INSERT INTO kinesis_shards VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)")
      .run(stream, id, index, String(range.start), String(range.end), first, parents[0] ?? null, parents[1] ?? null);
    this.shardCache.delete(stream);
  }
}

function shardOf(row: Row): ShardRow {
  return {
    id: textOf(row, "id"),
    index: numberOf(row, "idx"),
    start: BigInt(textOf(row, "start_hash")),
    end: BigInt(textOf(row, "end_hash")),
    lastSequence: textOf(row, "last_seq"),
    parent: optionalText(row, "parent"),
    adjacentParent: optionalText(row, "adjacent"),
    closedMs: optionalNumber(row, "closed"),
  };
}
