import { MetricAlarm, type MetricAlarmArgs } from "@pulumi/aws/cloudwatch";
import type { input } from "@pulumi/aws/types";
import type * as pulumi from "@pulumi/pulumi";

/** Where an alarm goes, and its parent. */
export interface AlarmContext {
  readonly parent: pulumi.Resource;
  readonly topicArn: pulumi.Input<string>;
}

/** The alarm settings that differ between alarms. */
export type AlarmArgs = Omit<MetricAlarmArgs, "alarmActions" | "okActions" | "actionsEnabled">;

/**
 * An alarm with an action (CloudWatch.15, .17). By default missing data doesn't raise it: an idle platform is healthy.
 * Nothing is sent when an alarm returns to OK: every new alarm does so within minutes of its creation, so a first deployment would mail
 * each of them, and whoever works on an incident sees its end on the console.
 */
export function alarm(name: string, context: AlarmContext, args: AlarmArgs): MetricAlarm {
  return new MetricAlarm(
    name,
    {
      comparisonOperator: "GreaterThanThreshold",
      treatMissingData: "notBreaching",
      ...args,
      alarmActions: [context.topicArn],
      actionsEnabled: true,
    },
    { parent: context.parent },
  );
}

/** Alarms when something is in a dead-letter queue: at the first message, because none is ever expected. */
export function queueNotEmptyAlarm(
  name: string,
  context: AlarmContext,
  queueName: pulumi.Input<string>,
  description: string,
): MetricAlarm {
  return alarm(name, context, {
    alarmDescription: description,
    namespace: "AWS/SQS",
    metricName: "ApproximateNumberOfMessagesVisible",
    dimensions: { QueueName: queueName },
    statistic: "Maximum",
    period: 60,
    evaluationPeriods: 1,
    threshold: 0,
  });
}

const lambdaMetric = (
  id: string,
  metricName: string,
  functionName: pulumi.Input<string>,
  period: number,
): input.cloudwatch.MetricAlarmMetricQuery => ({
  id,
  returnData: false,
  metric: { namespace: "AWS/Lambda", metricName, dimensions: { FunctionName: functionName }, period, stat: "Sum" },
});

export interface FunctionAlarmArgs {
  readonly functionName: pulumi.Input<string>;
  readonly timeoutSeconds: number;
  /** Percentage of invocations that may fail. */
  readonly errorRatePercent: number;
  /** True for a function that runs alone and works until nothing is waiting: by design it takes long and is throttled. Default false. */
  readonly drains?: boolean;
}

/** Share of the time limit from which an invocation counts as close to it. */
const DURATION_SHARE = 0.8;

/** Alarms on error rate, and on long duration and throttles unless both are by design. */
export function functionAlarms(name: string, context: AlarmContext, args: FunctionAlarmArgs): MetricAlarm[] {
  const { functionName, timeoutSeconds, errorRatePercent, drains = false } = args;
  const common = { namespace: "AWS/Lambda", dimensions: { FunctionName: functionName }, period: 300, evaluationPeriods: 1 };
  const errorRate = alarm(`${name}-error-rate`, context, {
    alarmDescription: `More than ${errorRatePercent} % of invocations failed in two periods of 5 minutes.`,
    threshold: errorRatePercent,
    evaluationPeriods: 2,
    metricQueries: [
      lambdaMetric("errors", "Errors", functionName, 300),
      lambdaMetric("invocations", "Invocations", functionName, 300),
      { id: "errorRate", expression: "100 * errors / invocations", label: "Error rate (%)", returnData: true },
    ],
  });
  if (drains) return [errorRate];
  return [
    errorRate,
    alarm(`${name}-duration`, context, {
      ...common,
      alarmDescription: `An invocation took more than 80 % of the ${timeoutSeconds} s it may take.`,
      metricName: "Duration",
      statistic: "Maximum",
      threshold: timeoutSeconds * 1000 * DURATION_SHARE,
    }),
    alarm(`${name}-throttles`, context, {
      ...common,
      alarmDescription: "Invocations were refused: raise the reserved concurrency or the account's limit.",
      metricName: "Throttles",
      statistic: "Sum",
      threshold: 0,
    }),
  ];
}
