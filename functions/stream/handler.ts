import type { KinesisStreamBatchResponse, KinesisStreamEvent } from "aws-lambda";
import { kinesisRecords, wholeSequence } from "./kinesis-records";
import { createRecordScorer, type InvocationContext, type RecordScorer, type RecordScorerArgs } from "./score-records";
import type { SourceRecord } from "./source-record";

export type StreamHandler = (event: KinesisStreamEvent, context: InvocationContext) => Promise<KinesisStreamBatchResponse>;

/**
 * Kinesis batch → `ReportBatchItemFailures`. The response names the lowest unfinished sequence number, and the source delivers the rest
 * again until the records expire; of an aggregate that is partly finished, the finished records are redelivered as well. When the first
 * record of a batch makes the code fail, so does the invocation, since that makes Lambda halve the batch until the record is alone (a
 * reported failure does not: "Configuring partial batch response with Kinesis", Lambda developer guide). Lambda can't halve an aggregate, so
 * its records are scored one by one.
 * @throws the code's error at one record of a larger batch
 */
export function createStreamHandler(args: RecordScorerArgs): StreamHandler {
  const score = createRecordScorer(args);
  return async (event, context) => {
    const records = event.Records.flatMap(kinesisRecords);
    const { done, fault } = await score(records, context);
    const failsAtFirst = fault !== null && done === 0;
    if (failsAtFirst && event.Records.length > 1) throw fault;
    const finished = done + (await scoreAggregate(records, done, failsAtFirst, score, context));
    const failed = records[finished];
    return { batchItemFailures: failed === undefined ? [] : [{ itemIdentifier: wholeSequence(failed.sequence) }] };
  };
}

/**
 * Goes on with the rest of an aggregate at which scoring has stopped: the next delivery would begin with the records that are finished, so
 * it would never have the failing one at its beginning.
 * @returns how many more records are finished
 */
async function scoreAggregate(
  records: readonly SourceRecord[],
  done: number,
  failed: boolean,
  score: RecordScorer,
  context: InvocationContext,
): Promise<number> {
  const [next, before] = [records[done], records[done - 1]];
  if (next === undefined) return 0;
  const whole = wholeSequence(next.sequence);
  if (!failed) {
    if (before === undefined || wholeSequence(before.sequence) !== whole) return 0;
    const again = await score(records.slice(done), context);
    if (again.fault === null) return again.done;
  }
  const rest = records.slice(done).filter(({ sequence }) => wholeSequence(sequence) === whole);
  for (const [index, record] of rest.entries()) {
    const single = await score([record], context);
    if (single.done === 0) return index;
  }
  return rest.length;
}
