/** Records of a stream as the event a function receives, and the record of a batch that was given up. */
import { randomUUID } from "node:crypto";
import type { InvokeResult } from "./function-config";
import type { MappingConfig } from "./mapping";
import type { StreamRecord } from "./ports";

export interface ShardOf {
  readonly shardId: string;
  readonly region: string;
  readonly roleArn: string;
  readonly sourceArn: string;
}

export const eventRecord = (record: StreamRecord, shard: ShardOf) => ({
  kinesis: {
    kinesisSchemaVersion: "1.0",
    partitionKey: record.partitionKey,
    sequenceNumber: record.sequenceNumber,
    data: record.data.toString("base64"),
    approximateArrivalTimestamp: record.arrivedAt / 1000,
  },
  eventSource: "aws:kinesis",
  eventVersion: "1.0",
  eventID: `${shard.shardId}:${record.sequenceNumber}`,
  eventName: "aws:kinesis:record",
  invokeIdentityArn: shard.roleArn,
  awsRegion: shard.region,
  eventSourceARN: shard.sourceArn,
});

export type GiveUpCondition = "RetryAttemptsExhausted" | "RecordAgeExceeded";

/**
 * The invocation record of a batch that was given up, with the whole event as text in `payload`, under the key that Lambda uses.
 * Source: "Retain discarded batches", AWS Lambda developer guide.
 */
export function failureRecord(args: {
  readonly mapping: MappingConfig;
  readonly shard: ShardOf;
  readonly records: readonly StreamRecord[];
  readonly condition: GiveUpCondition;
  readonly attempts: number;
  readonly result: InvokeResult | undefined;
  readonly functionArn: string;
  readonly now: number;
}): { readonly key: string; readonly body: string } {
  const { mapping, shard, records, result } = args;
  const first = records[0];
  const last = records.at(-1);
  const now = new Date(args.now).toISOString();
  const iso = (record: StreamRecord | undefined) => new Date(record?.arrivedAt ?? args.now).toISOString();
  const body = {
    requestContext: {
      requestId: result?.requestId ?? randomUUID(),
      functionArn: args.functionArn,
      condition: args.condition,
      approximateInvokeCount: args.attempts,
    },
    ...(result === undefined
      ? {}
      : {
          responseContext: {
            statusCode: 200,
            executedVersion: "$LATEST",
            functionError: result.functionError ?? "BatchItemFailures",
          },
        }),
    version: "1.0",
    timestamp: now,
    KinesisBatchInfo: {
      shardId: shard.shardId,
      startSequenceNumber: first?.sequenceNumber,
      endSequenceNumber: last?.sequenceNumber,
      approximateArrivalOfFirstRecord: iso(first),
      approximateArrivalOfLastRecord: iso(last),
      batchSize: records.length,
      streamArn: mapping.sourceArn,
    },
    payload: JSON.stringify({ Records: records.map((record) => eventRecord(record, shard)) }),
  };
  const stamp = now.slice(0, 19).replaceAll(":", ".");
  const key = `aws/lambda/${mapping.uuid}/${shard.shardId}/${now.slice(0, 10).replaceAll("-", "/")}/${stamp}-${randomUUID()}`;
  return { key, body: JSON.stringify(body) };
}
