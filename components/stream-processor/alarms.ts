import type { MetricAlarm } from "@pulumi/aws/cloudwatch";
import type { EventSourceMapping } from "@pulumi/aws/lambda";
import type * as pulumi from "@pulumi/pulumi";
import { type AlarmContext, alarm, functionAlarms } from "../shared/alarms";
import type { PlatformFunction } from "../shared/function";
import { environmentOf } from "../shared/naming";
import { METRIC_NAMESPACE } from "./scorer";
import type { StreamSettings } from "./settings";

/** A healthy consumer is seconds behind. Five minutes is long enough to be sure, and far from the stream's retention. */
const ITERATOR_AGE_ALARM_MS = 5 * 60_000;

/** Alarms when the function fails, is slow, throttled or behind, gave up a batch, or converts amounts with old exchange rates. */
export function createAlarms(
  instance: string,
  { context, profile, rateMaxAgeDays, function: { timeoutSeconds, errorRateAlarmPercent } }: StreamSettings,
  { functionName }: PlatformFunction,
  eventSource: EventSourceMapping,
  parent: pulumi.Resource,
): MetricAlarm[] {
  const alarms: AlarmContext = { parent, topicArn: context.alarmTopicArn };
  return [
    ...functionAlarms(instance, alarms, { functionName, timeoutSeconds, errorRatePercent: errorRateAlarmPercent }),
    alarm(`${instance}-iterator-age`, alarms, {
      alarmDescription:
        "The function is more than 5 minutes behind the stream, which loses nothing until maxAgeSeconds. Its metric Throttled counts: the results table lacks units (docs/capacity.md). Otherwise add shards, parallelisation or memory.",
      namespace: "AWS/Lambda",
      metricName: "IteratorAge",
      dimensions: { FunctionName: functionName },
      statistic: "Maximum",
      period: 300,
      evaluationPeriods: 1,
      threshold: ITERATOR_AGE_ALARM_MS,
    }),
    // One of the mapping's EventCount metrics. A queue fed by the bucket would also get S3's test message, and stay in alarm.
    alarm(`${instance}-failed-batch`, alarms, {
      alarmDescription:
        "A batch was given up, since its records' age or retries ended: they are in the raw bucket under aws/lambda/.",
      namespace: "AWS/Lambda",
      metricName: "OnFailureDestinationDeliveredEventCount",
      dimensions: { EventSourceMappingUUID: eventSource.uuid },
      statistic: "Sum",
      period: 300,
      evaluationPeriods: 1,
      threshold: 0,
    }),
    // The metric is there only while amounts are converted.
    alarm(`${instance}-rate-age`, alarms, {
      alarmDescription: `Amounts are converted with exchange rates of more than ${rateMaxAgeDays} days ago: put newer ones into the stack's config (rates with as_of) or into the parameter.`,
      namespace: METRIC_NAMESPACE,
      metricName: "RateAgeDays",
      dimensions: { Environment: environmentOf(context.naming), Profile: profile.id },
      statistic: "Maximum",
      period: 3600,
      evaluationPeriods: 1,
      threshold: rateMaxAgeDays,
    }),
  ];
}
