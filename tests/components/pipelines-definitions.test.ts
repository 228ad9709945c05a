/** The definitions of the state machines, as pure functions of their arguments. */
import aslValidator from "asl-validator";
import { describe, expect, it } from "vitest";
import { inferenceDefinition } from "../../components/inference-pipeline/definition";
import type { Definition, State, States } from "../../components/shared/pipeline-states";
import { trainingDefinition } from "../../components/training-pipeline/definition";
import type { TrainingDefinitionArgs } from "../../components/training-pipeline/definition-args";
import { promotionDefinition } from "../../components/training-pipeline/promotion-definition";

const KEY = "arn:aws:kms:us-east-1:123456789012:key/1";
const notices = { topicArn: "arn:aws:sns:us-east-1:123456789012:alarms", region: "us-east-1", partition: "aws" };
const lambda = (name: string, timeoutSeconds = 60) => ({
  arn: `arn:aws:lambda:us-east-1:123456789012:function:${name}`,
  timeoutSeconds,
});

const trainingArgs: TrainingDefinitionArgs = {
  notices,
  bucket: "acme-pipelines",
  keyArn: KEY,
  functions: { plan: lambda("plan", 30), qualityGate: lambda("quality"), evaluationGate: lambda("evaluation", 300) },
  extractJob: { name: "extract", timeoutMinutes: 60 },
  training: {
    instanceType: "ml.m5.xlarge",
    volumeGb: 30,
    maxRuntimeMinutes: 120,
    spot: { enabled: true, maxWaitMinutes: 240 },
  },
  image: "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5",
  trainingRoleArn: "arn:aws:iam::123456789012:role/training",
  modelRoleArn: "arn:aws:iam::123456789012:role/model",
  sourcesKey: "code/sagemaker/sourcedir-0123456789abcdef.tar.gz",
  group: { prefix: "training-", suffix: "-dev-a1" },
  servingInstanceType: "ml.m5.xlarge",
};
const training = trainingDefinition(trainingArgs);
const promotion = promotionDefinition({ notices, promotion: lambda("promotion", 300), canarySeconds: 1800 });
const inference = inferenceDefinition({
  notices,
  keyArn: KEY,
  plan: lambda("plan", 30),
  batchGate: lambda("batch-gate"),
  extractJob: "extract",
  loadJob: "load",
  glueTimeoutMinutes: 60,
  transformJob: { instanceType: "ml.m5.xlarge", instanceCount: 2, timeoutMinutes: 120 },
  maxBackfillDays: 31,
  mapConcurrency: 3,
});

const definitions: readonly (readonly [string, Definition])[] = [
  ["training", training],
  ["promotion", promotion],
  ["inference", inference],
];

/** States of a machine and of the Maps in it. */
function allStates(states: States): (readonly [string, State])[] {
  return Object.entries(states).flatMap(([name, state]): (readonly [string, State])[] => {
    // Only Map states have a processor, of this shape.
    const processor = state.ItemProcessor as { readonly States: States } | undefined;
    return [[name, state], ...(processor === undefined ? [] : allStates(processor.States))];
  });
}

const stateOf = (definition: Definition, name: string): State => {
  const found = allStates(definition.States).find(([candidate]) => candidate === name);
  if (found === undefined) throw new Error(`No state ${name}.`);
  return found[1];
};

/** Names that a state goes on to. */
function successors(state: State): string[] {
  const choices = (state.Choices ?? []) as readonly { readonly Next: string }[];
  const catchers = (state.Catch ?? []) as readonly { readonly Next: string }[];
  return [state.Next, state.Default, ...choices.map(({ Next }) => Next), ...catchers.map(({ Next }) => Next)].filter(
    (name) => typeof name === "string",
  );
}

interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds: number;
  readonly MaxAttempts: number;
  readonly BackoffRate: number;
  readonly MaxDelaySeconds: number;
}

