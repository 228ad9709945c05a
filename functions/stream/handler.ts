import type { KinesisStreamBatchResponse, KinesisStreamEvent } from "aws-lambda";
import { createRecordScorer, type InvocationContext, type RecordScorerArgs } from "./score-records";
import { fromKinesis } from "./source-record";

export type StreamHandler = (event: KinesisStreamEvent, context: InvocationContext) => Promise<KinesisStreamBatchResponse>;

/**
 * Kinesis batch → `ReportBatchItemFailures`. The response names the lowest unfinished sequence number, and the source delivers the rest
 * again until the records expire. When a record of a larger batch makes the code fail, so does the invocation, since that makes Lambda
 * halve the batch until the record is alone (a reported failure does not: "Configuring partial batch response with Kinesis", Lambda
 * developer guide).
 * @throws the code's error at one record of a larger batch
 */
export function createStreamHandler(args: RecordScorerArgs): StreamHandler {
  const score = createRecordScorer(args);
  return async (event, context) => {
    const records = event.Records.map(fromKinesis);
    const { done, fault } = await score(records, context);
    if (fault !== null && done === 0) throw fault;
    const failed = records[done];
    return { batchItemFailures: failed === undefined ? [] : [{ itemIdentifier: failed.sequence }] };
  };
}
