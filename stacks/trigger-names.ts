/** The ways in that a stack may have, as they are called in `risk:fraud.triggers`. */
export const TRIGGERS = ["kinesis", "eventbridge", "firehose", "rest", "s3"] as const;
export type TriggerName = (typeof TRIGGERS)[number];
