import type { KinesisStreamRecord } from "aws-lambda";
import { splitAggregate } from "../formats/aggregate";
import { subSequence } from "./sequence";
import { fromKinesis, type SourceRecord } from "./source-record";

/**
 * The records that a Kinesis record brings: itself, or the user records of an aggregate, each with a position and a partition key of its
 * own. So a user record is scored, quarantined and redriven as if it had been sent alone.
 */
export function kinesisRecords(delivered: KinesisStreamRecord): readonly SourceRecord[] {
  const whole = fromKinesis(delivered);
  if (whole.fault !== null) return [whole];
  const split = splitAggregate(whole.bytes);
  if (split.kind === "plain") return [whole];
  if (split.kind === "refused") return [{ ...whole, fault: { reason: split.reason, detail: split.detail } }];
  return split.records.map(({ partitionKey, bytes }, index) => ({
    ...whole,
    position: `${whole.position}:${index}`,
    sequence: subSequence(whole.sequence, index),
    partitionKey,
    bytes,
  }));
}
