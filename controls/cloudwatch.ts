import { type Control, field, is, isAtLeast, isNot, isText } from "./control";

const ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm";
const LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup";

/** The control's own default. */
const YEAR_DAYS = 365;
/** 0 keeps log events for ever, as does no value. */
const isForEver = is(0, undefined);

export const cloudWatchControls: readonly Control[] = [
  {
    id: "CloudWatch.15",
    title: "Alarms have an action",
    appliesTo: [ALARM],
    check: field("alarmActions", (value) => Array.isArray(value) && value.some(isText), "name a topic that gets the alarm."),
  },
  {
    id: "CloudWatch.16",
    title: "Log groups keep a year",
    appliesTo: [LOG_GROUP],
    check: field(
      "retentionInDays",
      (value) => isForEver(value) || isAtLeast(YEAR_DAYS)(value),
      `set it to ${YEAR_DAYS} or more (pulumi config set risk:logRetentionDays ${YEAR_DAYS}).`,
    ),
  },
  {
    id: "CloudWatchLogGroupRetentionPeriod",
    title: "Log groups have an end",
    appliesTo: [LOG_GROUP],
    check: field("retentionInDays", isAtLeast(1), "set the days (pulumi config set risk:logRetentionDays 30)."),
  },
  {
    id: "CloudWatch.17",
    title: "Actions of alarms are on",
    appliesTo: [ALARM],
    // CloudWatch's default is on.
    check: field("actionsEnabled", isNot(false), "set it to true."),
  },
  {
    id: "CloudWatchLogGroupEncrypted",
    title: "Log groups are encrypted under a key of the stack",
    appliesTo: [LOG_GROUP],
    check: field("kmsKeyId", isText, "set it to the ARN of a customer-managed key."),
  },
];
