/** The definitions of training and promotion as the local interpreter runs them, with services that answer as told: what every failure leads to. */

import { AwsError } from "@risk/local-aws/testing";
import { describe, expect, it } from "vitest";
import { trainingDefinition } from "../../components/training-pipeline/definition";
import { promotionDefinition } from "../../components/training-pipeline/promotion-definition";
import {
  expectFailure,
  FILE,
  failing,
  failure,
  KEY,
  lambda,
  notice,
  notices,
  once,
  parametersOf,
  passing,
  statesOf,
  tasksOf,
} from "./pipelines-execution-failures";
import { type Answer, HANGS, run } from "./pipelines-execution-world";

const training = trainingDefinition({
  notices,
  bucket: "acme",
  keyArn: KEY,
  functions: { plan: lambda("plan"), qualityGate: lambda("quality"), evaluationGate: lambda("evaluation") },
  extractJob: { name: "training", timeoutMinutes: 60 },
  training: { instanceType: "ml.m5.xlarge", volumeGb: 30, maxRuntimeMinutes: 60, spot: { enabled: false } },
  image: "image",
  trainingRoleArn: "arn:aws:iam::000000000000:role/training",
  modelRoleArn: "arn:aws:iam::000000000000:role/model",
  sourcesKey: "code/sagemaker/sourcedir-1.tar.gz",
  group: { prefix: "training-", suffix: "-dev-a1" },
  servingInstanceType: "ml.m5.xlarge",
});
const promotion = promotionDefinition({ notices, promotion: lambda("promotion"), canarySeconds: 1800 });
const PLAN = {
  dataset: "fraud",
  profile: "fraud",
  modelName: "fraud-20260102-0123abcd",
  asOf: "2026-01-02T03:00:00.000Z",
  file: "",
  champion: "fraud-trees-1",
  trainUri: "s3://acme/training/data/fraud/m/train/",
  validationUri: "s3://acme/training/data/fraud/m/validation/",
  holdoutUri: "s3://acme/training/data/fraud/m/holdout/",
  modelOutputUri: "s3://acme/models/fraud/",
  modelUri: "s3://acme/models/fraud/m/output/model.tar.gz",
  reportUri: "s3://acme/models/fraud/m/report/",
  checkpointUri: "s3://acme/temp/checkpoints/m/",
  hyperparameters: { rounds: "300" },
};
const VERSION = "arn:aws:sagemaker:us-east-1:000000000000:model-package/training-fraud-dev-a1/1";
const TRAINED: Readonly<Record<string, object>> = {
  Plan: PLAN,
  ExtractTrainingData: { Id: "jr_1" },
  ExtractTrainingFile: { Id: "jr_1" },
  CheckDataQuality: { rows: 1, checks: [] },
  TrainModel: { BillableTimeInSeconds: 60, ModelArtifacts: { S3ModelArtifacts: PLAN.modelUri } },
  EvaluateModel: {
    metrics: { auc: 0.9 },
    championMetrics: null,
    psi: null,
    comparison: "no champion of its kind",
    evaluationUri: "s3://acme/models/fraud/m/report/evaluation.json",
  },
  CreateModel: { ModelArn: "arn" },
  RegisterModel: { ModelPackageArn: VERSION },
};
const planOf = (file: string) => ({ ...PLAN, file });
const INPUT = { dataset: "fraud" };