describe.each(definitions)("the %s machine", (machine, definition) => {
  it("is valid", () => {
    const result = aslValidator(JSON.parse(JSON.stringify(definition)), { checkPaths: true, checkArn: true });
    expect(result.isValid, result.errorsText()).toBe(true);
  });

  it("retries every task with backoff and jitter, ends it in time and catches whatever fails", () => {
    const tasks = allStates(definition.States).filter(([, { Type }]) => Type === "Task");
    expect(tasks.length).toBeGreaterThan(4);
    for (const [name, state] of tasks) {
      expect(state, name).toMatchObject({
        TimeoutSeconds: expect.any(Number),
        Retry: expect.arrayContaining([
          {
            ErrorEquals: expect.arrayContaining([expect.stringMatching(/^(Lambda|Glue|SageMaker|SNS)\./)]),
            IntervalSeconds: expect.any(Number),
            MaxAttempts: 5,
            BackoffRate: 2,
            MaxDelaySeconds: 60,
            JitterStrategy: "FULL",
          },
        ]),
        Catch: expect.arrayContaining([
          { ErrorEquals: ["States.ALL"], ResultPath: expect.toSatisfy(() => true), Next: expect.any(String) },
        ]),
      });
    }
  });

  it("waits for its turn with a Glue job that others use, within the hour for retries", () => {
    const jobs = allStates(definition.States).filter(([, { Resource }]) => /:glue:startJobRun/.test(String(Resource)));
    expect(jobs.length > 0).toBe(machine !== "promotion");
    for (const [name, { Retry }] of jobs) {
      const [{ ErrorEquals, IntervalSeconds, MaxAttempts, BackoffRate, MaxDelaySeconds }] = Retry as readonly [Retrier];
      expect(ErrorEquals, name).toContain("Glue.ConcurrentRunsExceededException");
      const waits = Array.from({ length: MaxAttempts }, (_one, retry) =>
        Math.min(MaxDelaySeconds, IntervalSeconds * BackoffRate ** retry),
      );
      const longest = waits.reduce((sum, wait) => sum + wait, 0);
      expect(longest, name).toBeGreaterThan(1800);
      expect(longest, name).toBeLessThan(3600);
    }
  });

  it("says for every task what to do, in a notice before the failure itself", () => {
    const tasks = allStates(definition.States).filter(([name, { Type }]) => Type === "Task" && name !== "NotifyFailure");
    for (const [name, state] of tasks) {
      // The one failure that may be none: the schedule meets no trained model.
      const expected = [{ ErrorEquals: ["NoTrainedModel"], ResultPath: "$.failure", Next: "WasScheduled" }];
      expect(state.Catch, name).toEqual([
        ...(machine === "inference" && name === "Plan" ? expected : []),
        { ErrorEquals: ["States.ALL"], ResultPath: "$.failure", Next: `Explain${name}Failure` },
      ]);
      expect(stateOf(definition, `Explain${name}Failure`), name).toMatchObject({
        Type: "Pass",
        Parameters: { step: name, remedy: expect.stringMatching(/\w{3}.*[.)]$/), "error.$": "$.failure" },
        ResultPath: "$.failure",
      });
    }
    expect(definition.States.NotifyFailure).toMatchObject({ Next: "Failed", Catch: [{ Next: "Failed", ResultPath: null }] });
    expect(definition.States.Failed).toEqual({
      Type: "Fail",
      ErrorPath: "$.failure.error.Error",
      CausePath: "$.failure.error.Cause",
    });
  });

  it("can reach every state, and uses every name once", () => {
    const named = allStates(definition.States);
    expect(new Set(named.map(([name]) => name)).size).toBe(named.length);
    const starts = [definition.StartAt, ...named.flatMap(([, state]) => processorStart(state))];
    const reached = new Set(starts);
    for (const name of reached) for (const next of successors(stateOf(definition, name))) reached.add(next);
    expect(named.map(([name]) => name).filter((name) => !reached.has(name))).toEqual([]);
  });

  it("has enough time for its steps", () => {
    const longest = Math.max(...allStates(definition.States).map(([, { TimeoutSeconds }]) => Number(TimeoutSeconds ?? 0)));
    expect(definition.TimeoutSeconds).toBeGreaterThan(longest);
  });
});

function processorStart(state: State): string[] {
  const processor = state.ItemProcessor as { readonly StartAt: string } | undefined;
  return processor === undefined ? [] : [processor.StartAt];
}

