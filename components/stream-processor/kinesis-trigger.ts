/** Records of a Kinesis stream: the stream, the function that scores them, and the mapping between the two. */
import type { MetricAlarm } from "@pulumi/aws/cloudwatch";
import { Stream, type StreamArgs } from "@pulumi/aws/kinesis";
import { EventSourceMapping, type EventSourceMappingArgs } from "@pulumi/aws/lambda";
import type * as pulumi from "@pulumi/pulumi";
import { type AlarmContext, alarm, functionAlarms } from "../shared/alarms";
import type { PlatformFunction } from "../shared/function";
import type { Statement } from "../shared/iam";
import { withTransform } from "../shared/transform";
import type { KinesisTrigger } from "./args";
import { createScorer, type ScorerResources } from "./scorer";
import type { StreamSettings } from "./settings";

export interface KinesisNodes {
  readonly stream: Stream;
  readonly function: PlatformFunction;
  readonly eventSource: EventSourceMapping;
  readonly alarms: readonly MetricAlarm[];
}

/** A healthy consumer is seconds behind. Five minutes is long enough to be sure, and far from the stream's retention. */
const ITERATOR_AGE_ALARM_MS = 5 * 60_000;

export function createKinesisTrigger(
  instance: string,
  trigger: KinesisTrigger,
  settings: StreamSettings,
  resources: ScorerResources,
  parent: pulumi.Resource,
): KinesisNodes {
  const { names, function: size, raw, transform } = settings;
  const stream = createStream(instance, trigger, settings, parent);
  const scorer = createScorer(
    `${instance}-processor`,
    {
      description: `Scores the events of ${names.stream}`,
      functionName: names.function,
      entry: "stream-scoring",
      callbackFactory: () => require("./bundles/stream-scoring/index.js").handler,
      reservedConcurrency: size.reservedConcurrency,
      permissions: [readStatement(stream), ...raw.failedBatchStatements()],
      transform: transform.function,
    },
    settings,
    resources,
    parent,
  );
  const eventSource = createMapping(instance, trigger, settings, stream, scorer, parent);
  return { stream, function: scorer, eventSource, alarms: createAlarms(instance, settings, scorer, eventSource, parent) };
}

function createStream(
  instance: string,
  trigger: KinesisTrigger,
  { context, names, capacity, transform }: StreamSettings,
  parent: pulumi.Resource,
): Stream {
  return new Stream(
    `${instance}-stream`,
    withTransform<StreamArgs, StreamArgs>(
      {
        name: names.stream,
        retentionPeriod: trigger.retentionHours,
        ...(capacity.mode === "provisioned"
          ? { shardCount: capacity.shards, streamModeDetails: { streamMode: "PROVISIONED" } }
          : { streamModeDetails: { streamMode: "ON_DEMAND" } }),
      },
      transform.stream,
      { encryptionType: "KMS", kmsKeyId: context.key.arn },
    ),
    { parent, protect: context.deletionProtection },
  );
}

const readStatement = (stream: Stream): Statement => ({
  sid: "ReadStream",
  actions: [
    "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
  ],
  resources: [stream.arn],
});

function createMapping(
  instance: string,
  trigger: KinesisTrigger,
  { raw, transform }: StreamSettings,
  stream: Stream,
  scorer: PlatformFunction,
  parent: pulumi.Resource,
): EventSourceMapping {
  return new EventSourceMapping(
    `${instance}-source`,
    withTransform<EventSourceMappingArgs, EventSourceMappingArgs>(
      {
        functionName: scorer.functionName,
        eventSourceArn: stream.arn,
        startingPosition: "TRIM_HORIZON",
        batchSize: trigger.batchSize,
        maximumBatchingWindowInSeconds: trigger.batchWindowSeconds,
        parallelizationFactor: trigger.parallelization,
        maximumRetryAttempts: trigger.maxRetries,
        maximumRecordAgeInSeconds: trigger.maxAgeSeconds,
      },
      transform.eventSource,
      {
        functionName: scorer.functionName,
        // One bad record never takes its batch with it, and a failed batch never disappears: S3 keeps the whole records.
        bisectBatchOnFunctionError: true,
        functionResponseTypes: ["ReportBatchItemFailures"],
        destinationConfig: { onFailure: { destinationArn: raw.bucketArn } },
        metricsConfig: { metrics: ["EventCount"] },
      },
    ),
    { parent, dependsOn: [scorer.policy] },
  );
}

/** Alarms when the function fails, is slow, throttled or behind, or gave up a batch. */
function createAlarms(
  instance: string,
  { context, function: { timeoutSeconds, errorRateAlarmPercent } }: StreamSettings,
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
  ];
}
