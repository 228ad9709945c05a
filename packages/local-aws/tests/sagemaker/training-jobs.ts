import {
  CreateTrainingJobCommand,
  type CreateTrainingJobCommandInput,
  DescribeTrainingJobCommand,
  SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import { archive, BUCKET, jobsWorld, READ_WRITE } from "../jobs/world";

export type Changes = Partial<CreateTrainingJobCommandInput>;

export const ROLE = "arn:aws:iam::000000000000:role/training";

export const channel = (ChannelName: string, key: string) => ({
  ChannelName,
  DataSource: {
    S3DataSource: {
      S3DataType: "S3Prefix" as const,
      S3Uri: `s3://${BUCKET}/${key}`,
      S3DataDistributionType: "FullyReplicated" as const,
    },
  },
});

/** The channel of the source. */
export const CODE = channel("code", "code/source.tar.gz");

/** A world with data to train on, and training jobs that differ from a plain one in what a test says. */
export async function trainingJobs() {
  const world = await jobsWorld();
  const client = new SageMakerClient(world.client());
  world.role("training", "sagemaker.amazonaws.com", READ_WRITE);
  await world.put("training/data/m/train/part-0.parquet", "a");
  await world.put("training/data/m/train/deep/part-1.parquet", "b");
  await world.put("training/data/m/training-notes.txt", "c");
  await world.put("config/datasets/fraud.json", "{}");
  let number = 0;
  const request = (input: Changes = {}): CreateTrainingJobCommandInput => {
    number += 1;
    return {
      TrainingJobName: `fraud-20260102-${number}`,
      RoleArn: ROLE,
      AlgorithmSpecification: { TrainingImage: "xgboost:1.7-1", TrainingInputMode: "File" },
      HyperParameters: {
        sagemaker_program: "train.py",
        sagemaker_submit_directory: "/opt/ml/input/data/code/source.tar.gz",
        max_depth: "6",
      },
      InputDataConfig: [channel("train", "training/data/m/train/"), CODE],
      OutputDataConfig: { S3OutputPath: `s3://${BUCKET}/models/fraud/` },
      ResourceConfig: { InstanceType: "ml.m5.large", InstanceCount: 1, VolumeSizeInGB: 10 },
      StoppingCondition: { MaxRuntimeInSeconds: 3600 },
      Environment: { PIP_NO_BUILD_ISOLATION: "0" },
      EnableNetworkIsolation: true,
      ...input,
    };
  };
  const describeJob = (TrainingJobName: string | undefined) => client.send(new DescribeTrainingJobCommand({ TrainingJobName }));
  /** Without a script the source archive stays as it is. Returns the job's name. */
  const create = async (script: string | undefined, input: Changes = {}): Promise<string> => {
    if (script !== undefined) await world.put("code/source.tar.gz", archive({ "train.py": script, "helper.py": "" }));
    const wanted = request(input);
    await client.send(new CreateTrainingJobCommand(wanted));
    return wanted.TrainingJobName ?? "";
  };
  const finished = async (script: string | undefined, input: Changes = {}) => {
    const name = await create(script, input);
    await world.settled();
    return describeJob(name);
  };
  const artifact = (name: string | undefined, file = "model.tar.gz") =>
    world.s3.get(BUCKET, `models/fraud/${name}/output/${file}`);
  const end = async () => {
    client.destroy();
    await world.end();
  };
  return { world, client, request, describeJob, create, finished, artifact, end };
}

export type TrainingJobs = Awaited<ReturnType<typeof trainingJobs>>;
