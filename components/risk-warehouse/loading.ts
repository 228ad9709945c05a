/** From announced objects to rows: the queue of new objects, the loader with its schedule, and their alarms. */
import { EventRule, EventTarget, type MetricAlarm } from "@pulumi/aws/cloudwatch";
import type { Role } from "@pulumi/aws/iam";
import { FunctionEventInvokeConfig, type Invocation, Permission } from "@pulumi/aws/lambda";
import * as pulumi from "@pulumi/pulumi";
import { currentAccount } from "../shared/account";
import { type AlarmContext, alarm, functionAlarms, queueNotEmptyAlarm } from "../shared/alarms";
import { PlatformFunction } from "../shared/function";
import { environmentOf } from "../shared/naming";
import { EncryptedQueue } from "../shared/queue";
import type { WarehouseSettings } from "./settings";
import type { ArchiveSources } from "./sources";
import { queryStatements } from "./sql-access";

/** Lambda's own limit; the COPY of a backlog may take most of it. */
const LOADER_TIMEOUT_SECONDS = 900;
const METRIC_NAMESPACE = "RiskWarehouse";

export interface LoadQueues {
  /** Objects that are not loaded yet. */
  readonly pending: EncryptedQueue;
  /** Loader runs that failed for good, and scheduled starts that did not reach the loader. */
  readonly failures: EncryptedQueue;
}

export function createLoadQueues(
  instance: string,
  { context }: WarehouseSettings,
  sources: ArchiveSources,
  parent: pulumi.Resource,
): LoadQueues {
  const { partition, region, accountId } = currentAccount(parent);
  const pending = new EncryptedQueue(
    `${instance}-load`,
    {
      key: context.key,
      // The loader deletes a message only once its transaction is FINISHED, which is at its own time limit at the latest.
      visibilityTimeoutSeconds: LOADER_TIMEOUT_SECONDS,
      maxReceives: 5,
      senders: [{ service: "s3.amazonaws.com", sourceArns: sources.bucketArns }],
    },
    { parent },
  );
  // Rules of the default bus; Pulumi chooses the name of the schedule.
  const rules = pulumi.interpolate`arn:${partition}:events:${region}:${accountId}:rule/${instance}-*`;
  const failures = new EncryptedQueue(
    `${instance}-failed-loads`,
    { key: context.key, deadLetter: false, senders: [{ service: "events.amazonaws.com", sourceArns: [rules] }] },
    { parent },
  );
  return { pending, failures };
}

/** What the loader needs. */
export interface LoaderResources {
  readonly sources: ArchiveSources;
  readonly queues: LoadQueues;
  readonly workgroupName: pulumi.Input<string>;
  readonly workgroupArn: pulumi.Input<string>;
  readonly copyRole: Role;
}

export function createLoader(
  instance: string,
  { context, database, transform }: WarehouseSettings,
  { sources, queues, workgroupName, workgroupArn, copyRole }: LoaderResources,
  parent: pulumi.Resource,
): PlatformFunction {
  const loader = new PlatformFunction(
    `${instance}-loader`,
    {
      ...context,
      description: "Loads new archive objects into the warehouse",
      entry: "warehouse-loader",
      callbackFactory: () => require("./bundles/warehouse-loader/index.js").handler,
      memoryMb: 512,
      timeoutSeconds: LOADER_TIMEOUT_SECONDS,
      // A lock in the warehouse serialises loads; a second loader would only wait there, and cost money.
      reservedConcurrency: 1,
      environment: {
        LOAD_QUEUE_URL: queues.pending.url,
        WORKGROUP_NAME: workgroupName,
        DATABASE_NAME: database.name,
        COPY_ROLE_ARN: copyRole.arn,
        MANIFEST_BUCKET: sources.manifestBucket,
        METRIC_NAMESPACE,
        ENVIRONMENT: environmentOf(context.naming),
        LOG_LEVEL: "info",
      },
      permissions: [
        ...queryStatements(workgroupArn),
        ...queues.pending.consumeStatements(),
        { sid: "WriteManifests", actions: ["s3:PutObject"], resources: [sources.manifests] },
        ...queues.failures.sendStatements(),
      ],
      // Redshift gives a federated user the database roles in this tag of its IAM role.
      roleTags: { RedshiftDbRoles: "risk_loader" },
      ...(transform.loader ? { transform: transform.loader } : {}),
    },
    { parent },
  );
  new FunctionEventInvokeConfig(
    `${instance}-loader-failures`,
    {
      functionName: loader.functionName,
      // The next scheduled run tries again anyway: what is not loaded stays in the queue.
      maximumRetryAttempts: 0,
      maximumEventAgeInSeconds: 3600,
      destinationConfig: { onFailure: { destination: queues.failures.arn } },
    },
    { parent },
  );
  return loader;
}

export function scheduleLoads(
  instance: string,
  { loading }: WarehouseSettings,
  loader: PlatformFunction,
  failures: EncryptedQueue,
  migration: Invocation,
  parent: pulumi.Resource,
): void {
  const rule = new EventRule(
    `${instance}-load-schedule`,
    { description: "Loads new archive objects into the warehouse", scheduleExpression: loading.schedule },
    // Nothing is loaded before the tables exist.
    { parent, dependsOn: [migration] },
  );
  const permission = new Permission(
    `${instance}-load-permission`,
    {
      action: "lambda:InvokeFunction",
      function: loader.functionName,
      principal: "events.amazonaws.com",
      sourceArn: rule.arn,
    },
    { parent },
  );
  new EventTarget(
    `${instance}-load-target`,
    { rule: rule.name, arn: loader.arn, input: "{}", deadLetterConfig: { arn: failures.arn } },
    { parent, dependsOn: [permission] },
  );
}

/** Alarms when the loader fails, an object waits too long, or an object was given up. */
export function createLoadAlarms(
  instance: string,
  { context, loading: { freshnessAlarmMinutes } }: WarehouseSettings,
  loader: PlatformFunction,
  { pending, failures }: LoadQueues,
  parent: pulumi.Resource,
): MetricAlarm[] {
  const alarms: AlarmContext = { parent, topicArn: context.alarmTopicArn };
  const notEmpty = (name: string, queue: EncryptedQueue, description: string) =>
    queueNotEmptyAlarm(`${instance}-${name}`, alarms, queue.queueName, description);
  return [
    ...functionAlarms(`${instance}-loader`, alarms, {
      functionName: loader.functionName,
      timeoutSeconds: LOADER_TIMEOUT_SECONDS,
      errorRatePercent: 50,
      // A backlog is worked off until the time is up. A scheduled start that meets such a run is throttled, waits in Lambda's own queue and
      // runs afterwards. The freshness alarm reports when that is too slow.
      drains: true,
    }),
    alarm(`${instance}-freshness`, alarms, {
      alarmDescription: `An archive object has waited more than ${freshnessAlarmMinutes} minutes for the warehouse.`,
      namespace: "AWS/SQS",
      metricName: "ApproximateAgeOfOldestMessage",
      dimensions: { QueueName: pending.queueName },
      statistic: "Maximum",
      period: 300,
      evaluationPeriods: 1,
      threshold: freshnessAlarmMinutes * 60,
    }),
    ...(pending.deadLetterQueue
      ? [notEmpty("unloadable", pending.deadLetterQueue, "An archive object could not be loaded after five attempts.")]
      : []),
    notEmpty("failed-load", failures, "A run of the loader failed; the message holds its error."),
  ];
}
