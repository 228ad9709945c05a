/** The definitions as an interpreter runs them, with services that answer as told: what every failure leads to. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inferenceDefinition } from "../../components/inference-pipeline/definition.js";
import type { Definition } from "../../components/lib/pipeline-states.js";
import { trainingDefinition } from "../../components/training-pipeline/definition.js";
import { promotionDefinition } from "../../components/training-pipeline/promotion-definition.js";

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** What the tests use of the interpreter; its package declares the types of its ES module alone. */
interface Interpreter {
  readonly StateMachine: new (
    definition: unknown,
    options: { readonly validationOptions: { readonly noValidate: boolean } },
  ) => {
    run(
      input: Json,
      options: {
        readonly overrides: {
          readonly taskResourceLocalHandlers: Readonly<Record<string, (input: Json) => Json>>;
          readonly retryIntervalOverrides: Readonly<Record<string, number>>;
        };
        readonly context: Readonly<Record<string, unknown>>;
      },
    ): { readonly result: Promise<Json> };
  };
}
// Its CommonJS file exports the class under this name.
const { StateMachine } = createRequire(join(process.cwd(), "package.json"))("aws-local-stepfunctions") as Interpreter;

const notices = { topicArn: "arn:aws:sns:us-east-1:123456789012:alarms", region: "us-east-1", partition: "aws" };
const lambda = { arn: "arn:aws:lambda:us-east-1:123456789012:function:any", timeoutSeconds: 60 };
const KEY = "arn:aws:kms:us-east-1:123456789012:key/1";

const training = trainingDefinition({
  notices,
  bucket: "acme",
  keyArn: KEY,
  functions: { plan: lambda, qualityGate: lambda, evaluationGate: lambda },
  extractJob: { name: "extract", timeoutMinutes: 60 },
  training: { instanceType: "ml.m5.xlarge", volumeGb: 30, maxRuntimeMinutes: 60, spot: { enabled: false } },
  image: "image",
  trainingRoleArn: "arn:aws:iam::123456789012:role/training",
  modelRoleArn: "arn:aws:iam::123456789012:role/model",
  sourcesKey: "code/sagemaker/sourcedir-1.tar.gz",
  group: { prefix: "training-", suffix: "-dev-a1" },
  servingInstanceType: "ml.m5.xlarge",
});
const promotion = promotionDefinition({ notices, promotion: lambda, canarySeconds: 0 });
const inference = inferenceDefinition({
  notices,
  keyArn: KEY,
  plan: lambda,
  batchGate: lambda,
  extractJob: "extract",
  loadJob: "load",
  glueTimeoutMinutes: 60,
  transformJob: { instanceType: "ml.m5.xlarge", instanceCount: 1, timeoutMinutes: 60 },
  maxBackfillDays: 31,
  mapConcurrency: 2,
});

type Answer = Json | Error;
/** By state: one answer, or one for each call in turn. */
type Answers = Readonly<Record<string, Answer | ((input: never) => Answer)>>;

interface Outcome {
  /** Output of the execution; undefined when it failed. */
  readonly output: Json | undefined;
  readonly error: Error | undefined;
  /** Parameters of every call, in order. */
  readonly calls: readonly { readonly state: string; readonly parameters: Json }[];
}

function named(name: string, message: string): Error {
  const error = new Error(message);
  error.name = name;
  return error;
}

/** What Lambda reports of an error that a function threw. */
const thrown = (name: string, message: string): Error =>
  named(name, JSON.stringify({ errorType: name, errorMessage: message, trace: ["at x"] }));

