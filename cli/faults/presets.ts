/**
 * Schedules of faults by name. Their rates are far above what AWS shows, so that a few minutes of traffic meet everything, and low enough
 * that a batch of 500 records gets through: an SDK tries a call three times, so 4 % of failing calls fail 3 % of such batches.
 */
import type { FaultRule, FaultSchedule } from "@risk/local-aws";

const throttled: readonly FaultRule[] = [
  { kind: "throttle", service: "dynamodb", probability: 0.02 },
  { kind: "throttle", service: "kinesis", probability: 0.1 },
  { kind: "throttle", service: "s3", probability: 0.1 },
  { kind: "throttle", service: "events", probability: 0.1 },
];

const flaky: readonly FaultRule[] = [
  { kind: "error", service: "dynamodb", probability: 0.01 },
  { kind: "error", service: "kinesis", probability: 0.05 },
  { kind: "error", service: "s3", probability: 0.05 },
  { kind: "error", service: "events", probability: 0.1 },
  { kind: "error", service: "sqs", probability: 0.05 },
  { kind: "error", service: "ssm", probability: 0.05 },
  { kind: "error", service: "redshift-data", probability: 0.05 },
];

const slow: readonly FaultRule[] = [
  { kind: "slow", service: "dynamodb", probability: 0.05, delayMs: 200 },
  { kind: "slow", service: "kinesis", probability: 0.1, delayMs: 500 },
  { kind: "slow", service: "s3", probability: 0.2, delayMs: 500 },
  { kind: "slow", service: "events", probability: 0.2, delayMs: 300 },
  { kind: "slow", service: "redshift-data", probability: 0.1, delayMs: 1000 },
];

const lostReplies: readonly FaultRule[] = [
  { kind: "lost-reply", service: "dynamodb", action: "PutItem", probability: 0.01 },
  { kind: "duplicate", service: "dynamodb", action: "PutItem", probability: 0.01 },
  { kind: "lost-reply", service: "kinesis", action: "PutRecords", probability: 0.1 },
  { kind: "lost-reply", service: "s3", action: "PutObject", probability: 0.1 },
  { kind: "lost-reply", service: "events", action: "PutEvents", probability: 0.1 },
  { kind: "lost-reply", service: "sqs", action: "DeleteMessageBatch", probability: 0.1 },
  { kind: "lost-reply", service: "redshift-data", action: "BatchExecuteStatement", probability: 0.1 },
];

/** By chance: a kill at each 500th call would kill a batch of 500 at its end each time that it is tried again. */
const crashes: readonly FaultRule[] = [
  { kind: "crash", service: "dynamodb", action: "PutItem", probability: 0.0005 },
  { kind: "crash", service: "dynamodb", action: "BatchGetItem", probability: 0.02 },
  { kind: "crash", service: "s3", action: "PutObject", probability: 0.05 },
  { kind: "crash", service: "events", action: "PutEvents", probability: 0.05 },
  { kind: "crash", service: "sqs", action: "DeleteMessageBatch", probability: 0.1 },
  { kind: "crash", service: "redshift-data", action: "BatchExecuteStatement", probability: 0.1 },
];

const fullDisk: readonly FaultRule[] = [{ kind: "full-disk", fromSeconds: 10, untilSeconds: 20, repeatSeconds: 90 }];

const lostDatabase: readonly FaultRule[] = [{ kind: "killed-database", fromSeconds: 10, repeatSeconds: 60 }];

export const PRESETS: Readonly<Record<string, FaultSchedule>> = {
  throttled: { description: "tables, streams, buckets and the event bus refuse some calls as too many", rules: throttled },
  flaky: { description: "services answer some calls with a server error", rules: flaky },
  slow: { description: "some calls take 0.2 to 1 s longer", rules: slow },
  "lost-replies": { description: "what was done is answered with an error, or done twice", rules: lostReplies },
  crashes: { description: "functions are killed in the middle of their work", rules: crashes },
  "full-disk": { description: "the disk takes no writes for 10 s, every 90 s", rules: fullDisk },
  "lost-database": { description: "PostgreSQL is killed once a minute", rules: lostDatabase },
  all: {
    description: "everything above",
    rules: [...throttled, ...flaky, ...slow, ...lostReplies, ...crashes, ...fullDisk, ...lostDatabase],
  },
};
