/** What SageMaker may do for a training and for a model, and what the state machines may ask of it. */
import type { Role } from "@pulumi/aws/iam";
import * as pulumi from "@pulumi/pulumi";
import type { Account } from "../shared/account";
import { grant, mergeStatements, type Statement, serviceRole } from "../shared/iam";
import type { TrainingImage } from "../shared/pipeline-image";
import type { TrainingSettings } from "./settings";

/** The role of training jobs: reads the rows and the code, writes models and checkpoints. */
export function createTrainingRole(
  instance: string,
  { store, context, image, account }: TrainingSettings,
  parent: pulumi.Resource,
): Role {
  return sagemakerRole(
    `${instance}-sagemaker`,
    "SageMaker trains a model",
    [
      ...store.bucket.readStatements(["training/data/", "config/datasets/", "code/sagemaker/", "temp/checkpoints/"]),
      ...store.bucket.writeStatements(["models/", "temp/checkpoints/"]),
      ...volumeStatements(context.key.arn),
      ...containerStatements("TrainingJobs", image, account),
    ],
    parent,
  );
}

/** The role of models, with which batch transform works: reads a day's rows, writes its predictions. */
export function createModelRole(
  instance: string,
  { store, context, image, account }: TrainingSettings,
  parent: pulumi.Resource,
): Role {
  return sagemakerRole(
    `${instance}-model`,
    "SageMaker serves a model in batch",
    [
      ...store.bucket.readStatements(["models/", "inference/input/"]),
      ...store.bucket.writeStatements(["inference/output/"]),
      ...volumeStatements(context.key.arn),
      ...containerStatements("TransformJobs", image, account),
    ],
    parent,
  );
}

function sagemakerRole(name: string, description: string, statements: readonly Statement[], parent: pulumi.Resource): Role {
  const role = serviceRole(`${name}-role`, { service: "sagemaker.amazonaws.com", description }, { parent });
  grant(`${name}-permissions`, role, mergeStatements(statements), { parent });
  return role;
}

/** A volume encrypted with the stack's key needs a grant, which SageMaker passes on to EBS and to nobody else. */
function volumeStatements(keyArn: pulumi.Input<string>): Statement[] {
  return [
    { sid: "DescribeKey", actions: ["kms:DescribeKey", "kms:Encrypt"], resources: [keyArn] },
    {
      sid: "EncryptVolumes",
      actions: ["kms:CreateGrant"],
      resources: [keyArn],
      conditions: { Bool: { "kms:GrantIsForAWSResource": "true" } },
    },
  ];
}

/** Pulls the container, writes its log and its metrics. SageMaker chooses the names of the log groups. */
function containerStatements(
  kind: "TrainingJobs" | "TransformJobs",
  image: pulumi.Output<TrainingImage>,
  { partition, region, accountId }: Account,
): Statement[] {
  const logs = pulumi.interpolate`arn:${partition}:logs:${region}:${accountId}:log-group:/aws/sagemaker/${kind}`;
  return [
    {
      sid: "WriteLogs",
      actions: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
      resources: [logs, pulumi.interpolate`${logs}:*`],
    },
    {
      sid: "WriteMetrics",
      actions: ["cloudwatch:PutMetricData"],
      resources: ["*"],
      conditions: { StringEquals: { "cloudwatch:namespace": `/aws/sagemaker/${kind}` } },
    },
    { sid: "SignInToRegistry", actions: ["ecr:GetAuthorizationToken"], resources: ["*"] },
    {
      sid: "PullContainer",
      actions: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
      resources: [image.repositoryArn],
    },
  ];
}