describe("training", () => {
  it("isolates the container and encrypts volume and outputs", () => {
    expect(stateOf(training, "TrainModel").Parameters).toEqual({
      "TrainingJobName.$": "$.plan.output.modelName",
      RoleArn: trainingArgs.trainingRoleArn,
      AlgorithmSpecification: { TrainingImage: trainingArgs.image, TrainingInputMode: "File" },
      "HyperParameters.$": "States.JsonMerge($.plan.output.hyperparameters, $.plan.scriptMode, false)",
      InputDataConfig: [
        channelOf("train", { "S3Uri.$": "$.plan.output.trainUri" }),
        channelOf("validation", { "S3Uri.$": "$.plan.output.validationUri" }),
        channelOf("holdout", { "S3Uri.$": "$.plan.output.holdoutUri" }),
        {
          ...channelOf("config", {
            "S3Uri.$": "States.Format('s3://acme-pipelines/config/datasets/{}.json', $.plan.output.dataset)",
          }),
          ContentType: "application/json",
        },
        {
          ...channelOf("code", { S3Uri: "s3://acme-pipelines/code/sagemaker/sourcedir-0123456789abcdef.tar.gz" }),
          ContentType: "application/gzip",
        },
      ],
      OutputDataConfig: { "S3OutputPath.$": "$.plan.output.modelOutputUri", KmsKeyId: KEY },
      ResourceConfig: { InstanceType: "ml.m5.xlarge", InstanceCount: 1, VolumeSizeInGB: 30, VolumeKmsKeyId: KEY },
      // The container installs the script with pip, without a network.
      Environment: { PIP_NO_BUILD_ISOLATION: "0" },
      EnableNetworkIsolation: true,
      EnableInterContainerTrafficEncryption: true,
      EnableManagedSpotTraining: true,
      CheckpointConfig: { "S3Uri.$": "$.plan.output.checkpointUri" },
      StoppingCondition: { MaxRuntimeInSeconds: 7200, MaxWaitTimeInSeconds: 14_400 },
      Tags: [{ Key: "dataset", "Value.$": "$.plan.output.dataset" }],
    });
    expect(stateOf(training, "Plan").ResultSelector).toEqual({
      "output.$": "$.Payload",
      scriptMode: {
        sagemaker_program: "train.py",
        sagemaker_submit_directory: "/opt/ml/input/data/code/sourcedir-0123456789abcdef.tar.gz",
        sagemaker_container_log_level: "20",
        sagemaker_region: "us-east-1",
      },
    });
  });

  it("without spot capacity neither waits nor keeps checkpoints", () => {
    const own = trainingDefinition({ ...trainingArgs, training: { ...trainingArgs.training, spot: { enabled: false } } });
    const parameters = stateOf(own, "TrainModel").Parameters;
    expect(parameters).toMatchObject({ EnableManagedSpotTraining: false });
    expect(parameters).not.toHaveProperty("CheckpointConfig");
    expect(parameters).toHaveProperty("StoppingCondition", { MaxRuntimeInSeconds: 7200 });
  });

  it("registers a version once, for a person to approve", () => {
    expect(stateOf(training, "RegisterModel").Parameters).toMatchObject({
      "ModelPackageGroupName.$": "States.Format('training-{}-dev-a1', $.plan.output.dataset)",
      ModelApprovalStatus: "PendingManualApproval",
      "ClientToken.$": "$.plan.output.modelName",
      CustomerMetadataProperties: {
        "dataset.$": "$.plan.output.dataset",
        "modelName.$": "$.plan.output.modelName",
        "execution.$": "$$.Execution.Name",
      },
    });
    expect(stateOf(training, "CreateModel").Parameters).toMatchObject({
      EnableNetworkIsolation: true,
      PrimaryContainer: { Environment: { SAGEMAKER_SUBMIT_DIRECTORY: "/opt/ml/model/code", PIP_NO_BUILD_ISOLATION: "0" } },
    });
    expect(stateOf(training, "RegisterModel").Parameters).toMatchObject({
      InferenceSpecification: { Containers: [{ Environment: { PIP_NO_BUILD_ISOLATION: "0" } }] },
    });
  });

  it("runs its gates before money is spent and before a model is registered", () => {
    const path = ["Plan"];
    for (let name: unknown = stateOf(training, "Plan").Next; typeof name === "string"; ) {
      path.push(name);
      const state = stateOf(training, name);
      name = state.Next ?? state.Default;
    }
    expect(path).toEqual([
      "Plan",
      "ChooseSource",
      "ExtractTrainingFile",
      "CheckDataQuality",
      "TrainModel",
      "EvaluateModel",
      "CreateModel",
      "RegisterModel",
      "NotifyRegistered",
      "Registered",
    ]);
  });

  it("passes a file on only when there is one", () => {
    expect(stateOf(training, "ExtractTrainingData").Parameters).toEqual({
      JobName: "extract",
      Arguments: {
        "--dataset.$": "$.plan.output.dataset",
        "--model_name.$": "$.plan.output.modelName",
        "--as_of.$": "$.plan.output.asOf",
      },
    });
    expect(stateOf(training, "ExtractTrainingFile").Parameters).toHaveProperty(["Arguments", "--file.$"], "$.plan.output.file");
  });
});

