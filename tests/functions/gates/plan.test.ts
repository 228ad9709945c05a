import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { datasetKey, modelTarKey } from "../../../functions/gates/common/keys";
import type { DatasetDocument } from "../../../functions/gates/dataset";
import { dateOfDay, dayNumber, momentMs } from "../../../functions/gates/plan/dates";
import { createPlanHandler } from "../../../functions/gates/plan/handler";
import { accessTo, BUCKET, DATASET, failure, log, memoryObjects, memoryParameters } from "./world";

const EXECUTION = { name: "run-1", startTime: "2026-11-21T02:00:00.123Z" };
const CHAMPION = "fraud-20261101-00000000";

function setUp({
  dataset = DATASET,
  files = {},
  champion = CHAMPION,
  maxDays = 31,
}: {
  dataset?: DatasetDocument;
  files?: Record<string, string>;
  champion?: string;
  maxDays?: number;
} = {}) {
  const objects = memoryObjects(BUCKET, {
    [datasetKey("fraud")]: JSON.stringify(dataset),
    [modelTarKey("fraud", CHAMPION)]: "packed",
    "training/source/fraud/rows.csv": "key,label",
    ...files,
  });
  const parameters = memoryParameters({
    chain: [{ kind: "trees", name: champion, key: "models/x.rsm", sha256: "0".repeat(64) }],
  });
  const handle = createPlanHandler({ objects, models: accessTo(parameters), maxDays, log });
  const plan = (pipeline: string, input: unknown, execution: unknown = EXECUTION) => handle({ pipeline, input, execution });
  return { plan, handle, objects, parameters };
}

describe("pipeline-plan: training", () => {
  it("names everything that the later states work on", async () => {
    expect(await setUp().plan("training", { dataset: "fraud" })).toEqual({
      dataset: "fraud",
      profile: "fraud",
      modelName: "fraud-20261121-5474b9c0",
      asOf: "2026-11-21T02:00:00.123Z",
      file: "",
      champion: CHAMPION,
      dataPrefix: "training/data/fraud/fraud-20261121-5474b9c0/",
      trainUri: "s3://pipelines/training/data/fraud/fraud-20261121-5474b9c0/train/",
      validationUri: "s3://pipelines/training/data/fraud/fraud-20261121-5474b9c0/validation/",
      holdoutUri: "s3://pipelines/training/data/fraud/fraud-20261121-5474b9c0/holdout/",
      statisticsKey: "training/data/fraud/fraud-20261121-5474b9c0/statistics.json",
      modelOutputUri: "s3://pipelines/models/fraud/",
      modelKey: "models/fraud/fraud-20261121-5474b9c0/output/model.tar.gz",
      modelUri: "s3://pipelines/models/fraud/fraud-20261121-5474b9c0/output/model.tar.gz",
      outputKey: "models/fraud/fraud-20261121-5474b9c0/output/output.tar.gz",
      reportPrefix: "models/fraud/fraud-20261121-5474b9c0/report/",
      reportUri: "s3://pipelines/models/fraud/fraud-20261121-5474b9c0/report/",
      checkpointUri: "s3://pipelines/temp/checkpoints/fraud-20261121-5474b9c0/",
      hyperparameters: {
        dataset: "fraud",
        model_name: "fraud-20261121-5474b9c0",
        objective: "binary:logistic",
        rounds: "300",
        max_depth: "4",
        learning_rate: "0.1",
        subsample: "0.8",
        colsample_bytree: "0.7",
        min_child_weight: "1",
        reg_lambda: "2",
        early_stopping_rounds: "20",
        seed: "7",
        golden_rows: "16",
        monotone: '{"amount":1}',
      },
    });
  });

  it("gives a retry the same names, and another execution different ones", async () => {
    const { plan } = setUp();
    const first = await plan("training", { dataset: "fraud" });
    expect(await plan("training", { dataset: "fraud" })).toEqual(first);
    const second = await plan("training", { dataset: "fraud" }, { ...EXECUTION, name: "run-2" });
    expect(second).not.toHaveProperty("modelName", "modelName" in first && first.modelName);
  });

  it("accepts a time, a date and a file", async () => {
    const { plan } = setUp();
    expect(await plan("training", { dataset: "fraud", asOf: "2026-11-20" })).toMatchObject({ asOf: "2026-11-20T00:00:00.000Z" });
    const input = { dataset: "fraud", asOf: "2026-11-20T06:30:00Z", file: "training/source/fraud/rows.csv" };
    expect(await plan("training", input)).toMatchObject({
      asOf: "2026-11-20T06:30:00.000Z",
      file: "training/source/fraud/rows.csv",
    });
  });

  it("writes no constraints as an empty object", async () => {
    const { monotone: _, ...training } = DATASET.training;
    const { plan } = setUp({ dataset: { ...DATASET, training } });
    expect(await plan("training", { dataset: "fraud" })).toMatchObject({ hyperparameters: { monotone: "{}" } });
  });
});

