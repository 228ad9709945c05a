/** Files under `incoming/` of the data bucket: S3 fills a queue with their names, which one function empties, a file an invocation. */
import type { MetricAlarm } from "@pulumi/aws/cloudwatch";
import { EventSourceMapping } from "@pulumi/aws/lambda";
import * as pulumi from "@pulumi/pulumi";
import { type AlarmContext, functionAlarms, queueNotEmptyAlarm } from "../shared/alarms";
import type { ObjectQueue } from "../shared/data-bucket";
import type { PlatformFunction } from "../shared/function";
import type { Statement } from "../shared/iam";
import { EncryptedQueue } from "../shared/queue";
import type { S3Trigger } from "./args";
import { createScorer, type ScorerResources } from "./scorer";
import type { StreamSettings } from "./settings";

/** Lambda's own limit: whatever a file needs beyond it goes on as another message. */
const TIMEOUT_SECONDS = 900;
const INCOMING = "incoming/";
/** Checkpoints, and what became of each file. */
const JOURNAL = ["files/", "results/"] as const;
/** Prefixes that expire: incoming files hold personal data as it was sent. */
export const FILE_PREFIXES = [INCOMING, ...JOURNAL] as const;

export interface S3Nodes {
  readonly queue: EncryptedQueue;
  readonly function: PlatformFunction;
  readonly eventSource: EventSourceMapping;
  readonly alarms: readonly MetricAlarm[];
}

export function createS3Trigger(
  instance: string,
  trigger: S3Trigger,
  settings: StreamSettings,
  resources: ScorerResources,
  parent: pulumi.Resource,
): S3Nodes {
  const { dataBucket } = resources;
  const queue = new EncryptedQueue(
    `${instance}-files`,
    {
      key: settings.context.key,
      visibilityTimeoutSeconds: TIMEOUT_SECONDS * 6,
      senders: [{ service: "s3.amazonaws.com", sourceArns: [dataBucket.arn] }],
    },
    { parent },
  );
  const scorer = createScorer(
    `${instance}-file-scorer`,
    {
      description: `Scores the files of ${instance}`,
      entry: "file-scoring",
      callbackFactory: () => require("./bundles/file-scoring/index.js").handler,
      environment: { FILE_QUEUE_URL: queue.url },
      permissions: [
        ...queue.consumeStatements(),
        ...queue.sendStatements(),
        readVersions(dataBucket.arn),
        ...dataBucket.readStatements(["files/"]),
        ...dataBucket.writeStatements(JOURNAL),
      ],
      transform: settings.transform.fileFunction,
    },
    { ...settings, function: { ...settings.function, timeoutSeconds: TIMEOUT_SECONDS } },
    resources,
    parent,
  );
  const eventSource = new EventSourceMapping(
    `${instance}-files-source`,
    {
      functionName: scorer.functionName,
      eventSourceArn: queue.arn,
      batchSize: 1,
      functionResponseTypes: ["ReportBatchItemFailures"],
      scalingConfig: { maximumConcurrency: trigger.maxConcurrency },
    },
    { parent, dependsOn: [scorer.policy] },
  );
  return { queue, function: scorer, eventSource, alarms: createAlarms(instance, settings, queue, scorer, parent) };
}

/** A version is named by its notification; a file that replaces it is another one. */
const readVersions = (bucketArn: pulumi.Input<string>): Statement => ({
  sid: "ReadFiles",
  actions: ["s3:GetObject", "s3:GetObjectVersion"],
  resources: [pulumi.interpolate`${bucketArn}/${INCOMING}*`],
});

export const incomingFiles = (queue: EncryptedQueue): ObjectQueue => ({ id: "incoming", queue, prefix: INCOMING, suffix: "" });

function createAlarms(
  instance: string,
  { context, function: { errorRateAlarmPercent } }: StreamSettings,
  { deadLetterQueue }: EncryptedQueue,
  { functionName }: PlatformFunction,
  parent: pulumi.Resource,
): MetricAlarm[] {
  const alarms: AlarmContext = { parent, topicArn: context.alarmTopicArn };
  return [
    ...functionAlarms(`${instance}-file-scorer`, alarms, {
      functionName,
      timeoutSeconds: TIMEOUT_SECONDS,
      errorRatePercent: errorRateAlarmPercent,
    }),
    ...(deadLetterQueue
      ? [
          queueNotEmptyAlarm(
            `${instance}-unscored-files`,
            alarms,
            deadLetterQueue.queueName,
            "A file could not be scored to its end: five invocations in a row got no further. Its checkpoint under files/ says how far it came.",
          ),
        ]
      : []),
  ];
}