function channelOf(name: string, uri: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
  return {
    ChannelName: name,
    ContentType: "application/x-parquet",
    InputMode: "File",
    DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3DataDistributionType: "FullyReplicated", ...uri } },
  };
}

describe("promotion", () => {
  it("acts on the registry's entry, in four steps", () => {
    expect(stateOf(promotion, "IsApproved")).toMatchObject({
      Choices: [{ Variable: "$.version.status", StringEquals: "Approved", Next: "Convert" }],
      Default: "NotApproved",
    });
    const steps = ["Convert", "StartCanary", "CheckCanary", "MakeChampion"].map((name) => stateOf(promotion, name));
    expect(steps.map(({ Parameters }) => Object(Parameters).Payload.action)).toEqual(["convert", "canary", "check", "flip"]);
    for (const { Parameters } of steps.slice(1))
      expect(Object(Parameters).Payload).toHaveProperty(["convert.$"], "$.convert.output");
    expect(stateOf(promotion, "WaitForCanary")).toEqual({ Type: "Wait", Seconds: 1800, Next: "CheckCanary" });
  });
});

describe("batch scoring", () => {
  it("keeps the key beside the prediction and shows the model only the features", () => {
    expect(stateOf(inference, "TransformDay").Parameters).toEqual({
      "TransformJobName.$": "$.transformJobName",
      "ModelName.$": "$.modelName",
      BatchStrategy: "MultiRecord",
      MaxPayloadInMB: 6,
      ModelClientConfig: { InvocationsTimeoutInSeconds: 600, InvocationsMaxRetries: 3 },
      TransformInput: {
        DataSource: { S3DataSource: { S3DataType: "S3Prefix", "S3Uri.$": "$.inputUri" } },
        ContentType: "text/csv",
        CompressionType: "None",
        SplitType: "Line",
      },
      TransformOutput: { "S3OutputPath.$": "$.outputUri", Accept: "text/csv", AssembleWith: "Line", KmsKeyId: KEY },
      DataProcessing: { InputFilter: "$[1:]", OutputFilter: "$[0,-1]", JoinSource: "Input" },
      TransformResources: { InstanceType: "ml.m5.xlarge", InstanceCount: 2, VolumeKmsKeyId: KEY },
      Tags: [{ Key: "dataset", "Value.$": "$.dataset" }],
    });
  });

  it("ends a failed day with its error, and goes on with the others", () => {
    const days = stateOf(inference, "ScoreDays");
    expect(days).toMatchObject({ MaxConcurrency: 3, ItemsPath: "$.plan.output.days", ResultPath: "$.days" });
    expect(stateOf(inference, "DayFailed")).toMatchObject({ Parameters: { "date.$": "$.date", error: {} }, End: true });
    expect(stateOf(inference, "IsDayEmpty")).toMatchObject({
      Choices: [{ Variable: "$.inspection.empty", BooleanEquals: true, Next: "EmptyDay" }],
    });
  });
});