describe("pipeline-plan: inference", () => {
  it("takes the day before the execution's start, in UTC", async () => {
    expect(await setUp().plan("inference", { dataset: "fraud" })).toEqual({
      dataset: "fraud",
      profile: "fraud",
      modelName: CHAMPION,
      days: [
        {
          dataset: "fraud",
          date: "2026-11-20",
          modelName: CHAMPION,
          file: "",
          inputPrefix: "inference/input/fraud/dt=2026-11-20/",
          inputUri: "s3://pipelines/inference/input/fraud/dt=2026-11-20/",
          manifestKey: "inference/input/fraud/dt=2026-11-20.manifest.json",
          outputPrefix: "inference/output/fraud/dt=2026-11-20/",
          outputUri: "s3://pipelines/inference/output/fraud/dt=2026-11-20/",
          transformJobName: "fraud-20261120-5474b9c0",
        },
      ],
    });
  });

  it("accepts a range including both ends, across a leap day", async () => {
    const plan = await setUp().plan("inference", { dataset: "fraud", from: "2024-02-28", to: "2024-03-01" });
    expect("days" in plan && plan.days.map(({ date }) => date)).toEqual(["2024-02-28", "2024-02-29", "2024-03-01"]);
  });

  it("accepts one date with a file, and today", async () => {
    const input = { dataset: "fraud", date: "2026-11-21", file: "training/source/fraud/rows.csv" };
    expect(await setUp().plan("inference", input)).toMatchObject({ days: [{ date: "2026-11-21", file: input.file }] });
  });

  it("refuses a champion that no pipeline trained, and says how to get one", async () => {
    const error = await failure(setUp({ champion: "fraud-trees-1" }).plan("inference", { dataset: "fraud" }));
    expect(error.name).toBe("NoTrainedModel");
    expect(error.message).toMatch(
      /"fraud-trees-1".*models\/fraud\/fraud-trees-1\/output\/model\.tar\.gz.*npm run pipeline.*approve/,
    );
  });

  it("gives transform jobs names that SageMaker accepts, one for each day", async () => {
    const name = `d${"x".repeat(17)}`;
    const { parameters } = setUp();
    const objects = memoryObjects(BUCKET, {
      [datasetKey(name)]: JSON.stringify({ ...DATASET, name }),
      [modelTarKey(name, CHAMPION)]: "packed",
    });
    const models = { ...accessTo(parameters), names: { [name]: "/models/fraud" } };
    const plan = await createPlanHandler({ objects, models, maxDays: 31, log })({
      pipeline: "inference",
      input: { dataset: name, from: "2026-11-01", to: "2026-11-20" },
      execution: EXECUTION,
    });
    const names = "days" in plan ? plan.days.map(({ transformJobName }) => transformJobName) : [];
    expect(new Set(names).size).toBe(20);
    for (const one of names) expect(one).toMatch(/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/);
  });
});

