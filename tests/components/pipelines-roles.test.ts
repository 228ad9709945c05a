/** Who may do what in the pipelines: the policy of every role, in full. */
import { beforeAll, describe, expect, it } from "vitest";
import { type Evaluation, evaluateStack } from "../helpers/recorder";
import { BUCKET, grants, KEY } from "./pipeline-grants";

let dev: Evaluation;
beforeAll(async () => {
  dev = await evaluateStack("dev");
}, 60_000);

const USE_KEY = [["kms:Decrypt", "kms:GenerateDataKey"], [KEY]];
const READ_KEY = [["kms:Decrypt"], [KEY]];
const LIST = [["s3:ListBucket"], [BUCKET]];
const OWN_LOGS = (name: string) => [["logs:CreateLogStream", "logs:PutLogEvents"], [`${name}-logs-0001:*`]];
const PARAMETERS = [
  "parameter/fraud-detection/dev/a1/models",
  "parameter/scoring-churn-scoring/dev/a1/models",
  "parameter/scoring-device-scoring/dev/a1/models",
];

describe("roles of functions", () => {
  it("plan a training: read documents, uploaded files and the champion", () => {
    expect(grants(dev, "training-plan")).toEqual({
      WriteLogs: OWN_LOGS("training-plan"),
      ReadObjects: [["s3:GetObject"], ["config/datasets/*", "training/source/*"]],
      ListObjects: LIST,
      ReadKey: READ_KEY,
      ReadModels: [["ssm:GetParameter"], PARAMETERS],
    });
  });

  it("plan batch scoring: the same, and whether the champion has an archive", () => {
    expect(grants(dev, "inference-plan")).toMatchObject({
      ReadObjects: [["s3:GetObject"], ["config/datasets/*", "training/source/*", "models/*"]],
      ReadModels: [["ssm:GetParameter"], PARAMETERS],
    });
  });

  it("judge data only by its statistics, and days by their manifests", () => {
    expect(grants(dev, "training-quality-gate")).toEqual({
      WriteLogs: OWN_LOGS("training-quality-gate"),
      ReadObjects: [["s3:GetObject"], ["config/datasets/*", "training/data/*"]],
      ListObjects: LIST,
      ReadKey: READ_KEY,
    });
    expect(grants(dev, "inference-batch-gate")).toEqual({
      WriteLogs: OWN_LOGS("inference-batch-gate"),
      ReadObjects: [["s3:GetObject"], ["config/datasets/*", "inference/input/*"]],
      ListObjects: LIST,
      ReadKey: READ_KEY,
    });
  });

  it("judge models: write reports and nothing else", () => {
    expect(grants(dev, "training-evaluation-gate")).toEqual({
      WriteLogs: OWN_LOGS("training-evaluation-gate"),
      ReadObjects: [["s3:GetObject"], ["config/datasets/*", "models/*"]],
      ListObjects: LIST,
      ReadKey: READ_KEY,
      WriteObjects: [["s3:PutObject"], ["models/fraud/*/report/*", "models/churn/*/report/*", "models/device/*/report/*"]],
      UseKey: USE_KEY,
      ReadObjects2: [["s3:GetObject"], modelObjects()],
      ListObjects2: [["s3:ListBucket"], ["models-bucket-0001"]],
      ReadKey2: READ_KEY,
      ReadModels: [["ssm:GetParameter"], PARAMETERS],
    });
  });

  it("promote: are the only ones that change which model answers", () => {
    expect(grants(dev, "training-promotion")).toEqual({
      WriteLogs: OWN_LOGS("training-promotion"),
      ReadObjects: [["s3:GetObject"], ["config/datasets/*", "models/*"]],
      ListObjects: LIST,
      ReadKey: READ_KEY,
      ReadObjects2: [["s3:GetObject"], modelObjects()],
      ListObjects2: [["s3:ListBucket"], ["models-bucket-0001"]],
      ReadKey2: READ_KEY,
      WriteObjects: [["s3:PutObject"], modelObjects()],
      UseKey: USE_KEY,
      ChangeModels: [["ssm:GetParameter", "ssm:PutParameter"], PARAMETERS],
      ReadMetrics: [["cloudwatch:GetMetricData"], ["*"]],
    });
    const writers = dev
      .ofType("aws:iam/rolePolicy:RolePolicy")
      .filter(({ inputs }) => /PutParameter/.test(String(inputs.policy)));
    expect(writers.map(({ name }) => name)).toEqual(["training-promotion-permissions"]);
  });

  const modelObjects = () => ["fraud", "churn", "device"].map((profile) => `models-bucket-0001/models/${profile}/*`);
});

