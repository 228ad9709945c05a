/**
 * Records without an order, one a message: EventBridge's rule and the API's `POST /events` fill one queue, which one function empties.
 */
import type { MetricAlarm } from "@pulumi/aws/cloudwatch";
import { EventSourceMapping } from "@pulumi/aws/lambda";
import type * as pulumi from "@pulumi/pulumi";
import { type AlarmContext, alarm, functionAlarms, queueNotEmptyAlarm } from "../shared/alarms";
import type { PlatformFunction } from "../shared/function";
import { EncryptedQueue, type QueueSender } from "../shared/queue";
import { createScorer, type ScorerResources } from "./scorer";
import type { StreamSettings } from "./settings";

export interface QueueNodes {
  readonly queue: EncryptedQueue;
  readonly function: PlatformFunction;
  readonly eventSource: EventSourceMapping;
  readonly alarms: readonly MetricAlarm[];
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html */
const MAX_RECEIVES = 1000;
/** Lambda allows more than ten messages only together with a window. */
const LARGEST_WITHOUT_WINDOW = 10;
/** Beyond two failed deliveries: what one failure delays is no news. */
const AGE_ALARM_SECONDS = 300;

export function createQueueTrigger(
  instance: string,
  senders: readonly QueueSender[],
  settings: StreamSettings,
  resources: ScorerResources,
  parent: pulumi.Resource,
): QueueNodes {
  const { context, queue: delivery, function: size, transform } = settings;
  const hiddenSeconds = size.timeoutSeconds * 6 + delivery.batchWindowSeconds;
  const queue = new EncryptedQueue(
    `${instance}-events`,
    {
      key: context.key,
      visibilityTimeoutSeconds: hiddenSeconds,
      maxReceives: Math.min(MAX_RECEIVES, Math.ceil(delivery.maxAgeSeconds / hiddenSeconds)),
      senders,
      // Events that EventBridge could not deliver are the same envelopes, so they go back the same way.
      deadLetterSenders: senders,
    },
    { parent },
  );
  const scorer = createScorer(
    `${instance}-queue-scorer`,
    {
      description: `Scores the events of the queue of ${instance}`,
      entry: "queue-scoring",
      callbackFactory: () => require("./bundles/queue-scoring/index.js").handler,
      permissions: queue.consumeStatements(),
      transform: transform.queueFunction,
    },
    settings,
    resources,
    parent,
  );
  const eventSource = createMapping(instance, settings, queue, scorer, parent);
  return { queue, function: scorer, eventSource, alarms: createAlarms(instance, settings, hiddenSeconds, queue, scorer, parent) };
}

function createMapping(
  instance: string,
  { queue: { batchSize, batchWindowSeconds, maxConcurrency } }: StreamSettings,
  queue: EncryptedQueue,
  scorer: PlatformFunction,
  parent: pulumi.Resource,
): EventSourceMapping {
  return new EventSourceMapping(
    `${instance}-events-source`,
    {
      functionName: scorer.functionName,
      eventSourceArn: queue.arn,
      batchSize: batchWindowSeconds === 0 ? Math.min(LARGEST_WITHOUT_WINDOW, batchSize) : batchSize,
      maximumBatchingWindowInSeconds: batchWindowSeconds,
      functionResponseTypes: ["ReportBatchItemFailures"],
      // The concurrency limit of a queue consumer: reserved concurrency would throttle the poller and use up receives.
      scalingConfig: { maximumConcurrency: maxConcurrency },
    },
    { parent, dependsOn: [scorer.policy] },
  );
}

function createAlarms(
  instance: string,
  { context, function: { timeoutSeconds, errorRateAlarmPercent } }: StreamSettings,
  hiddenSeconds: number,
  { queueName, deadLetterQueue }: EncryptedQueue,
  { functionName }: PlatformFunction,
  parent: pulumi.Resource,
): MetricAlarm[] {
  const alarms: AlarmContext = { parent, topicArn: context.alarmTopicArn };
  const name = `${instance}-queue-scorer`;
  return [
    ...functionAlarms(name, alarms, { functionName, timeoutSeconds, errorRatePercent: errorRateAlarmPercent }),
    alarm(`${instance}-events-age`, alarms, {
      alarmDescription:
        "The oldest event of the queue has failed more than twice, or waits for its turn. Its function's metric Throttled counts: the results table lacks units (docs/capacity.md). Otherwise raise the queue's concurrency or the memory.",
      namespace: "AWS/SQS",
      metricName: "ApproximateAgeOfOldestMessage",
      dimensions: { QueueName: queueName },
      statistic: "Maximum",
      period: 300,
      evaluationPeriods: 1,
      threshold: 2 * hiddenSeconds + AGE_ALARM_SECONDS,
    }),
    ...(deadLetterQueue
      ? [
          queueNotEmptyAlarm(
            `${instance}-unscored-events`,
            alarms,
            deadLetterQueue.queueName,
            "An event of EventBridge or POST /events was given up, or EventBridge could not deliver it for a day; the message holds it.",
          ),
        ]
      : []),
  ];
}
