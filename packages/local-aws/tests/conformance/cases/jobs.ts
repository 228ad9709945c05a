import {
  GetJobRunCommand,
  GetSchemaByDefinitionCommand,
  GetSchemaVersionCommand,
  RegisterSchemaVersionCommand,
  StartJobRunCommand,
} from "@aws-sdk/client-glue";
import { InvokeCommand } from "@aws-sdk/client-lambda";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import {
  CreateModelCommand,
  CreateModelPackageCommand,
  CreateTrainingJobCommand,
  CreateTransformJobCommand,
  DescribeModelPackageCommand,
  DescribeTrainingJobCommand,
  DescribeTransformJobCommand,
  ListModelPackagesCommand,
  UpdateModelPackageCommand,
} from "@aws-sdk/client-sagemaker";
import type { Case } from "../sides";

export const jobs: readonly Case[] = [
  {
    name: "a Glue job is started, and what is no job or run is refused",
    run: async ({ given, glue, quiet, note, refused }) => {
      const JobName = "conformance-job";
      await given.job(JobName);
      const { JobRunId } = await glue.send(new StartJobRunCommand({ JobName, Arguments: { "--day": "monday" } }));
      note(JobRunId?.slice(0, 3));
      const { JobRun } = await quiet.glue.send(new GetJobRunCommand({ JobName, RunId: JobRunId }));
      note([JobRun?.Id === JobRunId, JobRun?.JobName, JobRun?.Arguments, JobRun?.Attempt], "Glue.GetJobRun");
      await refused(glue.send(new StartJobRunCommand({ JobName: "none" })));
      await refused(glue.send(new GetJobRunCommand({ JobName, RunId: "jr_none" })));
    },
  },
  {
    name: "versions of a schema are registered once, and found by id, number and definition",
    run: async ({ given, glue, refused }) => {
      const [RegistryName, SchemaName] = ["conformance-schemas", "Payment"];
      const definition = (...fields: readonly object[]) => JSON.stringify({ type: "record", name: "Payment", fields });
      const id = { name: "id", type: "string" };
      const [first, second] = [definition(id), definition(id, { name: "note", type: ["null", "string"], default: null })];
      await given.schema(RegistryName, SchemaName, first);
      const SchemaId = { RegistryName, SchemaName };
      const register = (SchemaDefinition: string) => glue.send(new RegisterSchemaVersionCommand({ SchemaId, SchemaDefinition }));
      const { SchemaVersionId } = await register(second);
      await register(second);
      await glue.send(new GetSchemaVersionCommand({ SchemaVersionId }));
      await glue.send(new GetSchemaVersionCommand({ SchemaId, SchemaVersionNumber: { VersionNumber: 1 } }));
      await glue.send(new GetSchemaVersionCommand({ SchemaId, SchemaVersionNumber: { LatestVersion: true } }));
      await glue.send(new GetSchemaByDefinitionCommand({ SchemaId, SchemaDefinition: second }));
      await refused(register("{"));
      await refused(glue.send(new GetSchemaVersionCommand({ SchemaVersionId: "00000000-0000-4000-8000-000000000000" })));
      await refused(glue.send(new GetSchemaVersionCommand({ SchemaVersionId: "none" })));
      await refused(glue.send(new GetSchemaByDefinitionCommand({ SchemaId, SchemaDefinition: definition() })));
    },
  },
  {
    name: "versions of a model are registered, listed and approved",
    run: async ({ given, sagemaker, refused }) => {
      const ModelPackageGroupName = "conformance-models";
      await given.modelPackageGroup(ModelPackageGroupName);
      const created = await sagemaker.send(
        new CreateModelPackageCommand({
          ModelPackageGroupName,
          ModelApprovalStatus: "PendingManualApproval",
          CustomerMetadataProperties: { profile: "fraud" },
          InferenceSpecification: {
            Containers: [
              {
                Image: "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
                ModelDataUrl: "s3://conformance-scripts/model.tar.gz",
              },
            ],
            SupportedContentTypes: ["text/csv"],
            SupportedResponseMIMETypes: ["text/csv"],
          },
        }),
      );
      const { ModelPackageArn: ModelPackageName = "" } = created;
      await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName }));
      await sagemaker.send(new ListModelPackagesCommand({ ModelPackageGroupName }));
      await sagemaker.send(
        new UpdateModelPackageCommand({
          ModelPackageArn: ModelPackageName,
          ModelApprovalStatus: "Approved",
          ApprovalDescription: "good",
        }),
      );
      await sagemaker.send(new ListModelPackagesCommand({ ModelPackageGroupName }));
      const none = `${ModelPackageName}0`;
      await refused(sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: none })));
      await refused(sagemaker.send(new UpdateModelPackageCommand({ ModelPackageArn: none, ModelApprovalStatus: "Approved" })));
      await refused(sagemaker.send(new ListModelPackagesCommand({ ModelPackageGroupName: "none" })));
      await refused(sagemaker.send(new CreateModelPackageCommand({ ModelPackageGroupName: "none" })));
    },
  },
  {
    name: "jobs of SageMaker are made once, and tell what they were asked for",
    run: async ({ given, quiet, sagemaker, note, refused }) => {
      await given.bucket("conformance-scripts");
      await quiet.s3.send(new PutObjectCommand({ Bucket: "conformance-scripts", Key: "model.tar.gz", Body: "a model" }));
      const RoleArn = await given.role("conformance-sagemaker", "sagemaker");
      const image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1";
      const training = new CreateTrainingJobCommand({
        TrainingJobName: "conformance-training",
        RoleArn,
        AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: "File" },
        HyperParameters: {
          sagemaker_program: "train.py",
          sagemaker_submit_directory: "/opt/ml/input/data/code/source.tar.gz",
        },
        InputDataConfig: ["train", "code"].map((ChannelName) => ({
          ChannelName,
          DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: `s3://conformance-scripts/${ChannelName}/` } },
        })),
        OutputDataConfig: { S3OutputPath: "s3://conformance-scripts/models/" },
        ResourceConfig: { InstanceType: "ml.m5.large", InstanceCount: 1, VolumeSizeInGB: 10 },
        StoppingCondition: { MaxRuntimeInSeconds: 60 },
        EnableNetworkIsolation: true,
      });
      await sagemaker.send(training);
      await refused(sagemaker.send(training));
      const job = await quiet.sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: "conformance-training" }));
      note(
        [job.TrainingJobArn, job.RoleArn, job.HyperParameters, job.ResourceConfig, job.StoppingCondition],
        "SageMaker.DescribeTrainingJob",
      );
      const model = new CreateModelCommand({
        ModelName: "conformance-model",
        ExecutionRoleArn: RoleArn,
        EnableNetworkIsolation: true,
        PrimaryContainer: {
          Image: image,
          ModelDataUrl: "s3://conformance-scripts/model.tar.gz",
          Environment: { SAGEMAKER_PROGRAM: "inference.py", SAGEMAKER_SUBMIT_DIRECTORY: "/opt/ml/model/code" },
        },
      });
      await sagemaker.send(model);
      await refused(sagemaker.send(model));
      const transform = new CreateTransformJobCommand({
        TransformJobName: "conformance-transform",
        ModelName: "conformance-model",
        TransformInput: {
          DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: "s3://conformance-scripts/rows/" } },
          ContentType: "text/csv",
          SplitType: "Line",
        },
        TransformOutput: { S3OutputPath: "s3://conformance-scripts/scores/", Accept: "text/csv", AssembleWith: "Line" },
        TransformResources: { InstanceType: "ml.m5.large", InstanceCount: 1 },
        DataProcessing: { InputFilter: "$[1:]", JoinSource: "Input", OutputFilter: "$[0,-1]" },
      });
      await sagemaker.send(transform);
      await refused(sagemaker.send(transform));
      const scoring = await quiet.sagemaker.send(new DescribeTransformJobCommand({ TransformJobName: "conformance-transform" }));
      note(
        [scoring.TransformJobArn, scoring.ModelName, scoring.TransformInput, scoring.TransformOutput],
        "SageMaker.DescribeTransformJob",
      );
      await refused(sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: "none" })));
      await refused(sagemaker.send(new DescribeTransformJobCommand({ TransformJobName: "none" })));
    },
  },
  {
    name: "a missing function is refused",
    run: async ({ lambda, refused }) => {
      await refused(lambda.send(new InvokeCommand({ FunctionName: "none", Payload: Buffer.from("{}") })));
    },
  },
];