describe("roles of jobs", () => {
  it.each([
    ["training-extract", ["training/source/*", "training/data/*", "temp/*"], ["training/data/*", "temp/*"]],
    ["inference-extract", ["training/source/*", "inference/input/*", "temp/*"], ["inference/input/*", "temp/*"]],
    [
      "inference-load",
      ["inference/input/*", "inference/output/*", "inference/scores/*", "temp/*"],
      ["inference/scores/*", "temp/*"],
    ],
  ])("let %s replace its own prefixes and run SQL as risk_batch", (name, reads, replaces) => {
    const workgroup = expect.stringContaining("warehouse-");
    expect(grants(dev, name)).toEqual({
      WriteLogs: [
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:AssociateKmsKey"],
        [`log-group:/aws-glue/jobs/${name}-dev-a1/*`],
      ],
      WriteMetrics: [["cloudwatch:PutMetricData"], ["*"]],
      ReadObjects: [["s3:GetObject"], ["code/glue/*", "config/datasets/*", ...reads]],
      ListObjects: LIST,
      ReadKey: READ_KEY,
      WriteObjects: [["s3:PutObject"], replaces],
      UseKey: USE_KEY,
      ReplaceObjects: [["s3:DeleteObject"], replaces],
      DescribeKey: [["kms:DescribeKey", "kms:Encrypt"], [KEY]],
      RunSql: [["redshift-data:ExecuteStatement", "redshift-data:BatchExecuteStatement"], [workgroup]],
      FollowSql: [
        ["redshift-data:DescribeStatement", "redshift-data:GetStatementResult", "redshift-data:CancelStatement"],
        ["*"],
      ],
      LogIn: [["redshift-serverless:GetCredentials"], [workgroup]],
    });
    expect(dev.find("aws:iam/role:Role", `${name}-role`).inputs.tags).toMatchObject({ RedshiftDbRoles: "risk_batch" });
  });

  it("let SageMaker train on rows and write models, and transform rows and write predictions", () => {
    const training = grants(dev, "training-sagemaker");
    expect(training.ReadObjects).toEqual([
      ["s3:GetObject"],
      ["training/data/*", "config/datasets/*", "code/sagemaker/*", "temp/checkpoints/*"],
    ]);
    expect(training.WriteObjects).toEqual([["s3:PutObject"], ["models/*", "temp/checkpoints/*"]]);
    expect(training.PullContainer?.[1]).toEqual(["repository/sagemaker-xgboost"]);
    const model = grants(dev, "training-model");
    expect(model.ReadObjects).toEqual([["s3:GetObject"], ["models/*", "inference/input/*"]]);
    expect(model.WriteObjects).toEqual([["s3:PutObject"], ["inference/output/*"]]);
    for (const granted of [training, model]) expect(granted.EncryptVolumes).toEqual([["kms:CreateGrant"], [KEY]]);
  });

  it("let Redshift write extracts and read scores, besides the archive", () => {
    expect(grants(dev, "warehouse-exchange")).toEqual({
      WriteExtracts: [["s3:PutObject"], ["temp/*"]],
      ReadScores: [["s3:GetObject"], ["inference/scores/*"]],
      ListBucket: [["s3:ListBucket", "s3:GetBucketLocation"], [BUCKET]],
      UseKey: USE_KEY,
    });
    const roles = dev.find("aws:redshiftserverless/namespace:Namespace", "warehouse-namespace").inputs.iamRoles;
    expect(roles).toEqual([expect.stringContaining("warehouse-copy-role"), expect.stringContaining("warehouse-exchange-role")]);
  });
});

describe("roles of state machines", () => {
  const own = ["DeliverLogs", "WriteTraces", "SendNotices", "UseKey"];
  const tasks = (role: string) => Object.fromEntries(Object.entries(grants(dev, role)).filter(([sid]) => !own.includes(sid)));
  const jobs = (kind: string) => ["fraud", "churn", "device"].map((name) => `${kind}/${name}-*`);

  it("train with the functions, the job and the roles of training", () => {
    expect(tasks("training-steps")).toEqual({
      CallFunctions: [["lambda:InvokeFunction"], functions("training-plan", "training-quality-gate", "training-evaluation-gate")],
      RunJobs: [runs, ["training-extract-job-0001"]],
      RunTrainingJobs: [
        ["sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob", "sagemaker:AddTags"],
        jobs("training-job"),
      ],
      HearTrainingJobs: [
        ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
        ["rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule"],
      ],
      CreateModels: [["sagemaker:CreateModel", "sagemaker:AddTags"], jobs("model")],
      RegisterVersions: [["sagemaker:CreateModelPackage", "sagemaker:AddTags"], expect.any(Array)],
      PassRoles: [["iam:PassRole"], ["training-sagemaker-role-0001", "training-model-role-0001"]],
    });
  });

  it("promote with the promotion function and the registry's entry", () => {
    expect(tasks("training-promotion-steps")).toEqual({
      CallFunctions: [["lambda:InvokeFunction"], functions("training-promotion")],
      DescribeVersions: [
        ["sagemaker:DescribeModelPackage"],
        ["fraud", "churn", "device"].map((name) => `model-package/training-${name}-dev-a1/*`),
      ],
    });
  });

  it("score in batch with the functions and jobs of batch scoring", () => {
    expect(tasks("inference-steps")).toEqual({
      CallFunctions: [["lambda:InvokeFunction"], functions("inference-plan", "inference-batch-gate")],
      RunJobs: [runs, ["inference-extract-job-0001", "inference-load-job-0001"]],
      RunTransformJobs: [
        ["sagemaker:CreateTransformJob", "sagemaker:DescribeTransformJob", "sagemaker:StopTransformJob", "sagemaker:AddTags"],
        [...jobs("transform-job"), ...jobs("model")],
      ],
      HearTransformJobs: [
        ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
        ["rule/StepFunctionsGetEventsForSageMakerTransformJobsRule"],
      ],
    });
  });

  it("send notices to the alarm topic, and are started with a role that can do nothing else", () => {
    expect(grants(dev, "inference-steps").SendNotices).toEqual([["sns:Publish"], ["alarms-topic-0001"]]);
    expect(grants(dev, "inference-start")).toEqual({
      StartExecutions: [["states:StartExecution"], ["inference-steps-machine-0001"]],
    });
  });

  const runs = ["glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"];
  const functions = (...names: string[]) => names.map((name) => `${name}-function-0001`);
});
