/** Records of a delivery stream: its transformation scores them, and the delivery stream itself writes the archive. */
import { LogGroup, LogStream, type MetricAlarm } from "@pulumi/aws/cloudwatch";
import type { Role } from "@pulumi/aws/iam";
import { FirehoseDeliveryStream } from "@pulumi/aws/kinesis";
import * as pulumi from "@pulumi/pulumi";
import { FAILED_DELIVERIES } from "../../functions/shared/object-keys";
import type { PlatformFunction } from "../shared/function";
import { grant, type Statement, serviceRole } from "../shared/iam";
import type { FirehoseTrigger } from "./args";
import { createFirehoseAlarms } from "./firehose-alarms";
import { createScorer, type ScorerResources } from "./scorer";
import type { StreamSettings } from "./settings";

export interface FirehoseNodes {
  readonly deliveryStream: FirehoseDeliveryStream;
  readonly function: PlatformFunction;
  readonly role: Role;
  readonly alarms: readonly MetricAlarm[];
}

/** Lambda answers with at most 6 MB, and a line is up to twenty times its record. Firehose takes 0.2 to 3 MB. */
const TRANSFORMED_MB = 0.5;
/** Of lines, before they are compressed. Larger objects are fewer; the interval ends most of them earlier. */
const OBJECT_MB = 64;
/** Firehose's own default, which the provider must not be told: it would see a difference at every update. */
const DEFAULT_SECONDS = 60;
const LOG_STREAM = "delivery";

export function createFirehoseTrigger(
  instance: string,
  trigger: FirehoseTrigger,
  settings: StreamSettings,
  resources: ScorerResources,
  parent: pulumi.Resource,
): FirehoseNodes {
  const { context, function: size, transform } = settings;
  const scorer = createScorer(
    `${instance}-transformation`,
    {
      description: `Scores the records of the delivery stream of ${instance}`,
      entry: "firehose-scoring",
      callbackFactory: () => require("./bundles/firehose-scoring/index.js").handler,
      // An invocation that is refused four times gives its records up, so other functions must not use up the account's executions.
      reservedConcurrency: size.reservedConcurrency,
      permissions: [],
      transform: transform.firehoseFunction,
    },
    settings,
    resources,
    parent,
  );
  const logGroup = new LogGroup(
    `${instance}-delivery-logs`,
    { retentionInDays: context.logRetentionDays, kmsKeyId: context.key.arn },
    { parent },
  );
  // Firehose doesn't make it.
  const logStream = new LogStream(`${instance}-delivery-log`, { name: LOG_STREAM, logGroupName: logGroup.name }, { parent });
  const role = serviceRole(
    `${instance}-delivery-role`,
    { service: "firehose.amazonaws.com", description: `Delivers the scored records of ${instance} to its archive` },
    { parent },
  );
  const permissions = grant(`${instance}-delivery`, role, statements(settings, resources, scorer, logGroup), { parent });
  const deliveryStream = new FirehoseDeliveryStream(
    `${instance}-delivery`,
    {
      destination: "extended_s3",
      serverSideEncryption: { enabled: true, keyType: "CUSTOMER_MANAGED_CMK", keyArn: context.key.arn },
      extendedS3Configuration: {
        ...destination(trigger, settings, resources),
        roleArn: role.arn,
        cloudwatchLoggingOptions: { enabled: true, logGroupName: logGroup.name, logStreamName: logStream.name },
        processingConfiguration: { enabled: true, processors: [processor(trigger, scorer)] },
      },
    },
    { parent, protect: context.deletionProtection, dependsOn: [permissions, scorer.policy] },
  );
  const alarms = createFirehoseAlarms(instance, trigger, settings, scorer, deliveryStream, parent);
  return { deliveryStream, function: scorer, role, alarms };
}

function destination({ bufferSeconds }: FirehoseTrigger, { context, profile }: StreamSettings, { dataBucket }: ScorerResources) {
  return {
    bucketArn: dataBucket.arn,
    prefix: `archive/${profile.id}/dt=!{timestamp:yyyy-MM-dd}/`,
    // Records as they were sent: Firehose can keep them in no other bucket than the archive's.
    errorOutputPrefix: `${FAILED_DELIVERIES}!{firehose:error-output-type}/dt=!{timestamp:yyyy-MM-dd}/`,
    bufferingInterval: bufferSeconds,
    bufferingSize: OBJECT_MB,
    // Firehose has no Zstandard. The extension tells the loader.
    compressionFormat: "GZIP",
    fileExtension: ".ndjson.gz",
    kmsKeyArn: context.key.arn,
  };
}

function processor({ bufferSeconds }: FirehoseTrigger, { arn }: PlatformFunction) {
  const values: Readonly<Record<string, pulumi.Input<string>>> = {
    LambdaArn: pulumi.interpolate`${arn}:$LATEST`,
    BufferSizeInMBs: String(TRANSFORMED_MB),
    ...(bufferSeconds === DEFAULT_SECONDS ? {} : { BufferIntervalInSeconds: String(bufferSeconds) }),
  };
  const parameters = Object.entries(values).map(([parameterName, parameterValue]) => ({ parameterName, parameterValue }));
  return { type: "Lambda", parameters };
}

/** "Grant Firehose access to an Amazon S3 destination", Data Firehose Developer Guide. */
function statements(
  { context, profile }: StreamSettings,
  { dataBucket }: ScorerResources,
  scorer: PlatformFunction,
  logGroup: LogGroup,
): Statement[] {
  const objects = [`archive/${profile.id}/`, FAILED_DELIVERIES].map((prefix) => pulumi.interpolate`${dataBucket.arn}/${prefix}*`);
  return [
    { sid: "WriteObjects", actions: ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"], resources: objects },
    {
      sid: "FindUploads",
      actions: ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
      resources: [dataBucket.arn],
    },
    {
      sid: "Transform",
      actions: ["lambda:InvokeFunction", "lambda:GetFunctionConfiguration"],
      resources: [scorer.arn, pulumi.interpolate`${scorer.arn}:$LATEST`],
    },
    {
      sid: "LogErrors",
      actions: ["logs:PutLogEvents"],
      resources: [pulumi.interpolate`${logGroup.arn}:log-stream:*`],
    },
    context.key.useStatement(),
  ];
}
