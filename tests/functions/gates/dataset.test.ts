import { describe, expect, it } from "vitest";
import { datasetKey } from "../../../functions/gates/common/keys";
import { loadDataset, parseDataset } from "../../../functions/gates/common/read-dataset";
import { listed } from "../../../functions/gates/common/read-json";
import type { DatasetDocument } from "../../../functions/gates/dataset";
import { planTraining } from "../../../functions/gates/plan/plan";
import schema from "../../../schemas/dataset.schema.json";
import { datasets } from "../../../stacks/datasets";
import { BUCKET, DATASET, FEATURES, failure, memoryObjects } from "./world";

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

const SNOWFLAKE: DatasetDocument = {
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
  features: [
    ...FEATURES,
    { name: "country", type: "categorical", from: "input", encoder: "ordinal", categories: null, unknown: -1, default: "DE" },
    { name: "category", type: "categorical", from: "features", encoder: "encoded", categories: ["food", "fuel"], default: 1 },
  ],
};

/** Members by their path: `training.rounds`, `features[].name`; those of maps, whose names are columns, are left out. */
function memberPaths(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => memberPaths(item, `${path}[]`));
  if (typeof value !== "object" || value === null || MAPS.includes(path)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const at = path === "" ? name : `${path}.${name}`;
    return [at, ...memberPaths(member, at)];
  });
}
const MAPS = ["quality.nullRates", "quality.ranges", "training.monotone"];

describe("dataset documents", () => {
  it("have the members in TypeScript that the schema has", () => {
    const ofObject = (object: { readonly properties: object }, path: string): string[] =>
      Object.entries(object.properties).flatMap(([name, member]: [string, object]) => {
        const at = `${path}${name}`;
        return "properties" in member && member.properties
          ? [at, ...ofObject({ properties: member.properties }, `${at}.`)]
          : [at];
      });
    const inSchema = [...ofObject(schema, ""), ...ofObject(schema.$defs.feature, "features[].")];
    expect([...new Set(memberPaths(SNOWFLAKE, ""))].sort()).toEqual(inSchema.sort());
  });

  it("are read as they are written", () => {
    expect(parseDataset(JSON.stringify(DATASET), "fraud")).toEqual({ ok: true, value: DATASET });
    expect(parseDataset(JSON.stringify(SNOWFLAKE), "fraud")).toEqual({ ok: true, value: SNOWFLAKE });
  });

  it.each(Object.entries(datasets({ fraudMaturityDays: 30, device: null })))("of the stack: %s is valid", (name, document) => {
    expect(parseDataset(JSON.stringify(document), name)).toMatchObject({ ok: true });
  });

  it("may have a name of 18 characters, with which a model's name fits exactly into a ClientToken", () => {
    const name = "n".repeat(18);
    expect(parseDataset(altered("name", name), name)).toMatchObject({ ok: true });
    const execution = { name: "daily", startedAtMs: Date.UTC(2026, 10, 21) };
    const request = { pipeline: "training", dataset: name, asOf: "2026-11-21T00:00:00.000Z", file: "" } as const;
    const plan = planTraining(request, { bucket: BUCKET, execution, document: { ...DATASET, name }, champion: "" });
    expect(plan.modelName).toHaveLength(36);
  });

  it.each([
    ["version", 2, "/version: Expected 1, got 2."],
    ["name", "Fraud", "/name: Expected text of the form ^[a-z][a-z0-9-]{0,17}$, got"],
    ["name", "n".repeat(19), "/name: Expected text of the form ^[a-z][a-z0-9-]{0,17}$, got"],
    ["name", "churn", '/name: Expected "fraud", the name of the file, got "churn".'],
    ["profile", undefined, "/profile: This field is required"],
    ["source", { kind: "oracle" }, '/source/kind: Expected one of "warehouse", "files", "snowflake", got "oracle".'],
    ["source", [], "/source: Expected an object, got an array of 0."],
    ["source", { kind: "snowflake", connection: " " }, '/source/connection: Expected text of the form \\S, got " ".'],
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
    ["split.holdout", 0, "/split/holdout: Expected a number > 0, got 0."],
    ["split.validation", 0.9, "/split: Validation and holdout take"],
    ["split.validation", 2, "/split/validation: Expected a number <= 1, got 2."],
    ["quality.minRows", 0.5, "/quality/minRows: Expected an integer, got 0.5."],
    ["quality.minPositiveShare", 0.9, "/quality/minPositiveShare: Expected at most maxPositiveShare (0.4)."],
    ["quality.nullRates", { amuont: 1 }, "/quality/nullRates/amuont: There is no feature of this name"],
    ["quality.ranges", { amount: [5, 1] }, "/quality/ranges/amount: Expected [lowest, highest], got [5, 1]."],
    ["quality.ranges", { amount: [1] }, "/quality/ranges/amount: Expected at least 2 elements, got an array of 1."],
    ["quality.ranges", { amount: 1 }, "/quality/ranges/amount: Expected an array, got 1."],
    ["quality.ranges", 5, "/quality/ranges: Expected an object, got 5."],
    [
      "quality.maxDirft",
      1,
      '/quality/maxDirft: This field is not known; remove it or correct its name. Did you mean "maxDrift"?',
    ],
    ["training.monotone", { amount: 2 }, "/training/monotone/amount: Expected one of -1, 1, got 2."],
    ["features", [], "/features: Expected at least 1 elements, got an array of 0."],
    [
      "features",
      [{ ...DATASET.features[0], name: "event_time" }],
      "/features/0/name: Expected a name other than key, event_time",
    ],
    ["features", [DATASET.features[0], DATASET.features[0]], '/features: features[1].name is "amount", like features[0].name'],
    ["features", [{ ...DATASET.features[0], encoder: "ordinal" }], "/features/0/encoder: This field does not belong here"],
    ["features", [{ ...DATASET.features[0], type: "categorical" }], "/features/0/encoder: This field is required"],
    ["source", { kind: "files", table: "t" }, "/source/table: This field does not belong here"],
    [
      "target",
      { name: "y", kind: "regression", minimum: 0, maximum: 1 },
      "/target/kind: Expected a binary target: labels of the warehouse are true or false.",
    ],
    ["features", [{ name: "a/b~c", type: "numeric" }], "/features/0/from: This field is required"],
  ])("with %s %j are refused", (path, value, problem) => {
    expect(problemsOf(altered(path, value))).toContain(problem);
  });

  it("that are not JSON, or not an object, are refused", () => {
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
      /is not a valid dataset document: \/version: .* Correct the dataset/,
    );
  });
});
