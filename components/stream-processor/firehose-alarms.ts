import type { MetricAlarm } from "@pulumi/aws/cloudwatch";
import type { FirehoseDeliveryStream } from "@pulumi/aws/kinesis";
import type * as pulumi from "@pulumi/pulumi";
import { type AlarmContext, alarm, functionAlarms } from "../shared/alarms";
import type { PlatformFunction } from "../shared/function";
import { environmentOf } from "../shared/naming";
import type { FirehoseTrigger } from "./args";
import { METRIC_NAMESPACE } from "./scorer";
import type { StreamSettings } from "./settings";

/** Beyond both buffers: what one repetition delays is no news. */
const FRESHNESS_ALARM_SECONDS = 300;

/** Alarms when the transformation fails, is slow or throttled, and when records are late, refused or given up. */
export function createFirehoseAlarms(
  instance: string,
  { bufferSeconds }: FirehoseTrigger,
  { context, profile, function: { timeoutSeconds, errorRateAlarmPercent } }: StreamSettings,
  { functionName }: PlatformFunction,
  deliveryStream: FirehoseDeliveryStream,
  parent: pulumi.Resource,
): MetricAlarm[] {
  const alarms: AlarmContext = { parent, topicArn: context.alarmTopicArn };
  const ofStream = {
    namespace: "AWS/Firehose",
    dimensions: { DeliveryStreamName: deliveryStream.name },
    period: 300,
    evaluationPeriods: 1,
  };
  return [
    ...functionAlarms(`${instance}-transformation`, alarms, {
      functionName,
      timeoutSeconds,
      errorRatePercent: errorRateAlarmPercent,
    }),
    alarm(`${instance}-delivery-freshness`, alarms, {
      ...ofStream,
      alarmDescription:
        "The oldest record of the delivery stream waits more than 5 minutes beyond its buffers: the transformation or the bucket refuses, as the stream's log says. Firehose loses what it can't deliver for a day.",
      metricName: "DeliveryToS3.DataFreshness",
      statistic: "Maximum",
      threshold: 2 * bufferSeconds + FRESHNESS_ALARM_SECONDS,
    }),
    alarm(`${instance}-delivery-throttles`, alarms, {
      ...ofStream,
      alarmDescription:
        "Producers send more than the delivery stream takes, and some records were refused: ask AWS for a higher quota.",
      metricName: "ThrottledRecords",
      statistic: "Sum",
      threshold: 0,
    }),
    alarm(`${instance}-delivery-attempts`, alarms, {
      ...ofStream,
      alarmDescription:
        "Invocations of the transformation failed. After four in a row, the records are in the data bucket under failed/: npm run redrive brings them back.",
      metricName: "ExecuteProcessing.Success",
      statistic: "Average",
      comparisonOperator: "LessThanThreshold",
      threshold: 1,
      evaluationPeriods: 2,
    }),
    alarm(`${instance}-delivery-failures`, alarms, {
      alarmDescription:
        "Records could not be finished in time and are in the data bucket under failed/: npm run redrive brings them back.",
      namespace: METRIC_NAMESPACE,
      metricName: "ProcessingFailed",
      dimensions: { Environment: environmentOf(context.naming), Profile: profile.id },
      statistic: "Sum",
      period: 300,
      evaluationPeriods: 1,
      threshold: 0,
    }),
  ];
}
