import type { MetricAlarm } from "@pulumi/aws/cloudwatch";
import type * as pulumi from "@pulumi/pulumi";
import { type AlarmContext, alarm, functionAlarms } from "../shared/alarms";
import { environmentOf } from "../shared/naming";
import { METRIC_NAMESPACE, type ScoringFunction } from "./scoring-function";
import type { ScoringSettings } from "./settings";

const LATENCY_ALARM_MS = 3000;

/** Alarms when a scoring function fails, is throttled, comes close to its timeout, or scores slowly. */
export function createScoringAlarms(
  instance: string,
  { context, function: { timeoutSeconds, errorRateAlarmPercent } }: ScoringSettings,
  functions: readonly ScoringFunction[],
  parent: pulumi.Resource,
): MetricAlarm[] {
  const alarms: AlarmContext = { parent, topicArn: context.alarmTopicArn };
  return functions.flatMap(({ route, fn }) => {
    const name = `${instance}-${route.profile.id}`;
    return [
      ...functionAlarms(name, alarms, {
        functionName: fn.functionName,
        timeoutSeconds,
        errorRatePercent: errorRateAlarmPercent,
      }),
      alarm(`${name}-latency`, alarms, {
        alarmDescription: `Scoring takes more than ${LATENCY_ALARM_MS} ms on average over 10 minutes.`,
        namespace: METRIC_NAMESPACE,
        metricName: "ScoringLatency",
        dimensions: { Environment: environmentOf(context.naming), Profile: route.profile.id },
        statistic: "Average",
        period: 300,
        evaluationPeriods: 2,
        threshold: LATENCY_ALARM_MS,
      }),
    ];
  });
}
