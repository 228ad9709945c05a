/** A stream of shards that split and merge. Sequence numbers grow over all shards, so that those of one key grow along its shards. */
import { createHash } from "node:crypto";
import type { PutRecordsCommandInput } from "@aws-sdk/client-kinesis";

export interface StreamRecord {
  readonly shardId: string;
  readonly sequence: string;
  readonly partitionKey: string;
  readonly data: Buffer;
  readonly arrivedAtMs: number;
}

export interface Shard {
  readonly id: string;
  readonly parents: readonly Shard[];
  /** Part of the keys' hashes that it takes: from `low` up to, not including, `high`. */
  readonly low: number;
  readonly high: number;
  readonly records: StreamRecord[];
  isOpen: boolean;
}

/** Real ones are 56 digits long; starting before a power of ten makes their length change. */
const FIRST_SEQUENCE = 10n ** 56n - 20n;

export class Stream {
  readonly shards: Shard[] = [];
  #sequence = FIRST_SEQUENCE;

  constructor(
    count: number,
    private readonly now: () => number,
    /** Called when a shard got a record or was closed. */
    private readonly onChange: (shard: Shard) => void,
  ) {
    for (let index = 0; index < count; index++) this.#open(index / count, (index + 1) / count, []);
  }

  put(partitionKey: string, data: Buffer): StreamRecord {
    const place = createHash("md5").update(partitionKey).digest().readUInt32BE(0) / 4_294_967_296;
    const shard = this.shards.find(({ isOpen, low, high }) => isOpen && low <= place && place < high);
    if (shard === undefined) throw new Error("No open shard takes the key: the hash ranges have a hole.");
    const record = { shardId: shard.id, sequence: String(this.#sequence++), partitionKey, data, arrivedAtMs: this.now() };
    shard.records.push(record);
    this.onChange(shard);
    return record;
  }

  handle(action: string, input: object): object {
    if (action !== "PutRecords")
      throw new Error(`The simulated Kinesis doesn't know ${action}; add it to simulation/services/kinesis.ts.`);
    const { Records: records = [] } = input as PutRecordsCommandInput;
    const put = records.map(({ PartitionKey = "", Data = new Uint8Array() }) => this.put(PartitionKey, Buffer.from(Data)));
    return {
      FailedRecordCount: 0,
      Records: put.map(({ shardId, sequence }) => ({ ShardId: shardId, SequenceNumber: sequence })),
    };
  }

  split(index: number): void {
    const open = this.shards.filter(({ isOpen }) => isOpen);
    const shard = open[index % open.length]!;
    const middle = (shard.low + shard.high) / 2;
    shard.isOpen = false;
    this.#open(shard.low, middle, [shard]);
    this.#open(middle, shard.high, [shard]);
  }

  /** Merges two neighbours, if there are any. */
  merge(): void {
    const open = this.shards.filter(({ isOpen }) => isOpen).sort((a, b) => a.low - b.low);
    const [left, right] = open;
    if (left === undefined || right === undefined) return;
    left.isOpen = false;
    right.isOpen = false;
    this.#open(left.low, right.high, [left, right]);
  }

  #open(low: number, high: number, parents: readonly Shard[]): void {
    const id = `shardId-${String(this.shards.length).padStart(12, "0")}`;
    const shard: Shard = { id, parents, low, high, records: [], isOpen: true };
    this.shards.push(shard);
    for (const parent of parents) this.onChange(parent);
  }
}
