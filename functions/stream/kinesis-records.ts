import type { KinesisStreamRecord } from "aws-lambda";
import { splitAggregate } from "../formats/aggregate";
import { fromKinesis, type SourceRecord } from "./source-record";

/** Between the sequence number of an aggregate and the place of a record in it. */
const SUB = ".";

/** The sequence number of the Kinesis record. */
export const wholeSequence = (sequence: string): string => sequence.split(SUB, 1)[0] ?? sequence;

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
    sequence: `${whole.sequence}${SUB}${index}`,
    partitionKey,
    bytes,
  }));
}