describe("training", () => {
  it("goes from the plan to a version that waits for approval", async () => {
    const outcome = await run(training, INPUT, TRAINED);
    expect(outcome).toMatchObject({ status: "SUCCEEDED" });
    expect(outcome.output).toEqual({
      dataset: "fraud",
      modelName: PLAN.modelName,
      modelPackageArn: VERSION,
      metrics: { auc: 0.9 },
      championMetrics: null,
      psi: null,
      reportUri: PLAN.reportUri,
      trainingSeconds: 60,
    });
    expect(parametersOf(outcome, "TrainModel")).toMatchObject({
      TrainingJobName: PLAN.modelName,
      HyperParameters: {
        rounds: "300",
        sagemaker_program: "train.py",
        sagemaker_submit_directory: "/opt/ml/input/data/code/sourcedir-1.tar.gz",
      },
      InputDataConfig: expect.arrayContaining([
        expect.objectContaining({
          ChannelName: "config",
          DataSource: { S3DataSource: expect.objectContaining({ S3Uri: "s3://acme/config/datasets/fraud.json" }) },
        }),
      ]),
    });
    expect(parametersOf(outcome, "RegisterModel")).toMatchObject({
      ModelPackageGroupName: "training-fraud-dev-a1",
      CustomerMetadataProperties: { dataset: "fraud", modelName: PLAN.modelName, execution: "run" },
    });
    expect(parametersOf(outcome, "NotifyRegistered")).toMatchObject({
      Subject: `Model ${PLAN.modelName} waits for approval`,
      Message: expect.stringContaining(`npm run model -- approve ${PLAN.modelName}`),
    });
  });

  it("with a file passes it to the extract", async () => {
    const outcome = await run(training, INPUT, { ...TRAINED, Plan: planOf(FILE) });
    expect(parametersOf(outcome, "ExtractTrainingFile")).toMatchObject({ Arguments: { "--file": FILE, "--dataset": "fraud" } });
    expect(statesOf(outcome)).not.toContain("ExtractTrainingData");
  });

  const failures: readonly (readonly [string, Error, string])[] = [
    ["Plan", failure("InvalidInput", "dataset: expected fraud"), "InvalidInput"],
    ["ExtractTrainingData", failure("any", "column amount vanished"), "States.TaskFailed"],
    ["ExtractTrainingFile", failure("any", "column amount vanished"), "States.TaskFailed"],
    ["CheckDataQuality", failure("DataQualityFailed", "nulls of amount: 0.4, at most 0.2"), "DataQualityFailed"],
    ["TrainModel", failure("any", "AlgorithmError: no rows"), "States.TaskFailed"],
    ["EvaluateModel", failure("EvaluationFailed", "auc 0.7, at least 0.8"), "EvaluationFailed"],
    ["CreateModel", new AwsError("ResourceInUse", "not a JSON text"), "SageMaker.ResourceInUseException"],
    ["RegisterModel", new AwsError("ResourceNotFound", "{ neither is this"), "SageMaker.ResourceNotFoundException"],
    ["NotifyRegistered", new AwsError("NotFound", "no topic"), "SNS.NotFoundException"],
  ];

  it("covers a failure of every task below", () => {
    expect(failures.map(([state]) => state).sort()).toEqual(tasksOf(training).sort());
  });

  it.each(failures)("that fails at %s says why, where and what to do, and goes no further", async (state, error, name) => {
    const outcome = await run(training, INPUT, failing(state, TRAINED, planOf, error));
    expectFailure(outcome, "Training", state, name, error.message);
  });

  it.each(tasksOf(training))("times out and says so when %s hangs", async (state) => {
    const outcome = await run(training, INPUT, failing(state, TRAINED, planOf, HANGS));
    expectFailure(outcome, "Training", state, "States.Timeout", `The task '${state}' did not end within`);
  });

  it.each(tasksOf(training))("retries %s after a temporary error", async (state) => {
    const outcome = await run(
      training,
      INPUT,
      failing(state, TRAINED, planOf, once(passing(training, state), TRAINED[state] ?? {})),
    );
    expect(outcome).toMatchObject({ status: "SUCCEEDED", error: undefined });
    expect(statesOf(outcome).filter((one) => one === state)).toHaveLength(2);
  });

  it("gives up after five more attempts", async () => {
    const down = await run(training, INPUT, { ...TRAINED, Plan: new AwsError("ServiceException", "down", 500) });
    expect(statesOf(down)).toEqual([...Array(6).fill("Plan"), "NotifyFailure"]);
    expect(down.error).toBe("Lambda.ServiceException");
  });

  it.each<readonly [string, Answer]>([
    ["cannot be sent", new AwsError("NotFound", "no topic")],
    ["is not taken in time", HANGS],
  ])("still fails with its own error when the notice %s", async (_, answer) => {
    const outcome = await run(training, INPUT, {
      ...TRAINED,
      Plan: failure("InvalidInput", "no such dataset"),
      NotifyFailure: answer,
    });
    expect(outcome).toMatchObject({ status: "FAILED", error: "InvalidInput", cause: "no such dataset" });
  });
});

