/** CreateTrainingJob's request: what is honoured, what only the cloud can do, and what is refused by name. */
import type { Input } from "../messaging/input";
import {
  flag,
  ignored,
  integer,
  location,
  type Member,
  needInteger,
  only,
  optional,
  optionalText,
  type Read,
  read,
  resourceName,
  structure,
  structures,
  text,
  textMap,
} from "./request";

const channelName: Member<string> = (channel, field) => {
  const name = channel.needText(field);
  if (/^[A-Za-z0-9._-]{1,64}$/.test(name) && name !== "." && name !== "..") return name;
  throw channel.error(`${field} must be letters, digits, dots, underscores and hyphens, got '${name}'`);
};

/** A day, SageMaker's own. */
const DEFAULT_RUNTIME_SECONDS = 86_400;
const LONGEST_SECONDS = 28 * 86_400;

export const TRAINING = {
  TrainingJobName: resourceName,
  RoleArn: text,
  AlgorithmSpecification: structure({ TrainingImage: text, TrainingInputMode: only("File") }),
  HyperParameters: textMap,
  InputDataConfig: structures({
    ChannelName: channelName,
    ContentType: ignored,
    InputMode: optional(only("File")),
    DataSource: structure({
      S3DataSource: structure({
        S3DataType: only("S3Prefix"),
        S3DataDistributionType: optional(only("FullyReplicated")),
        S3Uri: location,
      }),
    }),
  }),
  OutputDataConfig: structure({ S3OutputPath: location, KmsKeyId: optionalText }),
  ResourceConfig: structure({
    InstanceType: text,
    // One machine does not train on several.
    InstanceCount: only(1),
    VolumeSizeInGB: needInteger(1, 16_384),
    VolumeKmsKeyId: optionalText,
  }),
  StoppingCondition: structure({
    MaxRuntimeInSeconds: integer(1, LONGEST_SECONDS, DEFAULT_RUNTIME_SECONDS),
    MaxWaitTimeInSeconds: optional(needInteger(1, LONGEST_SECONDS)),
  }),
  Environment: textMap,
  // No container of the pipelines has a network: what one would need of credentials and downloads does not exist here.
  EnableNetworkIsolation: only(true),
  EnableManagedSpotTraining: flag,
  CheckpointConfig: optional(structure({ S3Uri: location })),
  EnableInterContainerTrafficEncryption: ignored,
  Tags: ignored,
};

export type TrainingRequest = Read<typeof TRAINING> & {
  /** The file of `sagemaker_submit_directory`, below `/opt/ml/`. */
  readonly source: string;
};

/** @throws AwsError ValidationException naming the member */
export function trainingRequest(input: Input): TrainingRequest {
  const request = read(TRAINING, input);
  const { StoppingCondition: stopping, EnableManagedSpotTraining: spot, HyperParameters: parameters } = request;
  const wait = stopping.MaxWaitTimeInSeconds;
  if (!spot && wait !== undefined)
    throw input.error("StoppingCondition.MaxWaitTimeInSeconds is only for EnableManagedSpotTraining; leave it out");
  if (spot && (wait === undefined || wait < stopping.MaxRuntimeInSeconds))
    throw input.error("EnableManagedSpotTraining needs StoppingCondition.MaxWaitTimeInSeconds of at least MaxRuntimeInSeconds");
  const source = /^\/opt\/ml\/(input\/data\/[\w.-]+\/[\w.-]+)$/.exec(parameters.sagemaker_submit_directory ?? "")?.[1];
  if (parameters.sagemaker_program === undefined || source === undefined || source.includes("/../"))
    throw input.error(
      "HyperParameters need sagemaker_program, and sagemaker_submit_directory as a file of a channel (/opt/ml/input/data/<channel>/<file>): on one machine a training job runs a script of yours (script mode), and an isolated container cannot download it",
    );
  return { ...request, source };
}
