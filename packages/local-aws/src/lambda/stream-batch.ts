/** Records of a stream as the event a function receives, and the record of a batch that was given up. */
import { randomUUID } from "node:crypto";
import type { InvokeResult } from "./function-config";
import type { ShardOptions } from "./mapping";
import type { StreamRecord } from "./ports";

export const eventRecord = (record: StreamRecord, { shardId, roleArn, context, mapping }: ShardOptions) => ({
  kinesis: {
    kinesisSchemaVersion: "1.0",
    partitionKey: record.partitionKey,
    sequenceNumber: record.sequenceNumber,
    data: record.data.toString("base64"),
    approximateArrivalTimestamp: record.arrivedAt / 1000,
  },
  eventSource: "aws:kinesis",
  eventVersion: "1.0",
  eventID: `${shardId}:${record.sequenceNumber}`,
  eventName: "aws:kinesis:record",
  invokeIdentityArn: roleArn,
  awsRegion: context.region,
  eventSourceARN: mapping.sourceArn,
});

export type GiveUpCondition = "RetryAttemptsExhausted" | "RecordAgeExceeded";

/**
 * The invocation record of a batch that was given up, with the whole event as text in `payload`, under the key that Lambda uses.
 * Source: "Retain discarded batches", AWS Lambda developer guide.
 */
export function failureRecord(
  options: ShardOptions,
  records: readonly StreamRecord[],
  end: { readonly condition: GiveUpCondition; readonly attempts: number; readonly result: InvokeResult | undefined },
): { readonly key: string; readonly body: string } {
  const { mapping, shardId, functionArn, context } = options;
  const { condition, attempts, result } = end;
  const now = context.clock.now();
  const timestamp = new Date(now).toISOString();
  const [first, last] = [records[0], records.at(-1)];
  const arrival = (record: StreamRecord | undefined) => new Date(record?.arrivedAt ?? now).toISOString();
  const body = {
    requestContext: {
      requestId: result?.requestId ?? randomUUID(),
      functionArn,
      condition,
      approximateInvokeCount: attempts,
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
    timestamp,
    KinesisBatchInfo: {
      shardId,
      startSequenceNumber: first?.sequenceNumber,
      endSequenceNumber: last?.sequenceNumber,
      approximateArrivalOfFirstRecord: arrival(first),
      approximateArrivalOfLastRecord: arrival(last),
      batchSize: records.length,
      streamArn: mapping.sourceArn,
    },
    payload: JSON.stringify({ Records: records.map((record) => eventRecord(record, options)) }),
  };
  const stamp = timestamp.slice(0, 19).replaceAll(":", ".");
  const key = `aws/lambda/${mapping.uuid}/${shardId}/${timestamp.slice(0, 10).replaceAll("-", "/")}/${stamp}-${randomUUID()}`;
  return { key, body: JSON.stringify(body) };
}