async function run(definition: Definition, input: Json, answers: Answers): Promise<Outcome> {
  const calls: { state: string; parameters: Json }[] = [];
  const handle = (state: string) => (parameters: Json) => {
    calls.push({ state, parameters });
    const answer = answers[state] ?? {};
    // Handlers of a test take the parameters of their own state.
    const result = typeof answer === "function" ? answer(parameters as never) : answer;
    if (result instanceof Error) throw result;
    return result;
  };
  const names = Object.keys(statesIn(definition.States));
  // Another test validates the definitions.
  const machine = new StateMachine(JSON.parse(JSON.stringify(definition)), { validationOptions: { noValidate: true } });
  const execution = machine.run(input, {
    overrides: {
      taskResourceLocalHandlers: Object.fromEntries(names.map((name) => [name, handle(name)])),
      retryIntervalOverrides: Object.fromEntries(names.map((name) => [name, 0])),
    },
    context: {
      Execution: {
        Id: "arn:aws:states:us-east-1:123456789012:execution:machine:run-1",
        Name: "run-1",
        Input: Object(input),
        StartTime: "2026-01-02T03:00:00Z",
        RoleArn: "arn:aws:iam::123456789012:role/steps",
      },
    },
  });
  try {
    return { output: await execution.result, error: undefined, calls };
  } catch (error) {
    // The interpreter wraps what the execution failed with.
    const failure = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { output: undefined, error: failure instanceof Error ? failure : new Error(String(failure)), calls };
  }
}

function statesIn(states: Definition["States"]): Definition["States"] {
  return Object.assign({}, states, ...Object.values(states).map((state) => statesIn(Object(state.ItemProcessor).States ?? {})));
}

const notice = ({ calls }: Outcome): string =>
  String(Object(calls.find(({ state }) => state === "NotifyFailure")?.parameters).Message);
const statesOf = ({ calls }: Outcome): string[] => calls.map(({ state }) => state);

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
const VERSION = "arn:aws:sagemaker:us-east-1:123456789012:model-package/training-fraud-dev-a1/1";
const TRAINED: Answers = {
  Plan: { Payload: PLAN },
  ExtractTrainingData: { Id: "jr_1" },
  ExtractTrainingFile: { Id: "jr_1" },
  CheckDataQuality: { Payload: { rows: 1, checks: [] } },
  TrainModel: { BillableTimeInSeconds: 60, ModelArtifacts: { S3ModelArtifacts: PLAN.modelUri } },
  EvaluateModel: {
    Payload: {
      metrics: { auc: 0.9 },
      championMetrics: null,
      psi: null,
      comparison: "no champion of its kind",
      evaluationUri: "s3://acme/models/fraud/m/report/evaluation.json",
    },
  },
  CreateModel: { ModelArn: "arn" },
  RegisterModel: { ModelPackageArn: VERSION },
};

