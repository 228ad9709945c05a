/** The archive of all scores, many per object: a rule of the bus puts them into a queue, and the archiver empties it. */
import { EventSourceMapping } from "@pulumi/aws/lambda";
import type * as pulumi from "@pulumi/pulumi";
import { queueNotEmptyAlarm } from "../shared/alarms";
import { PlatformFunction } from "../shared/function";
import { EncryptedQueue } from "../shared/queue";
import { eventNames } from "./event-names";
import type { ScoringSettings } from "./settings";

const ARCHIVER_TIMEOUT_SECONDS = 60;

export function archiveScores(
  instance: string,
  settings: ScoringSettings,
  parent: pulumi.Resource,
): { readonly queue: EncryptedQueue; readonly archiver: PlatformFunction } {
  const { windowSeconds } = settings.archive;
  const queue = bufferScores(instance, settings, parent);
  const archiver = createArchiver(instance, settings, queue, parent);
  new EventSourceMapping(
    `${instance}-archive-source`,
    {
      eventSourceArn: queue.arn,
      functionName: archiver.functionName,
      // Many scores per object: for the warehouse, small objects cost more than the wait.
      // Lambda allows more than ten messages only together with a window.
      batchSize: windowSeconds === 0 ? 10 : 1000,
      maximumBatchingWindowInSeconds: windowSeconds,
      functionResponseTypes: ["ReportBatchItemFailures"],
      // The concurrency limit of a queue consumer: reserved concurrency would throttle the poller and use up receives.
      scalingConfig: { maximumConcurrency: 2 },
    },
    { parent, dependsOn: [archiver.policy] },
  );
  if (queue.deadLetterQueue) {
    queueNotEmptyAlarm(
      `${instance}-unarchived`,
      { parent, topicArn: settings.context.alarmTopicArn },
      queue.deadLetterQueue.queueName,
      "A score could not be archived after five attempts; the message holds it.",
    );
  }
  return { queue, archiver };
}

/** A queue that receives the scores of all routes. */
function bufferScores(
  instance: string,
  { context, bus, routes, archive }: ScoringSettings,
  parent: pulumi.Resource,
): EncryptedQueue {
  const queue = new EncryptedQueue(
    `${instance}-archive`,
    {
      key: context.key,
      visibilityTimeoutSeconds: ARCHIVER_TIMEOUT_SECONDS * 6 + archive.windowSeconds,
      senders: [{ service: "events.amazonaws.com", sourceArns: [bus.ruleArnPattern()] }],
    },
    { parent },
  );
  const events = routes.map(({ profile }) => eventNames(profile.id));
  bus.route(
    `${instance}-archive`,
    {
      description: "Every score to the archive",
      eventPattern: JSON.stringify({
        source: events.map(({ source }) => source),
        "detail-type": events.map(({ detailType }) => detailType),
      }),
      targetArn: queue.arn,
    },
    { parent, dependsOn: [queue.nodes.policy] },
  );
  return queue;
}

function createArchiver(
  instance: string,
  { context, archive: { bucket, raw }, transform }: ScoringSettings,
  queue: EncryptedQueue,
  parent: pulumi.Resource,
): PlatformFunction {
  return new PlatformFunction(
    `${instance}-archiver`,
    {
      ...context,
      description: "Writes REST scores to the archive, one object per batch",
      entry: "score-archiver",
      callbackFactory: () => require("./bundles/score-archiver/index.js").handler,
      memoryMb: 256,
      timeoutSeconds: ARCHIVER_TIMEOUT_SECONDS,
      environment: { ARCHIVE_BUCKET: bucket.bucketName, RAW_BUCKET: raw.bucketName, LOG_LEVEL: "info" },
      permissions: [
        ...queue.consumeStatements(),
        ...bucket.writeStatements(["archive/", "quarantine/"]),
        ...raw.quarantineStatements(),
      ],
      ...(transform.archiver ? { transform: transform.archiver } : {}),
    },
    { parent },
  );
}
