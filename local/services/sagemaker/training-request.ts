/** CreateTrainingJob's request: what is honoured, what only the cloud can do, and what is refused by name. */

import { type S3Location, s3Location } from "../jobs/role-s3";
import type { Input } from "../messaging/input";
import { nameIn, oneOf, plainText } from "./checks";

export const TRAINING_FIELDS = [
  "TrainingJobName",
  "HyperParameters",
  "AlgorithmSpecification",
  "RoleArn",
  "InputDataConfig",
  "OutputDataConfig",
  "ResourceConfig",
  "StoppingCondition",
  "EnableNetworkIsolation",
  "EnableManagedSpotTraining",
  "CheckpointConfig",
  "Environment",
  // Of the cloud: networks, encryption between containers, retries of capacity, profiling, billing.
  "VpcConfig",
  "EnableInterContainerTrafficEncryption",
  "RetryStrategy",
  "ProfilerConfig",
  "Tags",
];

export interface Channel {
  readonly name: string;
  readonly source: S3Location;
  readonly uri: string;
  readonly contentType: string | undefined;
}

export interface MetricDefinition {
  readonly name: string;
  readonly pattern: RegExp;
}

export interface TrainingSpec {
  readonly name: string;
  readonly roleArn: string;
  readonly channels: readonly Channel[];
  readonly hyperParameters: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  /** `sagemaker_submit_directory`: an S3 URI or a path below /opt/ml. */
  readonly source: string;
  /** Below it `<job>/output/model.tar.gz`. */
  readonly output: S3Location;
  readonly kmsKeyId: string | undefined;
  readonly checkpoints: { readonly remote: S3Location; readonly localPath: string } | undefined;
  readonly instanceType: string;
  readonly maxRuntimeSeconds: number;
  readonly networkIsolation: boolean;
  readonly metrics: readonly MetricDefinition[];
}

/** A day, SageMaker's own. */
const DEFAULT_RUNTIME_SECONDS = 86_400;
const LONGEST_SECONDS = 28 * 86_400;

/** @throws AwsError ValidationException naming the member */
export function trainingSpec(input: Input): TrainingSpec {
  const name = nameIn(input, "TrainingJobName");
  const algorithm = need(input, "AlgorithmSpecification", [
    "TrainingImage",
    "TrainingInputMode",
    "MetricDefinitions",
    "EnableSageMakerMetricsTimeSeries",
  ]);
  algorithm.needText("TrainingImage");
  // Channels in FastFile mode read as files do.
  oneOf(algorithm, "TrainingInputMode", ["File", "FastFile"]);
  const output = need(input, "OutputDataConfig", ["S3OutputPath", "KmsKeyId", "CompressionType"]);
  oneOf(output, "CompressionType", ["GZIP"]);
  const resources = need(input, "ResourceConfig", [
    "InstanceType",
    "InstanceCount",
    "VolumeSizeInGB",
    "VolumeKmsKeyId",
    "KeepAlivePeriodInSeconds",
  ]);
  if (resources.needInteger("InstanceCount", 1, 1000) !== 1)
    throw input.error("ResourceConfig.InstanceCount must be 1: one machine does not train on several");
  const hyperParameters = input.textMap("HyperParameters") ?? {};
  const source = plainText(hyperParameters.sagemaker_submit_directory);
  if (plainText(hyperParameters.sagemaker_program) === undefined || source === undefined)
    throw input.error(
      "HyperParameters need sagemaker_program and sagemaker_submit_directory: on one machine a training job runs a script of yours (script mode), not an image's built-in algorithm",
    );
  const stopping = need(input, "StoppingCondition", ["MaxRuntimeInSeconds", "MaxWaitTimeInSeconds"]);
  const maxRuntimeSeconds = stopping.integer("MaxRuntimeInSeconds", 1, LONGEST_SECONDS) ?? DEFAULT_RUNTIME_SECONDS;
  checkSpot(input, stopping, maxRuntimeSeconds);
  return {
    name,
    roleArn: input.needText("RoleArn"),
    channels: (
      input.children("InputDataConfig", [
        "ChannelName",
        "DataSource",
        "ContentType",
        "CompressionType",
        "RecordWrapperType",
        "InputMode",
      ]) ?? []
    ).map(channelOf),
    hyperParameters,
    environment: input.textMap("Environment") ?? {},
    source,
    output: s3Location(output.needText("S3OutputPath"), "OutputDataConfig.S3OutputPath"),
    kmsKeyId: output.text("KmsKeyId"),
    checkpoints: checkpointsOf(input),
    instanceType: resources.needText("InstanceType"),
    maxRuntimeSeconds,
    networkIsolation: input.flag("EnableNetworkIsolation") ?? false,
    metrics: (algorithm.children("MetricDefinitions", ["Name", "Regex"]) ?? []).map(metricOf),
  };
}

function need(input: Input, field: string, known: readonly string[]): Input {
  const child = input.child(field, known);
  if (child === undefined) throw input.error(`${field} is required`);
  return child;
}

function checkSpot(input: Input, stopping: Input, maxRuntimeSeconds: number): void {
  const wait = stopping.integer("MaxWaitTimeInSeconds", 1, LONGEST_SECONDS);
  const spot = input.flag("EnableManagedSpotTraining") ?? false;
  if (!spot && wait !== undefined)
    throw input.error("StoppingCondition.MaxWaitTimeInSeconds is only for EnableManagedSpotTraining; leave it out");
  if (spot && (wait === undefined || wait < maxRuntimeSeconds))
    throw input.error("EnableManagedSpotTraining needs StoppingCondition.MaxWaitTimeInSeconds of at least MaxRuntimeInSeconds");
}

function channelOf(channel: Input): Channel {
  oneOf(channel, "CompressionType", ["None"]);
  oneOf(channel, "RecordWrapperType", ["None"]);
  oneOf(channel, "InputMode", ["File", "FastFile"]);
  const s3 = need(need(channel, "DataSource", ["S3DataSource"]), "S3DataSource", [
    "S3DataType",
    "S3Uri",
    "S3DataDistributionType",
  ]);
  oneOf(s3, "S3DataType", ["S3Prefix"]);
  // With one instance both are all of the data.
  oneOf(s3, "S3DataDistributionType", ["FullyReplicated", "ShardedByS3Key"]);
  const uri = s3.needText("S3Uri");
  const name = channel.needText("ChannelName");
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name) || name === "." || name === "..")
    throw channel.error(`ChannelName must be letters, digits, dots, underscores and hyphens, got '${name}'`);
  return { name, source: s3Location(uri, `S3Uri of channel ${name}`), uri, contentType: channel.text("ContentType") };
}

function checkpointsOf(input: Input): TrainingSpec["checkpoints"] {
  const config = input.child("CheckpointConfig", ["S3Uri", "LocalPath"]);
  if (config === undefined) return undefined;
  const localPath = config.text("LocalPath") ?? "/opt/ml/checkpoints";
  if (!/^\/opt\/ml\/[\w.-]+(\/[\w.-]+)*\/?$/.test(localPath) || localPath.split("/").includes(".."))
    throw config.error(`LocalPath must be a folder below /opt/ml on one machine, got '${localPath}'`);
  return { remote: s3Location(config.needText("S3Uri"), "CheckpointConfig.S3Uri"), localPath };
}

function metricOf(definition: Input): MetricDefinition {
  const regex = definition.needText("Regex");
  try {
    return { name: definition.needText("Name"), pattern: new RegExp(regex) };
  } catch (error) {
    throw definition.error(`Regex '${regex}' cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