describe("training", () => {
  it("goes from the plan to a version that waits for approval", async () => {
    const outcome = await run(training, { dataset: "fraud" }, TRAINED);
    expect(outcome.error).toBeUndefined();
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
    const train = outcome.calls.find(({ state }) => state === "TrainModel")?.parameters;
    expect(train).toMatchObject({
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
    const registered = outcome.calls.find(({ state }) => state === "RegisterModel")?.parameters;
    expect(registered).toMatchObject({
      ModelPackageGroupName: "training-fraud-dev-a1",
      CustomerMetadataProperties: { dataset: "fraud", modelName: PLAN.modelName, execution: "run-1" },
    });
    const message = Object(outcome.calls.find(({ state }) => state === "NotifyRegistered")?.parameters);
    expect(message.Subject).toBe(`Model ${PLAN.modelName} waits for approval`);
    expect(message.Message).toContain(`npm run model -- approve ${PLAN.modelName}`);
  });

  it("of a file names it to the extract", async () => {
    const file = "training/source/fraud/x.csv";
    const outcome = await run(training, { dataset: "fraud", file }, { ...TRAINED, Plan: { Payload: { ...PLAN, file } } });
    expect(outcome.calls.find(({ state }) => state.startsWith("Extract"))).toMatchObject({
      state: "ExtractTrainingFile",
      parameters: { Arguments: { "--file": file, "--dataset": "fraud" } },
    });
  });

  it.each([
    ["Plan", thrown("InvalidInput", "dataset: expected fraud"), "dataset: expected fraud", 0],
    [
      "ExtractTrainingData",
      named("States.TaskFailed", '{"Id":"jr_1","ErrorMessage":"column amount vanished"}'),
      "column amount vanished",
      1,
    ],
    ["CheckDataQuality", thrown("DataQualityFailed", "nulls of amount: 0.4, at most 0.2"), "nulls of amount: 0.4", 2],
    ["TrainModel", named("States.TaskFailed", '{"TrainingJobStatus":"Failed","FailureReason":"no rows"}'), "no rows", 3],
    ["EvaluateModel", thrown("EvaluationFailed", "auc 0.7, at least 0.8"), "auc 0.7, at least 0.8", 4],
    ["CreateModel", named("SageMaker.Denied", "not a JSON text"), "not a JSON text", 5],
    ["RegisterModel", named("SageMaker.Denied", "{ neither is this"), "{ neither is this", 6],
  ])("that fails at %s says why, where and what to do, and goes no further", async (state, error, cause, before) => {
    const outcome = await run(training, { dataset: "fraud" }, { ...TRAINED, [state]: error });
    expect(outcome.error?.name).toBe(error.name);
    expect(outcome.error?.message).toContain(cause);
    expect(statesOf(outcome)).toHaveLength(before + 2);
    const text = notice(outcome);
    expect(text).toContain(`Training failed at ${state} with ${error.name}.`);
    expect(text).toContain(cause);
    expect(text).not.toContain("errorType");
    expect(text).toMatch(/What to do: \w+/);
    expect(text).toContain(
      "Execution: https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/arn:aws:states:us-east-1:123456789012:execution:machine:run-1",
    );
    expect(text).toContain('Input: {"dataset":"fraud"}');
  });

  it("tries again what may be gone at the next attempt, and gives up after five", async () => {
    let attempts = 0;
    const flaky = () => (++attempts < 3 ? named("Lambda.TooManyRequestsException", "slow down") : { Payload: PLAN });
    expect((await run(training, { dataset: "fraud" }, { ...TRAINED, Plan: flaky })).error).toBeUndefined();
    expect(attempts).toBe(3);
    const down = await run(training, { dataset: "fraud" }, { ...TRAINED, Plan: named("Lambda.ServiceException", "down") });
    expect(statesOf(down)).toEqual([...Array(6).fill("Plan"), "NotifyFailure"]);
  });

  it("fails with its own error when the notice cannot be sent either", async () => {
    const outcome = await run(
      training,
      { dataset: "fraud" },
      { ...TRAINED, Plan: thrown("InvalidInput", "no such dataset"), NotifyFailure: named("SNS.NotFound", "no topic") },
    );
    expect(outcome.error).toMatchObject({ name: "InvalidInput", message: "no such dataset" });
  });
});

const APPROVED = {
  ModelApprovalStatus: "Approved",
  CustomerMetadataProperties: { dataset: "fraud", modelName: PLAN.modelName, execution: "run-1" },
};
const PROMOTED: Answers = {
  DescribeVersion: APPROVED,
  Convert: { Payload: { profile: "fraud", sha256: "ab" } },
  StartCanary: { Payload: { changed: true } },
  CheckCanary: { Payload: { healthy: true } },
  MakeChampion: { Payload: { champion: PLAN.modelName, previousChampion: "fraud-trees-1", detail: "was fraud-trees-1" } },
};

describe("promotion", () => {
  const input = { modelPackageArn: VERSION };

  it("converts, tries, checks and flips, and hands on what was converted", async () => {
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
    expect(outcome.calls[4]?.parameters).toMatchObject({
      Payload: {
        action: "flip",
        dataset: "fraud",
        modelName: PLAN.modelName,
        modelPackageArn: VERSION,
        convert: { profile: "fraud", sha256: "ab" },
      },
    });
    expect(Object(outcome.calls[5]?.parameters).Message).toContain("npm run model -- rollback --profile fraud");
  });

  it("of a version that is rejected by now changes nothing", async () => {
    const outcome = await run(promotion, input, { DescribeVersion: { ...APPROVED, ModelApprovalStatus: "Rejected" } });
    expect(outcome.error).toBeUndefined();
    expect(statesOf(outcome)).toEqual(["DescribeVersion"]);
  });

  it.each([
    ["Convert", thrown("GoldenRowsDiffer", "row 3 differs"), 1],
    ["CheckCanary", thrown("CanaryFailed", "errors 4 %"), 3],
    ["MakeChampion", thrown("PromotionSuperseded", "another champion"), 4],
  ])("that fails at %s stops there and says so", async (state, error, before) => {
    const outcome = await run(promotion, input, { ...PROMOTED, [state]: error });
    expect(outcome.error?.name).toBe(error.name);
    expect(statesOf(outcome)).toHaveLength(before + 2);
    expect(notice(outcome)).toContain("The champion stays");
  });
});

const day = (date: string) => ({
  dataset: "fraud",
  date,
  modelName: PLAN.modelName,
  file: "",
  inputUri: `s3://acme/inference/input/fraud/dt=${date}/`,
  outputUri: `s3://acme/inference/output/fraud/dt=${date}/`,
  transformJobName: `fraud-${date}`,
});
const DAYS = ["2026-01-01", "2026-01-02", "2026-01-03"];
const SCORED: Answers = {
  Plan: { Payload: { dataset: "fraud", modelName: PLAN.modelName, days: DAYS.map(day) } },
  ExtractDay: { Id: "jr_1" },
  // The second day is empty.
  InspectDay: ({ Payload }: { readonly Payload: { readonly day: { readonly date: string } } }) => {
    const empty = Payload.day.date === DAYS[1];
    return { Payload: { rows: empty ? 0 : 10, empty, files: [], duplicateKeys: 0 } };
  },
  TransformDay: { TransformJobName: "job" },
  LoadDay: { Id: "jr_2" },
  Summarise: { Payload: { days: 3, scored: 2, empty: 1, rows: 20 } },
};

describe("batch scoring", () => {
  it("scores days side by side, and spends nothing on an empty one", async () => {
    const outcome = await run(inference, { dataset: "fraud", from: DAYS[0] ?? "", to: DAYS[2] ?? "" }, SCORED);
    expect(outcome.output).toEqual({ days: 3, scored: 2, empty: 1, rows: 20 });
    const count = (name: string) => statesOf(outcome).filter((state) => state === name).length;
    expect([count("ExtractDay"), count("InspectDay"), count("TransformDay"), count("LoadDay")]).toEqual([3, 3, 2, 2]);
    const summary = Object(outcome.calls.find(({ state }) => state === "Summarise")?.parameters).Payload;
    expect(summary).toMatchObject({ action: "summary", dataset: "fraud", modelName: PLAN.modelName });
    expect(summary.days).toMatchObject([
      { date: DAYS[0], inspection: { rows: 10, empty: false } },
      { date: DAYS[1], inspection: { rows: 0, empty: true } },
      { date: DAYS[2], inspection: { rows: 10 } },
    ]);
  });

  it("finishes the other days when one fails, and hands its error to the summary", async () => {
    const outcome = await run(
      inference,
      { dataset: "fraud" },
      {
        ...SCORED,
        LoadDay: ({ Arguments }: { readonly Arguments: Readonly<Record<string, string>> }) =>
          Arguments["--date"] === DAYS[2] ? named("States.TaskFailed", '{"ErrorMessage":"9 rows of 10"}') : { Id: "jr_2" },
        Summarise: thrown("DaysFailed", "2026-01-03: 9 rows of 10"),
      },
    );
    const { days } = Object(outcome.calls.find(({ state }) => state === "Summarise")?.parameters).Payload;
    expect(days.map(({ error }: { readonly error?: unknown }) => error)).toEqual([
      undefined,
      undefined,
      {
        Error: "States.TaskFailed",
        Cause: expect.stringMatching(/^LoadDay: 9 rows of 10 Read the load job's log\. /),
      },
    ]);
    expect(outcome.error).toMatchObject({ name: "DaysFailed", message: "2026-01-03: 9 rows of 10" });
    expect(notice(outcome)).toContain("Batch scoring failed at Summarise with DaysFailed.");
  });
});
