/** Labels of scored events: `POST /feedback` → function → objects under `labels/`, which the warehouse loads. */
import type { MetricAlarm } from "@pulumi/aws/cloudwatch";
import type * as pulumi from "@pulumi/pulumi";
import { FEEDBACK_SCHEMA } from "../../functions/rest/feedback-schema";
import { toDraft04 } from "../../functions/scoring/core/draft04";
import { type AlarmContext, alarm, functionAlarms } from "../shared/alarms";
import { PlatformFunction } from "../shared/function";
import { environmentOf } from "../shared/naming";
import type { RouteTarget } from "./route";
import { METRIC_NAMESPACE } from "./scoring-function";
import type { ScoringSettings } from "./settings";

export interface Feedback {
  readonly fn: PlatformFunction;
  /** What the gateway calls. */
  readonly target: RouteTarget;
}

export const FEEDBACK_PATH = "/feedback";

/** Enough to check a body and write one object, and below the gateway's 29 seconds. */
const TIMEOUT_SECONDS = 20;

export function createFeedback(
  instance: string,
  { context, archive: { bucket }, function: { reservedConcurrency }, transform }: ScoringSettings,
  parent: pulumi.Resource,
): Feedback {
  const fn = new PlatformFunction(
    `${instance}-feedback`,
    {
      ...context,
      description: `Takes labels of scored events at POST ${FEEDBACK_PATH}`,
      entry: "feedback",
      callbackFactory: () => require("./bundles/feedback/index.js").handler,
      memoryMb: 512,
      timeoutSeconds: TIMEOUT_SECONDS,
      ...(reservedConcurrency === undefined ? {} : { reservedConcurrency }),
      environment: {
        LABEL_BUCKET: bucket.bucketName,
        METRIC_NAMESPACE,
        ENVIRONMENT: environmentOf(context.naming),
        LOG_LEVEL: "info",
      },
      permissions: bucket.writeStatements(["labels/"]),
      ...(transform.feedback ? { transform: transform.feedback } : {}),
    },
    { parent },
  );
  const { function: lambda } = fn.nodes;
  return {
    fn,
    target: {
      method: "POST",
      path: FEEDBACK_PATH,
      id: "feedback",
      description: FEEDBACK_SCHEMA.description ?? "",
      operationName: "giveFeedback",
      model: toDraft04(FEEDBACK_SCHEMA),
      invokeArn: lambda.invokeArn,
      functionName: lambda.name,
      qualifier: undefined,
    },
  };
}

export function createFeedbackAlarms(
  instance: string,
  { context, function: { errorRateAlarmPercent } }: ScoringSettings,
  { fn }: Feedback,
  parent: pulumi.Resource,
): MetricAlarm[] {
  const alarms: AlarmContext = { parent, topicArn: context.alarmTopicArn };
  return [
    ...functionAlarms(`${instance}-feedback`, alarms, {
      functionName: fn.functionName,
      timeoutSeconds: TIMEOUT_SECONDS,
      errorRatePercent: errorRateAlarmPercent,
    }),
    // The function answers 503 instead of failing, so that its caller knows to send the labels again.
    alarm(`${instance}-feedback-unavailable`, alarms, {
      alarmDescription: "Labels could not be stored; their senders were told to send them again.",
      namespace: METRIC_NAMESPACE,
      metricName: "FeedbackErrors",
      dimensions: { Environment: environmentOf(context.naming), Route: "feedback" },
      statistic: "Sum",
      period: 300,
      evaluationPeriods: 2,
      threshold: 0,
    }),
  ];
}
