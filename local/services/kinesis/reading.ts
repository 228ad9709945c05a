import { AwsError } from "../../contracts";
import type { Input } from "../messaging/input";
import type { Operation } from "../messaging/operations";
import type { KinesisService } from "./index";
import { sequencePattern } from "./sequence";
import { encryption, type ShardRow, type StoredRecord } from "./store";

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
export function reading(kinesis: KinesisService): Record<string, Operation> {
  const { resource } = kinesis;
  const fields = ["StreamName", "StreamARN"];
  const now = () => kinesis.context.clock.now();
  const token = (position: Omit<Position, "issuedMs">) =>
    Buffer.from(JSON.stringify({ ...position, issuedMs: now() })).toString("base64");
  return {
    DescribeStream: {
      fields: [...fields, "Limit", "ExclusiveStartShardId"],
      resource,
      run: (input) => {
        const stream = kinesis.streamFrom(input);
        const start = input.text("ExclusiveStartShardId") ?? "";
        const shards = kinesis.store.shards(stream.name).filter((shard) => shard.id > start);
        const shown = shards.slice(0, input.integer("Limit", 1, 10_000) ?? 100);
        return {
          StreamDescription: {
            ...summary(kinesis, input),
            Shards: shown.map(describeShard),
            HasMoreShards: shown.length < shards.length,
          },
        };
      },
    },
    DescribeStreamSummary: {
      fields,
      resource,
      run: (input) => {
        const stream = kinesis.streamFrom(input);
        const open = kinesis.store.openShards(stream.name).length;
        const description = {
          ...summary(kinesis, input),
          OpenShardCount: open,
          ConsumerCount: 0,
          MaxRecordSizeInKiB: stream.maxRecordKib,
        };
        return { StreamDescriptionSummary: description };
      },
    },
    ListShards: {
      fields: [...fields, "NextToken", "MaxResults", "ExclusiveStartShardId", "ShardFilter"],
      // A NextToken stands alone: it carries the stream.
      resource: (input) => kinesis.arnOf(input.has("NextToken") ? nextShards(input).stream : kinesis.streamName(input)),
      run: (input) => {
        const next = input.has("NextToken") ? nextShards(input) : undefined;
        const stream = next === undefined ? kinesis.streamFrom(input) : kinesis.store.stream(next.stream);
        const start = next?.shard ?? input.text("ExclusiveStartShardId") ?? "";
        const shards = filtered(kinesis.store.shards(stream.name), input).filter((shard) => shard.id > start);
        const shown = shards.slice(0, input.integer("MaxResults", 1, 10_000) ?? 1000);
        const last = shown.at(-1);
        const more = last !== undefined && shown.length < shards.length;
        return { Shards: shown.map(describeShard), NextToken: more ? token({ stream: stream.name, shard: last.id }) : undefined };
      },
    },
    GetShardIterator: {
      fields: [...fields, "ShardId", "ShardIteratorType", "StartingSequenceNumber", "Timestamp"],
      resource,
      run: (input) => {
        const stream = kinesis.streamFrom(input);
        const shard = kinesis.store.shard(stream.name, input.needText("ShardId"));
        return { ShardIterator: token({ stream: stream.name, shard: shard.id, ...startOf(input, shard) }) };
      },
    },
    GetRecords: {
      fields: ["ShardIterator", "Limit", "StreamARN"],
      resource: (input) => kinesis.arnOf(position(input).stream),
      run: (input) => getRecords(kinesis, input, token),
    },
  };
}

function getRecords(kinesis: KinesisService, input: Input, token: (position: Omit<Position, "issuedMs">) => string): object {
  const from = position(input);
  const now = kinesis.context.clock.now();
  if (now - from.issuedMs > iteratorLifeMs) {
    throw new AwsError("ExpiredIteratorException", "ShardIterator is older than 5 minutes; get a new one with GetShardIterator.");
  }
  const shard = kinesis.store.shard(from.stream, from.shard);
  const found = kinesis.store.read(from.stream, from.shard, from, input.integer("Limit", 1, 10_000) ?? 10_000);
  const records = withinBytes(found);
  const last = records.at(-1);
  // Without a record the position stays where it was.
  const { issuedMs: _issued, ...same } = from;
  const following = last === undefined ? same : { stream: from.stream, shard: from.shard, after: last.sequenceNumber };
  const oldestLeft = kinesis.store.read(from.stream, from.shard, following, 1)[0];
  const ended = shard.closedMs !== undefined && oldestLeft === undefined;
  const children = kinesis.store
    .shards(from.stream)
    .filter((child) => child.parent === shard.id || child.adjacentParent === shard.id);
  const encryptionType = encryption(kinesis.store.stream(from.stream));
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
  const decoded = decodeToken(input.needText("ShardIterator"));
  if (decoded === undefined)
    throw new AwsError("InvalidArgumentException", "ShardIterator is not one that GetShardIterator returned.");
  return decoded;
}

function nextShards(input: Input): Position {
  const decoded = decodeToken(input.needText("NextToken"));
  if (decoded === undefined) throw new AwsError("InvalidArgumentException", "NextToken is not one that ListShards returned.");
  return decoded;
}

function decodeToken(token: string): Position | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, "base64").toString("utf8"));
    if (typeof value !== "object" || value === null || !("stream" in value && "shard" in value && "issuedMs" in value))
      return undefined;
    return value as Position;
  } catch {
    // Any text may arrive here; what is not ours is reported by the caller under its field's name.
    return undefined;
  }
}

function filtered(shards: readonly ShardRow[], input: Input): readonly ShardRow[] {
  const type = input.child("ShardFilter", ["Type"])?.needText("Type");
  if (type === undefined || type === "FROM_TRIM_HORIZON" || type === "AT_TRIM_HORIZON") return shards;
  if (type === "AT_LATEST") return shards.filter((shard) => shard.closedMs === undefined);
  throw input.error(`ShardFilter.Type ${type} is not supported locally; use AT_LATEST, FROM_TRIM_HORIZON or AT_TRIM_HORIZON`);
}

function summary(kinesis: KinesisService, input: Input): object {
  const stream = kinesis.streamFrom(input);
  return {
    StreamName: stream.name,
    StreamARN: stream.arn,
    StreamStatus: "ACTIVE",
    StreamModeDetails: { StreamMode: stream.mode },
    RetentionPeriodHours: stream.retentionHours,
    StreamCreationTimestamp: new Date(stream.createdMs),
    EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
    EncryptionType: encryption(stream),
    KeyId: stream.keyId,
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
