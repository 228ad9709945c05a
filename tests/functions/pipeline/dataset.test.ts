import { describe, expect, it } from "vitest";
import type { DatasetDocument } from "../../../functions/pipeline/dataset";
import { loadDataset, parseDataset } from "../../../functions/pipeline/dataset-check";
import { listed } from "../../../functions/pipeline/json";
import { datasetKey } from "../../../functions/pipeline/keys";
import { planTraining } from "../../../functions/pipeline/plan/plan";
import { datasets } from "../../../stacks/datasets";
import { BUCKET, DATASET, failure, memoryObjects } from "./world";

/** The document with one member replaced, or removed when the value is undefined. */
function altered(path: string, value: unknown): string {
  const copy: Record<string, unknown> = JSON.parse(JSON.stringify(DATASET));
  const names = path.split(".");
  let at = copy;
  // Each step but the last leads to an object of the document above.
  for (const name of names.slice(0, -1)) at = at[name] as Record<string, unknown>;
  at[names.at(-1)!] = value;
  return JSON.stringify(copy);
}

function problemsOf(json: string): string {
  const parsed = parseDataset(json, "fraud");
  return parsed.ok ? "" : listed(parsed.problems);
}

describe("dataset documents", () => {
  it("are read as they are written", () => {
    expect(parseDataset(JSON.stringify(DATASET), "fraud")).toEqual({ ok: true, value: DATASET });
    const snowflake: DatasetDocument = {
      ...DATASET,
      source: {
        kind: "snowflake",
        connection: "c",
        database: "d",
        schema: "s",
        warehouse: "w",
        table: "t",
        keyColumn: "k",
        timeColumn: "t",
        targetColumn: "y",
      },
      target: { name: "score", kind: "regression", minimum: 0, maximum: 100 },
      training: { ...DATASET.training, objective: "reg:squarederror" },
      evaluation: { ...DATASET.evaluation, metric: "rmse" },
    };
    expect(parseDataset(JSON.stringify(snowflake), "fraud")).toEqual({ ok: true, value: snowflake });
  });

  it.each(Object.entries(datasets({ fraudMaturityDays: 30, device: null })))("of the stack: %s is valid", (name, document) => {
    expect(parseDataset(JSON.stringify(document), name)).toMatchObject({ ok: true });
  });

  it("may have a name of 18 characters, with which a model's name fills a ClientToken", () => {
    const name = "n".repeat(18);
    expect(parseDataset(altered("name", name), name)).toMatchObject({ ok: true });
    const execution = { name: "daily", startedAtMs: Date.UTC(2026, 10, 21) };
    const request = { pipeline: "training", dataset: name, asOf: "2026-11-21T00:00:00.000Z", file: "" } as const;
    const plan = planTraining(request, { bucket: BUCKET, execution, document: { ...DATASET, name }, champion: "" });
    expect(plan.modelName).toHaveLength(36);
  });

  it.each([
    ["version", 2, "/version: Expected 1, got 2."],
    ["name", "Fraud", "/name: Expected 1 to 18 lower-case letters"],
    ["name", "n".repeat(19), "/name: Expected 1 to 18 lower-case letters"],
    ["name", "churn", '/name: Expected "fraud", the name of the file, got "churn".'],
    ["profile", undefined, "/profile: This member is required"],
    ["source", { kind: "oracle" }, '/source/kind: Expected "warehouse" or "files" or "snowflake", got "oracle".'],
    ["source", [], "/source: Expected an object, got a list of 0."],
    ["source", { kind: "snowflake", connection: " " }, "/source/connection: Expected text that is not empty"],
    [
      "target",
      { name: "y", kind: "regression", minimum: 5, maximum: 1 },
      "/target: Expected minimum below maximum, got 5 and 1.",
    ],
    [
      "target",
      { name: "y", kind: "regression", minimum: 0, maximum: 1 },
      "/training/objective: Expected reg:squarederror for a regression target",
    ],
    ["evaluation.metric", "rmse", "/evaluation/metric: Expected auc for a binary target, got rmse."],
    ["split.holdout", 0, "/split/holdout: Expected a share above 0"],
    ["split.validation", 0.9, "/split: Validation and holdout take"],
    ["split.validation", 2, "/split/validation: Expected a number from 0 to 1, got 2."],
    ["quality.minRows", 0.5, "/quality/minRows: Expected a whole number from 1, got 0.5."],
    ["quality.minPositiveShare", 0.9, "/quality/minPositiveShare: Expected at most maxPositiveShare (0.4)."],
    ["quality.nullRates", { amuont: 1 }, "/quality/nullRates/amuont: There is no feature of this name"],
    ["quality.ranges", { amount: [5, 1] }, "/quality/ranges/amount: Expected [lowest, highest], got [5, 1]."],
    ["quality.ranges", { amount: [1] }, "/quality/ranges/amount: Expected 2 to 2 elements, got 1."],
    ["quality.ranges", { amount: 1 }, "/quality/ranges/amount: Expected a list, got 1."],
    ["quality.ranges", 5, "/quality/ranges: Expected an object, got 5."],
    [
      "quality.maxDirft",
      1,
      '/quality/maxDirft: This member is not known; remove it or correct its name. Did you mean "maxDrift"?',
    ],
    ["training.monotone", { amount: 2 }, "/training/monotone/amount: Expected -1 or 1, got 2."],
    ["features", [], "/features: features is []"],
    ["features", [{ name: "a/b~c", type: "numeric" }], "/features: features[0].from"],
  ])("with %s %j are refused", (path, value, problem) => {
    expect(problemsOf(altered(path, value))).toContain(problem);
  });

  it("that are no JSON, or no object, say so", () => {
    expect(problemsOf("{")).toMatch(/It is not JSON/);
    expect(problemsOf("null")).toBe("Expected an object, got null.");
  });

  it("list the first problems and count the rest", () => {
    const quality = {
      ...DATASET.quality,
      nullRates: Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`x${index}`, 0.5])),
    };
    expect(problemsOf(JSON.stringify({ ...DATASET, quality }))).toMatch(/x19.*And 10 more\.$/s);
  });

  it("are loaded from the bucket, or named with the fix", async () => {
    const load = (content: Record<string, string>) => loadDataset(memoryObjects(BUCKET, content), "fraud");
    expect(await load({ [datasetKey("fraud")]: JSON.stringify(DATASET) })).toEqual(DATASET);
    expect(await failure(load({}))).toEqual({
      name: "InvalidDataset",
      message:
        "There is no s3://pipelines/config/datasets/fraud.json: deploy the stack, which uploads the documents of its datasets.",
    });
    expect((await failure(load({ [datasetKey("fraud")]: "{}" }))).message).toMatch(
      /is no valid dataset document: \/version: .* Correct the dataset/,
    );
  });
});