const APPROVED = {
  ModelApprovalStatus: "Approved",
  CustomerMetadataProperties: { dataset: "fraud", modelName: PLAN.modelName, execution: "run-1" },
};
const PROMOTED: Readonly<Record<string, object>> = {
  DescribeVersion: APPROVED,
  Convert: { profile: "fraud", sha256: "ab" },
  StartCanary: { changed: true },
  CheckCanary: { healthy: true },
  MakeChampion: { champion: PLAN.modelName, previousChampion: "fraud-trees-1", detail: "was fraud-trees-1" },
};

describe("promotion", () => {
  const input = { modelPackageArn: VERSION };

  it("converts, starts the canary, checks and flips, and passes on the conversion", async () => {
    const outcome = await run(promotion, input, PROMOTED);
    expect(outcome.output).toMatchObject({ champion: PLAN.modelName, previousChampion: "fraud-trees-1" });
    expect(statesOf(outcome)).toEqual([
      "DescribeVersion",
      "Convert",
      "StartCanary",
      "CheckCanary",
      "MakeChampion",
      "NotifyPromoted",
    ]);
    expect(parametersOf(outcome, "MakeChampion")).toEqual({
      action: "flip",
      dataset: "fraud",
      modelName: PLAN.modelName,
      modelPackageArn: VERSION,
      convert: { profile: "fraud", sha256: "ab" },
    });
    expect(parametersOf(outcome, "NotifyPromoted")?.Message).toContain("npm run model -- rollback --profile fraud");
  });

  it("of a version that has since been rejected changes nothing", async () => {
    const outcome = await run(promotion, input, { DescribeVersion: { ...APPROVED, ModelApprovalStatus: "Rejected" } });
    expect(outcome.status).toBe("SUCCEEDED");
    expect(statesOf(outcome)).toEqual(["DescribeVersion"]);
  });

  const failures: readonly (readonly [string, Error, string])[] = [
    ["DescribeVersion", new AwsError("ResourceNotFound", "no such version"), "SageMaker.ResourceNotFoundException"],
    ["Convert", failure("GoldenRowsDiffer", "row 3 differs"), "GoldenRowsDiffer"],
    ["StartCanary", failure("PromotionSuperseded", "another champion"), "PromotionSuperseded"],
    ["CheckCanary", failure("CanaryFailed", "errors 4 %"), "CanaryFailed"],
    ["MakeChampion", failure("AccessDeniedException", "may not ssm:PutParameter"), "AccessDeniedException"],
    ["NotifyPromoted", new AwsError("NotFound", "no topic"), "SNS.NotFoundException"],
  ];

  it("covers a failure of every task below", () => {
    expect(failures.map(([state]) => state).sort()).toEqual(tasksOf(promotion).sort());
  });

  it.each(failures)("that fails at %s stops there and says so", async (state, error, name) => {
    const outcome = await run(promotion, input, { ...PROMOTED, [state]: error });
    expectFailure(outcome, "Promotion", state, name, error.message);
    // Before the first look at it nobody can say; and the last state comes after the change.
    const said =
      state === "DescribeVersion" ? "Only versions" : state === "NotifyPromoted" ? "is champion" : "The champion stays";
    expect(notice(outcome)).toContain(said);
  });

  it.each(tasksOf(promotion))("times out and says so when %s hangs", async (state) => {
    const outcome = await run(promotion, input, { ...PROMOTED, [state]: HANGS });
    expectFailure(outcome, "Promotion", state, "States.Timeout", `The task '${state}' did not end within`);
  });

  it.each(tasksOf(promotion))("retries %s after a temporary error", async (state) => {
    const outcome = await run(promotion, input, { ...PROMOTED, [state]: once(passing(promotion, state), PROMOTED[state] ?? {}) });
    expect(outcome).toMatchObject({ status: "SUCCEEDED", error: undefined });
    expect(statesOf(outcome).filter((one) => one === state)).toHaveLength(2);
  });
});
