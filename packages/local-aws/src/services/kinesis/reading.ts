import { AwsError } from "../../contracts";
import type { Input } from "../messaging/input";
import type { Operation } from "../messaging/operations";
import { encryption, type ShardRow, type StoredRecord, type StreamRow } from "./rows";
import { sequencePattern } from "./sequence";
import { type Streams, streamFields } from "./streams";

/** What an iterator token holds. */
interface Position {
  readonly stream: string;
  readonly shard: string;
  readonly after?: string;
  readonly at?: string;
  readonly sinceMs?: number;
  readonly issuedMs: number;
}

const iteratorLifeMs = 300_000;
const responseLimitBytes = 10 * 1024 * 1024;

/** Actions that describe streams and read records. */
export function reading(streams: Streams, now: () => number): Record<string, Operation> {
  const { resource, store } = streams;
  const token = (position: Omit<Position, "issuedMs">) =>
    Buffer.from(JSON.stringify({ ...position, issuedMs: now() })).toString("base64");
  return {
    ListStreams: {
      fields: [],
      resource: () => "*",
      run: () => ({
        StreamNames: store.streams().map(({ name }) => name),
        HasMoreStreams: false,
        StreamSummaries: store.streams().map(summary),
      }),
    },
    DescribeStreamSummary: {
      fields: streamFields,
      resource,
      run: (input) => {
        const stream = streams.of(input);
        return {
          StreamDescriptionSummary: {
            ...summary(stream),
            RetentionPeriodHours: stream.retentionHours,
            EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
            EncryptionType: encryption(stream),
            KeyId: stream.keyId,
            OpenShardCount: store.openShards(stream.name).length,
            ConsumerCount: 0,
            MaxRecordSizeInKiB: stream.maxRecordKib,
          },
        };
      },
    },
    ListShards: {
      fields: streamFields,
      resource,
      run: (input) => ({ Shards: store.shards(streams.of(input).name).map(describeShard) }),
    },
    GetShardIterator: {
      fields: [...streamFields, "ShardId", "ShardIteratorType", "StartingSequenceNumber", "Timestamp"],
      resource,
      run: (input) => {
        const stream = streams.of(input);
        const shard = store.shard(stream.name, input.needText("ShardId"));
        return { ShardIterator: token({ stream: stream.name, shard: shard.id, ...startOf(input, shard) }) };
      },
    },
    GetRecords: {
      fields: ["ShardIterator", "Limit", "StreamARN"],
      resource: (input) => streams.arnOf(position(input).stream),
      run: (input) => getRecords(streams, input, now(), token),
    },
  };
}

function getRecords(
  { store }: Streams,
  input: Input,
  now: number,
  token: (position: Omit<Position, "issuedMs">) => string,
): object {
  const from = position(input);
  if (now - from.issuedMs > iteratorLifeMs) {
    throw new AwsError("ExpiredIteratorException", "ShardIterator is older than 5 minutes; get a new one with GetShardIterator.");
  }
  const shard = store.shard(from.stream, from.shard);
  const found = store.read(from.stream, from.shard, from, input.integer("Limit", 1, 10_000) ?? 10_000);
  const records = withinBytes(found);
  const last = records.at(-1);
  // Without a record the position stays where it was.
  const { issuedMs: _issued, ...same } = from;
  const following = last === undefined ? same : { stream: from.stream, shard: from.shard, after: last.sequenceNumber };
  const oldestLeft = store.read(from.stream, from.shard, following, 1)[0];
  const ended = shard.closedMs !== undefined && oldestLeft === undefined;
  const children = store.shards(from.stream).filter((child) => parents(child).includes(shard.id));
  const encryptionType = encryption(store.stream(from.stream));
  return {
    Records: records.map((record) => ({
      SequenceNumber: record.sequenceNumber,
      ApproximateArrivalTimestamp: new Date(record.arrivalMs),
      Data: record.data,
      PartitionKey: record.partitionKey,
      EncryptionType: encryptionType,
    })),
    NextShardIterator: ended ? undefined : token(following),
    MillisBehindLatest: oldestLeft === undefined ? 0 : Math.max(0, now - oldestLeft.arrivalMs),
    ChildShards: ended
      ? children.map((child) => ({ ShardId: child.id, ParentShards: parents(child), HashKeyRange: range(child) }))
      : undefined,
  };
}

function withinBytes(records: readonly StoredRecord[]): readonly StoredRecord[] {
  let bytes = 0;
  const end = records.findIndex((record, index) => {
    bytes += record.data.length;
    return index > 0 && bytes > responseLimitBytes;
  });
  return end === -1 ? records : records.slice(0, end);
}

function startOf(input: Input, shard: ShardRow): Pick<Position, "after" | "at" | "sinceMs"> {
  const type = input.needText("ShardIteratorType");
  switch (type) {
    case "TRIM_HORIZON":
      return { after: "" };
    case "LATEST":
      return { after: shard.lastSequence };
    case "AT_SEQUENCE_NUMBER":
    case "AFTER_SEQUENCE_NUMBER": {
      const sequence = input.text("StartingSequenceNumber") ?? "";
      if (!sequencePattern.test(sequence)) {
        throw new AwsError(
          "InvalidArgumentException",
          `StartingSequenceNumber ${sequence} is not a sequence number of this stream.`,
        );
      }
      return type === "AT_SEQUENCE_NUMBER" ? { at: sequence } : { after: sequence };
    }
    case "AT_TIMESTAMP": {
      const time = input.time("Timestamp");
      if (time === undefined)
        throw new AwsError("InvalidArgumentException", "Timestamp is required for ShardIteratorType AT_TIMESTAMP.");
      return { sinceMs: time };
    }
    default:
      throw input.error(
        `ShardIteratorType ${type} must be one of TRIM_HORIZON, LATEST, AT_SEQUENCE_NUMBER, AFTER_SEQUENCE_NUMBER, AT_TIMESTAMP`,
      );
  }
}

function position(input: Input): Position {
  const token = input.needText("ShardIterator");
  try {
    const value: unknown = JSON.parse(Buffer.from(token, "base64").toString("utf8"));
    if (typeof value === "object" && value !== null && "stream" in value && "shard" in value && "issuedMs" in value)
      return value as Position;
  } catch {
    // Not JSON: reported below.
  }
  throw new AwsError("InvalidArgumentException", "ShardIterator is not one that GetShardIterator returned.");
}

function summary({ name, arn, mode, createdMs }: StreamRow): object {
  return {
    StreamName: name,
    StreamARN: arn,
    StreamStatus: "ACTIVE",
    StreamModeDetails: { StreamMode: mode },
    StreamCreationTimestamp: new Date(createdMs),
  };
}

function range(shard: ShardRow): object {
  return { StartingHashKey: String(shard.start), EndingHashKey: String(shard.end) };
}

function parents(shard: ShardRow): string[] {
  return [shard.parent, shard.adjacentParent].filter((parent) => parent !== undefined);
}

function describeShard(shard: ShardRow): object {
  return {
    ShardId: shard.id,
    ParentShardId: shard.parent,
    AdjacentParentShardId: shard.adjacentParent,
    HashKeyRange: range(shard),
    SequenceNumberRange: {
      StartingSequenceNumber: shard.firstSequence,
      EndingSequenceNumber: shard.closedMs === undefined ? undefined : shard.lastSequence,
    },
  };
}
