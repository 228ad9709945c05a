/** Kinesis Data Streams on SQLite. */
import type { AwsService, LocalContext, Part, Permission } from "../../contracts";
import { serviceOf } from "../messaging/operations";
import { ticker } from "../messaging/ticker";
import type { ServiceGate } from "../service-gate";
import { kinesisOperations } from "./operations";
import { KinesisStore, type NewRecord, type ShardRow, type StoredRecord } from "./store";

/** The service, plus the in-process calls that an event source mapping reads shards with. */
export class KinesisService implements AwsService {
  readonly name = "kinesis";
  readonly store: KinesisStore;
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];
  private readonly listeners = new Map<string, Set<() => void>>();

  constructor(
    private readonly context: LocalContext,
    private readonly gate: Pick<ServiceGate, "callerPermissions">,
  ) {
    this.store = new KinesisStore(context.db, () => context.clock.now());
    const service = serviceOf({
      name: this.name,
      iamPrefix: "kinesis",
      validationCode: "ValidationException",
      jsonVersion: "1.1",
      operations: kinesisOperations(this),
      keyUse: (action, streamArn) => this.keyUse(action, streamArn),
    });
    this.permissions = service.permissions;
    this.handle = service.handle;
  }

  /** Deletes records older than their retention once a minute. */
  part(): Part {
    return ticker("Kinesis retention", 60_000, () => this.store.trim(), this.context.log);
  }

  /** What the caller of an IAM action (`PutRecords`) needs of the stream's key. */
  keyUse(action: string, streamArn: string): readonly Permission[] {
    return this.gate.callerPermissions(`kinesis:${action}`, streamArn, this.store.findStream(this.nameOf(streamArn))?.keyId);
  }

  arnOf(name: string): string {
    return `arn:aws:kinesis:${this.context.region}:${this.context.accountId}:stream/${name}`;
  }

  /** Stream name from a name or an ARN. */
  nameOf(stream: string): string {
    return stream.startsWith("arn:") ? stream.slice(stream.indexOf("/") + 1) : stream;
  }

  /** Reads one shard after a sequence number. `closed`: the shard was resharded, and no records will follow. */
  readShard(
    stream: string,
    shardId: string,
    after: string,
    limit: number,
  ): { readonly records: readonly StoredRecord[]; readonly closed: boolean } {
    const name = this.nameOf(stream);
    const shard = this.store.shard(name, shardId);
    const records = this.store.read(name, shardId, after, limit);
    const read = records.at(-1)?.sequenceNumber ?? after;
    return { records, closed: shard.closedMs !== undefined && this.store.read(name, shardId, read, 1).length === 0 };
  }

  /** Shards in the order of their creation; a child must be read after its parents. */
  shardsOf(stream: string): readonly ShardRow[] {
    const name = this.nameOf(stream);
    this.store.stream(name);
    return this.store.shards(name);
  }

  /** Calls `listener` after every append to the stream; returns a function that stops it. */
  onRecords(stream: string, listener: () => void): () => void {
    const name = this.nameOf(stream);
    const set = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, set.add(listener));
    return () => set.delete(listener);
  }

  append(stream: string, records: readonly NewRecord[]): ReturnType<KinesisStore["append"]> {
    const placed = this.store.append(stream, records);
    for (const listener of this.listeners.get(stream) ?? []) listener();
    return placed;
  }
}
