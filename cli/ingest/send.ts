/** Sends records to a Kinesis stream in full batches, and retries only those that the stream refused. */
import type { KinesisClient, PutRecordsRequestEntry } from "@aws-sdk/client-kinesis";
import { PutRecordsCommand } from "@aws-sdk/client-kinesis";

/** https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html */
const maxRecords = 500;
const maxBytes = 4_500_000;
const maxAttempts = 8;

export interface Outgoing {
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

export interface Refused<T> {
  readonly item: T;
  readonly reason: string;
}

/** Collects records into requests; `flush` sends the remaining ones. */
export class StreamSender<T extends Outgoing> {
  private pending: T[] = [];
  private pendingBytes = 0;
  sent = 0;
  readonly refused: Refused<T>[] = [];

  constructor(
    private readonly client: KinesisClient,
    private readonly streamName: string,
    private readonly pause: (milliseconds: number) => Promise<void>,
    /** Called for each record that the stream took, with its position (`shardId-…:sequence`). */
    private readonly taken: (item: T, position: string) => void = () => {},
  ) {}

  async add(item: T): Promise<void> {
    const bytes = item.data.byteLength + Buffer.byteLength(item.partitionKey);
    if (this.pending.length === maxRecords || this.pendingBytes + bytes > maxBytes) await this.flush();
    this.pending.push(item);
    this.pendingBytes += bytes;
  }

  async flush(): Promise<void> {
    let batch = this.pending;
    this.pending = [];
    this.pendingBytes = 0;
    for (let attempt = 1; batch.length > 0; attempt += 1) {
      const failed = await this.put(batch);
      this.sent += batch.length - failed.length;
      if (attempt === maxAttempts) {
        this.refused.push(...failed);
        return;
      }
      batch = failed.map(({ item }) => item);
      if (batch.length > 0) await this.pause(Math.min(5_000, 100 * 2 ** attempt));
    }
  }

  private async put(batch: readonly T[]): Promise<Refused<T>[]> {
    const records: PutRecordsRequestEntry[] = batch.map(({ partitionKey, data }) => ({ PartitionKey: partitionKey, Data: data }));
    const answer = await this.client.send(new PutRecordsCommand({ StreamName: this.streamName, Records: records }));
    return (answer.Records ?? []).flatMap((result, i) => {
      const item = batch[i];
      if (item === undefined) return [];
      if (result.ErrorCode === undefined) {
        this.taken(item, `${result.ShardId}:${result.SequenceNumber}`);
        return [];
      }
      return [{ item, reason: `${result.ErrorCode}: ${result.ErrorMessage ?? ""}` }];
    });
  }
}
