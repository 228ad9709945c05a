/** Kinesis Data Streams on SQLite. */
import { AwsError, type AwsService, type LocalContext, type Part, type Permission } from "../../contracts";
import type { Input } from "../messaging/input";
import { type Operation, page, serviceOf } from "../messaging/operations";
import { ticker } from "../messaging/ticker";
import type { ServiceGate } from "../service-gate";
import { reading } from "./reading";
import { highestHash, sequencePattern } from "./sequence";
import { encryption, KinesisStore, type ShardRow, type StreamRow } from "./store";
import { ShardThroughput } from "./throughput";

export { kinesisBodies } from "./bodies";

export interface ShardRecord {
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  readonly data: Buffer;
  /** Seconds since the epoch with ms fraction, as in a Lambda event. */
  readonly approximateArrivalTimestamp: number;
}

export interface KinesisOptions {
  /**
   * Enforce 1 MB/s and 1,000 records/s per shard. Off by default: a laptop session replays hours of traffic in seconds, and
   * callers' retries on throttling are tested by fault injection instead.
   */
  readonly enforceThroughput?: boolean;
}

const requestLimitBytes = 10 * 1024 * 1024;
const streamFields = ["StreamName", "StreamARN"];
const retentionRange = [24, 8760] as const;

/** The service, plus the in-process calls that an event source mapping reads shards with. */
export class KinesisService implements AwsService {
  readonly name = "kinesis";
  readonly store: KinesisStore;
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];
  private readonly listeners = new Map<string, Set<() => void>>();
  private readonly throughput: ShardThroughput | undefined;

  constructor(
    readonly context: LocalContext,
    private readonly gate: ServiceGate,
    options: KinesisOptions = {},
  ) {
    this.store = new KinesisStore(context.db, () => context.clock.now());
    this.throughput = options.enforceThroughput === true ? new ShardThroughput(() => context.clock.now()) : undefined;
    const service = serviceOf({
      name: this.name,
      iamPrefix: "kinesis",
      validationCode: "ValidationException",
      jsonVersion: "1.1",
      operations: { ...this.management(), ...this.writing(), ...reading(this) },
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

  /**
   * Reads one shard after a sequence number (`TRIM_HORIZON`: from the oldest record kept, `LATEST`: nothing that is there now).
   * `closed` says that the shard was resharded and nothing will follow.
   */
  readShard(
    stream: string,
    shardId: string,
    after: string,
    limit: number,
  ): { readonly records: readonly ShardRecord[]; readonly millisBehindLatest: number; readonly closed: boolean } {
    const name = this.nameOf(stream);
    const shard = this.store.shard(name, shardId);
    const from = after === "TRIM_HORIZON" ? "" : after === "LATEST" ? shard.lastSequence : after;
    const records = this.store.read(name, shardId, { after: from }, limit);
    const oldestLeft = this.store.oldestAfter(name, shardId, records.at(-1)?.sequenceNumber ?? from);
    return {
      records: records.map((record) => ({
        sequenceNumber: record.sequenceNumber,
        partitionKey: record.partitionKey,
        data: record.data,
        approximateArrivalTimestamp: record.arrivalMs / 1000,
      })),
      millisBehindLatest: oldestLeft === undefined ? 0 : Math.max(0, this.context.clock.now() - oldestLeft),
      closed: shard.closedMs !== undefined && oldestLeft === undefined,
    };
  }

  /** Shards in the order of their creation; a child must be read after its parents. */
  shardsOf(stream: string): readonly ShardRow[] {
    const name = this.nameOf(stream);
    this.store.stream(name);
    return this.store.shards(name);
  }

  /** Calls `listener` after every append to the stream; returns the way to stop. */
  onRecords(stream: string, listener: () => void): () => void {
    const name = this.nameOf(stream);
    const set = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, set.add(listener));
    return () => set.delete(listener);
  }

  /** Appends one record from inside the runtime (an EventBridge target). */
  deliver(streamArn: string, payload: string, partitionKey: string): void {
    const name = this.nameOf(streamArn);
    this.store.stream(name);
    this.append(name, [{ partitionKey, shard: this.store.shardFor(name, partitionKey, undefined), data: Buffer.from(payload) }]);
  }

  streamFrom(input: Input): StreamRow {
    return this.store.stream(this.streamName(input));
  }

  streamName(input: Input): string {
    const arn = input.text("StreamARN");
    const name = input.text("StreamName");
    if (arn === undefined && name === undefined) throw input.error("either StreamName or StreamARN is required");
    const fromArn = arn === undefined ? undefined : this.nameOf(arn);
    if (arn !== undefined && arn !== this.arnOf(fromArn ?? ""))
      throw new AwsError("ResourceNotFoundException", `Stream ${arn} not found: expected ${this.arnOf("NAME")}.`);
    if (fromArn !== undefined && name !== undefined && fromArn !== name)
      throw input.error(`StreamARN ${arn} and StreamName ${name} name different streams`);
    return fromArn ?? name ?? "";
  }

  readonly resource = (input: Input): string => this.arnOf(this.streamName(input));

  private append(
    stream: string,
    records: Parameters<KinesisStore["append"]>[1],
    after?: string,
  ): ReturnType<KinesisStore["append"]> {
    const placed = this.store.append(stream, records, after);
    for (const listener of this.listeners.get(stream) ?? []) listener();
    return placed;
  }

  private writing(): Record<string, Operation> {
    return {
      PutRecord: {
        fields: [...streamFields, "Data", "PartitionKey", "ExplicitHashKey", "SequenceNumberForOrdering"],
        resource: this.resource,
        run: (input) => {
          const stream = this.streamFrom(input);
          const record = this.entry(input, stream);
          const after = input.text("SequenceNumberForOrdering");
          if (after !== undefined && !sequencePattern.test(after)) {
            throw new AwsError(
              "InvalidArgumentException",
              `SequenceNumberForOrdering ${after} is not a sequence number of this stream.`,
            );
          }
          const refusal = this.throughput?.refuses(`${stream.name}/${record.shard.id}`, record.size);
          if (refusal !== undefined) throw new AwsError("ProvisionedThroughputExceededException", refusal);
          const [placed] = this.append(stream.name, [record], after);
          return { ShardId: placed?.shardId, SequenceNumber: placed?.sequenceNumber, EncryptionType: encryption(stream) };
        },
      },
      PutRecords: {
        fields: [...streamFields, "Records"],
        resource: this.resource,
        run: (input) => this.putRecords(input),
      },
    };
  }

  private putRecords(input: Input): object {
    const stream = this.streamFrom(input);
    const entries = input.needChildren("Records", ["Data", "PartitionKey", "ExplicitHashKey"]);
    if (entries.length < 1 || entries.length > 500)
      throw input.error(`Records must hold 1 to 500 records, got ${entries.length}`);
    const records = entries.map((entry) => this.entry(entry, stream));
    const total = records.reduce((sum, record) => sum + record.size, 0);
    if (total > requestLimitBytes)
      throw new AwsError("InvalidArgumentException", `Records holds ${total} bytes, more than the 10 MiB of one request.`);
    const refusals = records.map((record) => this.throughput?.refuses(`${stream.name}/${record.shard.id}`, record.size));
    const placed = this.append(
      stream.name,
      records.filter((_, index) => refusals[index] === undefined),
    ).values();
    const results = refusals.map((refusal) => {
      if (refusal !== undefined) return { ErrorCode: "ProvisionedThroughputExceededException", ErrorMessage: refusal };
      const one = placed.next().value;
      return { SequenceNumber: one?.sequenceNumber, ShardId: one?.shardId };
    });
    return {
      FailedRecordCount: refusals.filter((refusal) => refusal !== undefined).length,
      Records: results,
      EncryptionType: encryption(stream),
    };
  }

  private entry(input: Input, stream: StreamRow): { partitionKey: string; shard: ShardRow; data: Buffer; size: number } {
    const partitionKey = input.needText("PartitionKey");
    const data = input.blob("Data");
    if (data === undefined) throw input.error("Data is required");
    if (partitionKey.length < 1 || [...partitionKey].length > 256)
      throw input.error("PartitionKey must have 1 to 256 characters");
    const size = data.length + Buffer.byteLength(partitionKey);
    if (size > stream.maxRecordKib * 1024) {
      throw input.error(
        `Data and PartitionKey have ${size} bytes, more than the stream's MaxRecordSizeInKiB ${stream.maxRecordKib}`,
      );
    }
    const hashText = input.text("ExplicitHashKey");
    if (hashText !== undefined && !(/^(0|[1-9]\d{0,38})$/.test(hashText) && BigInt(hashText) <= highestHash)) {
      throw new AwsError("InvalidArgumentException", `ExplicitHashKey ${hashText} must be a decimal from 0 to 2^128-1.`);
    }
    return {
      partitionKey,
      shard: this.store.shardFor(stream.name, partitionKey, hashText === undefined ? undefined : BigInt(hashText)),
      data,
      size,
    };
  }

  private management(): Record<string, Operation> {
    const { resource, store } = this;
    const simple = (fields: readonly string[], run: (stream: StreamRow, input: Input) => object | undefined): Operation => ({
      fields: [...streamFields, ...fields],
      resource,
      run: (input) => run(this.streamFrom(input), input),
    });
    return {
      CreateStream: {
        fields: ["StreamName", "ShardCount", "StreamModeDetails", "Tags", "MaxRecordSizeInKiB"],
        resource,
        run: (input) => {
          const name = input.needText("StreamName");
          if (!/^[a-zA-Z0-9_.-]{1,128}$/.test(name))
            throw input.error(`StreamName ${name} must be 1 to 128 of a-z A-Z 0-9 _ . -`);
          if (store.findStream(name) !== undefined)
            throw new AwsError("ResourceInUseException", `Stream ${name} already exists.`);
          const mode =
            input.child("StreamModeDetails", ["StreamMode"])?.text("StreamMode") === "ON_DEMAND" ? "ON_DEMAND" : "PROVISIONED";
          const maxRecordKib = input.integer("MaxRecordSizeInKiB", 1024, 10240) ?? 1024;
          const shards = mode === "ON_DEMAND" ? 4 : input.needInteger("ShardCount", 1, 500);
          store.create(
            {
              name,
              arn: this.arnOf(name),
              retentionHours: 24,
              mode,
              keyId: undefined,
              maxRecordKib,
              tags: input.textMap("Tags") ?? {},
            },
            shards,
          );
          return undefined;
        },
      },
      DeleteStream: simple(["EnforceConsumerDeletion"], (stream) => {
        store.delete(stream.name);
        return undefined;
      }),
      ListStreams: {
        fields: ["Limit", "ExclusiveStartStreamName", "NextToken"],
        resource: () => "*",
        run: (input) => {
          const after = input.text("NextToken") ?? input.text("ExclusiveStartStreamName") ?? "";
          const all = store.streams().filter((stream) => stream.name > after);
          const shown = all.slice(0, input.integer("Limit", 1, 10_000) ?? 100);
          const more = shown.length < all.length;
          return {
            StreamNames: shown.map((stream) => stream.name),
            HasMoreStreams: more,
            NextToken: more ? shown.at(-1)?.name : undefined,
            StreamSummaries: shown.map((stream) => ({
              StreamName: stream.name,
              StreamARN: stream.arn,
              StreamStatus: "ACTIVE",
              StreamModeDetails: { StreamMode: stream.mode },
              StreamCreationTimestamp: new Date(stream.createdMs),
            })),
          };
        },
      },
      IncreaseStreamRetentionPeriod: simple(["RetentionPeriodHours"], (stream, input) => this.retain(stream, input, 1)),
      DecreaseStreamRetentionPeriod: simple(["RetentionPeriodHours"], (stream, input) => this.retain(stream, input, -1)),
      AddTagsToStream: simple(["Tags"], (stream, input) => {
        store.change(stream.name, { tags: { ...stream.tags, ...input.textMap("Tags") } });
        return undefined;
      }),
      RemoveTagsFromStream: simple(["TagKeys"], (stream, input) => {
        const removed = input.texts("TagKeys") ?? [];
        store.change(stream.name, {
          tags: Object.fromEntries(Object.entries(stream.tags).filter(([key]) => !removed.includes(key))),
        });
        return undefined;
      }),
      ListTagsForStream: simple(["ExclusiveStartTagKey", "Limit"], (stream, input) => {
        const from = input.text("ExclusiveStartTagKey") ?? "";
        const tags = Object.entries(stream.tags)
          .sort()
          .filter(([key]) => key > from);
        const shown = page(tags, undefined, input.integer("Limit", 1, 50) ?? 50);
        return { Tags: shown.items.map(([Key, Value]) => ({ Key, Value })), HasMoreTags: shown.nextToken !== undefined };
      }),
      StartStreamEncryption: simple(["EncryptionType", "KeyId"], (stream, input) => {
        if (input.needText("EncryptionType") !== "KMS") throw input.error("EncryptionType must be KMS");
        store.change(stream.name, { keyId: input.needText("KeyId") });
        return undefined;
      }),
      StopStreamEncryption: simple(["EncryptionType", "KeyId"], (stream) => {
        store.change(stream.name, { keyId: undefined });
        return undefined;
      }),
      SplitShard: simple(["ShardToSplit", "NewStartingHashKey"], (stream, input) => {
        const key = input.needText("NewStartingHashKey");
        if (!/^\d{1,39}$/.test(key)) throw input.error("NewStartingHashKey must be a decimal");
        store.split(stream.name, input.needText("ShardToSplit"), BigInt(key));
        return undefined;
      }),
      MergeShards: simple(["ShardToMerge", "AdjacentShardToMerge"], (stream, input) => {
        store.merge(stream.name, input.needText("ShardToMerge"), input.needText("AdjacentShardToMerge"));
        return undefined;
      }),
      UpdateShardCount: simple(["TargetShardCount", "ScalingType"], (stream, input) => {
        const current = store.openShards(stream.name).length;
        this.scale(stream.name, input.needInteger("TargetShardCount", 1, 10_000));
        return {
          StreamName: stream.name,
          StreamARN: stream.arn,
          CurrentShardCount: current,
          TargetShardCount: store.openShards(stream.name).length,
        };
      }),
    };
  }

  /** Doubles or halves the open shards, any number of times. Other targets would leave uneven ranges and are refused. */
  scale(stream: string, target: number): void {
    const current = this.store.openShards(stream).length;
    if (!Number.isInteger(Math.log2(target / current))) {
      throw new AwsError(
        "ValidationException",
        `TargetShardCount ${target}: the local runtime reshards ${stream} from ${current} only by doubling or halving. Delete the data folder to start with ${target} shards.`,
      );
    }
    while (this.store.openShards(stream).length < target) {
      for (const shard of this.store.openShards(stream)) this.store.split(stream, shard.id, (shard.start + shard.end) / 2n + 1n);
    }
    while (this.store.openShards(stream).length > target) {
      const ordered = [...this.store.openShards(stream)].sort((left, right) => (left.start < right.start ? -1 : 1));
      for (let index = 0; index + 1 < ordered.length; index += 2)
        this.store.merge(stream, ordered[index]?.id ?? "", ordered[index + 1]?.id ?? "");
    }
  }

  private retain(stream: StreamRow, input: Input, direction: 1 | -1): undefined {
    const hours = input.needInteger("RetentionPeriodHours", ...retentionRange);
    if (Math.sign(hours - stream.retentionHours) === -direction) {
      throw new AwsError(
        "InvalidArgumentException",
        `RetentionPeriodHours ${hours} must not be ${direction > 0 ? "less" : "more"} than the present ${stream.retentionHours}.`,
      );
    }
    this.store.change(stream.name, { retentionHours: hours });
    return undefined;
  }
}