describe("pipeline-plan: wrong input", () => {
  const cases: [string, string, unknown, RegExp][] = [
    ["no object", "training", "fraud", /expected an object such as \{"dataset":"fraud"\}, got "fraud"/],
    ["no dataset", "training", {}, /dataset: expected one of fraud, got nothing/],
    [
      "an unknown dataset",
      "training",
      { dataset: "frud" },
      /dataset: expected one of fraud, got "frud"\. Did you mean "fraud"\?/,
    ],
    [
      "a member of the other pipeline",
      "training",
      { dataset: "fraud", date: "2026-11-20" },
      /date: is not a member of a training input/,
    ],
    ["a misspelt member", "inference", { dataset: "fraud", form: "2026-11-20" }, /form: .*Did you mean "from"\?/],
    [
      "a time without a zone",
      "training",
      { dataset: "fraud", asOf: "2026-11-20T06:00:00" },
      /asOf: expected a date .* got "2026-11-20T06:00:00"/,
    ],
    ["an impossible moment", "training", { dataset: "fraud", asOf: "2026-11-20T25:00:00Z" }, /asOf: expected a date/],
    ["a moment that is no text", "training", { dataset: "fraud", asOf: 5 }, /asOf: expected a date .* got 5/],
    [
      "a moment to come",
      "training",
      { dataset: "fraud", asOf: "2026-11-22" },
      /asOf: expected a moment that has passed by 2026-11-21/,
    ],
    ["a day that does not exist", "inference", { dataset: "fraud", date: "2026-02-30" }, /date: expected a date of the form/],
    [
      "a date to come",
      "inference",
      { dataset: "fraud", date: "2026-11-22" },
      /date: expected a date that has begun by 2026-11-21/,
    ],
    ["a number for a date", "inference", { dataset: "fraud", date: 20261120 }, /date: expected a date of the form/],
    [
      "a date and a range",
      "inference",
      { dataset: "fraud", date: "2026-11-20", to: "2026-11-20" },
      /date: expected either date, or from and to/,
    ],
    ["half a range", "inference", { dataset: "fraud", from: "2026-11-20" }, /to: expected a date of the form .* got nothing/],
    [
      "a range backwards",
      "inference",
      { dataset: "fraud", from: "2026-11-20", to: "2026-11-19" },
      /from: expected a date not after to/,
    ],
    [
      "too many days",
      "inference",
      { dataset: "fraud", from: "2026-01-01", to: "2026-11-20" },
      /to: expected at most 31 days, got 324/,
    ],
    [
      "a file elsewhere",
      "training",
      { dataset: "fraud", file: "config/rows.csv" },
      /file: expected the key of a CSV file, training\/source\/fraud\//,
    ],
    [
      "a file with a range",
      "inference",
      { dataset: "fraud", from: "2026-11-19", to: "2026-11-20", file: "training/source/fraud/rows.csv" },
      /file: expected no file with 2 days/,
    ],
    [
      "a file that is not there",
      "training",
      { dataset: "fraud", file: "training/source/fraud/none.csv" },
      /file: there is no s3:\/\/pipelines\/training\/source\/fraud\/none\.csv/,
    ],
    [
      "an unknown pipeline",
      "scoring",
      { dataset: "fraud" },
      /\/pipeline: Expected one of "training", "inference", got "scoring"/,
    ],
  ];
  it.each(cases)("names %s", async (_what, pipeline, input, message) => {
    const error = await failure(setUp().plan(pipeline, input));
    expect(error.name).toBe("InvalidInput");
    expect(error.message).toMatch(message);
  });

  it("names every problem at once", async () => {
    const { message } = await failure(setUp().plan("inference", { dataset: "x", date: "soon", color: 1 }));
    expect(message).toMatch(/color: .*dataset: .*date: /);
  });

  it("names the problem when the state machine passes a wrong event", async () => {
    const { handle } = setUp();
    expect((await failure(handle({ pipeline: "training" }))).message).toMatch(/\/execution: This field is required/);
    const event = { pipeline: "training", input: { dataset: "fraud" }, execution: { name: "x", startTime: "soon" } };
    expect((await failure(handle(event))).message).toMatch(/execution\.startTime: expected an ISO 8601 time, got "soon"/);
  });

  it("requires a file for a dataset of files", async () => {
    const { plan } = setUp({ dataset: { ...DATASET, source: { kind: "files" } } });
    expect(await failure(plan("training", { dataset: "fraud" }))).toMatchObject({
      name: "InvalidInput",
      message: expect.stringContaining("learns from files"),
    });
  });

  it("names a parameter that is missing, or holds no models", async () => {
    const { objects } = setUp();
    const plan = (...versions: string[]) =>
      createPlanHandler({ objects, models: accessTo(memoryParameters(...versions)), maxDays: 31, log })({
        pipeline: "training",
        input: { dataset: "fraud" },
        execution: EXECUTION,
      });
    expect(await failure(plan())).toMatchObject({
      name: "ModelsParameterInvalid",
      message: expect.stringContaining("There is no SSM parameter /models/fraud"),
    });
    expect(await failure(plan("{}"))).toMatchObject({
      name: "ModelsParameterInvalid",
      message: expect.stringMatching(/Version 1 .*\/chain: .*rollback --profile fraud/),
    });
  });

  it("names a profile that does not exist", async () => {
    const { plan } = setUp({ dataset: { ...DATASET, profile: "nobody" } });
    expect(await failure(plan("training", { dataset: "fraud" }))).toMatchObject({
      name: "InvalidDataset",
      message: expect.stringContaining('There is no profile "nobody"'),
    });
  });
});

describe("dates", () => {
  it("turn into days and back", () => {
    fc.assert(
      fc.property(fc.integer({ min: -100_000, max: 100_000 }), (day) => dayNumber(dateOfDay(day)) === day),
      { seed: 1 },
    );
  });

  it.each(["", "2026-1-1", "2026-13-01", "2025-02-29", "20261120"])("%j is not a date", (text) => {
    expect(dayNumber(text)).toBeUndefined();
    expect(momentMs(text)).toBeUndefined();
  });
});
