import { loadTrees, readXgboost } from "@risk/tree-kernel";
import { describe, expect, it } from "vitest";
import { championRows } from "../../../functions/gates/evaluation/champion";
import { decisionChecks } from "../../../functions/gates/evaluation/decide";
import { evaluateChampion } from "../../../functions/gates/evaluation/evaluate";
import { type Holdout, parseHoldout } from "../../../functions/gates/evaluation/holdout";
import type { FeatureSpec } from "../../../functions/scoring/models/feature-spec";
import { compileWithSpec } from "../../../functions/scoring/models/tree-image";
import { randomModel } from "../../../packages/tree-kernel/tests/random-model";
import { treeImage } from "../../helpers/tree-image";
import { DATASET, failure } from "./world";

describe("a champion with other encodings", () => {
  const text = (name: string, categories: readonly string[], unknown: number | null = null) =>
    ({ name, type: "categorical", from: "input", encoder: "ordinal", categories, unknown, default: null }) as const;
  const number = (name: string) => ({ name, type: "numeric", from: "features", default: null }) as const;
  const encoded = (name: string, categories: readonly string[]) =>
    ({ name, type: "categorical", from: "features", encoder: "encoded", categories, default: null }) as const;
  const specOf = (...features: FeatureSpec["features"]): FeatureSpec => ({ version: 1, features });
  const championWith = (features: readonly string[], featureSpec?: FeatureSpec) => {
    const model = randomModel({
      seed: 3,
      trees: 4,
      depth: 2,
      features: features.length,
      outputs: 1,
      thresholds: 4,
      categorical: 0,
      pruned: 0,
      dart: false,
    });
    (model.learner as Record<string, unknown>).feature_names = features;
    return compileWithSpec(readXgboost(new TextEncoder().encode(JSON.stringify(model))), featureSpec);
  };
  const holdoutOf = (...rows: readonly (readonly number[])[]): Holdout => ({
    count: rows.length,
    rows: Float32Array.from(rows.flat()),
    labels: new Float64Array(rows.length),
    margins: new Float32Array(rows.length),
  });
  const rowsFor = (image: Uint8Array, spec: FeatureSpec, holdout: Holdout) => {
    const result = championRows(loadTrees(image), spec, holdout);
    return result.ok ? Array.from(result.rows) : result.reason;
  };

  it("gets columns by name, in its own order", () => {
    const image = championWith(["b", "a"], specOf(number("b"), number("a")));
    expect(rowsFor(image, specOf(number("a"), number("b"), number("c")), holdoutOf([1, 2, 3], [4, Number.NaN, 6]))).toEqual([
      2,
      1,
      Number.NaN,
      4,
    ]);
  });

  it("gets its own codes for texts, and its own code for unknown ones", () => {
    const spec = specOf(text("browser", ["chrome", "edge", "firefox"]));
    const holdout = holdoutOf([0], [1], [2], [Number.NaN]);
    expect(rowsFor(championWith(["browser"], specOf(text("browser", ["edge", "chrome"], 99))), spec, holdout)).toEqual([
      1,
      0,
      99,
      Number.NaN,
    ]);
    expect(rowsFor(championWith(["browser"], specOf(text("browser", ["edge", "chrome"]))), spec, holdout)).toEqual([
      1,
      0,
      Number.NaN,
      Number.NaN,
    ]);
    expect(rowsFor(championWith(["browser"], specOf(encoded("browser", ["firefox", "edge"]))), spec, holdout)).toEqual([
      Number.NaN,
      1,
      0,
      Number.NaN,
    ]);
  });

  it("gets the profile's codes if it has no spec", () => {
    const image = championWith(["category"]);
    expect(rowsFor(image, specOf(encoded("category", ["a", "b"])), holdoutOf([1]))).toEqual([1]);
    expect(rowsFor(image, specOf(text("category", ["a", "b"])), holdoutOf([1]))).toBe(
      "it encodes category in another way, and its image does not say how",
    );
  });

  it("is not compared when a number became a text", () => {
    const image = championWith(["x"], specOf(number("x")));
    expect(rowsFor(image, specOf(text("x", ["a"])), holdoutOf([0]))).toMatch(/it encodes x in another way/);
    expect(rowsFor(championWith(["x"], specOf(text("x", ["a"]))), specOf(number("x")), holdoutOf([0]))).toMatch(
      /it encodes x in another way/,
    );
  });

  it("is not compared when it has several classes, or its image is damaged", () => {
    const several = treeImage("x", ["amount"], 5, { classes: 2, objective: "multi:softprob" }).bytes;
    const spec = specOf(number("amount"));
    expect(evaluateChampion(DATASET, several, spec, holdoutOf([1]))).toEqual({
      metrics: undefined,
      comparison: "it has 2 outputs",
    });
    expect(evaluateChampion(DATASET, Uint8Array.of(1, 2), spec, holdoutOf([1])).comparison).toMatch(
      /its image cannot be loaded \(.*RSTREES/,
    );
  });
});

describe("decision", () => {
  const rmse = { evaluation: { ...DATASET.evaluation, metric: "rmse" as const, limit: 10, margin: 0.5 } };
  const evidence = { champion: "old", comparison: "", psi: 0.1 };
  it("requires an error below the limit, and below the champion's by the margin", () => {
    const ok = (value: number, theirs: number) =>
      decisionChecks(rmse, { ...evidence, metrics: { rmse: value }, championMetrics: { rmse: theirs } }).map((check) => check.ok);
    expect(ok(9, 9.6)).toEqual([true, true, true]);
    expect(ok(9, 9.4)).toEqual([true, false, true]);
    expect(ok(11, 20)).toEqual([false, true, true]);
  });

  it("doesn't judge a ranking by a handful of rows of one class", () => {
    const check = (positives: number) =>
      decisionChecks(DATASET, {
        ...evidence,
        metrics: { auc: 0.9, rows: 5000, positives },
        championMetrics: undefined,
      }).find(({ name }) => name === "holdout");
    expect([8, 19, 20, 4980, 4981].map((positives) => check(positives)?.ok)).toEqual([false, false, true, true, false]);
    expect(check(8)?.detail).toBe("8 of 5000 rows are positive; at least 20 of each class are needed to judge by");
  });
});

describe("a holdout", () => {
  it("keeps float32 values as they are written, with keys of any text", () => {
    const csv = 'key,label,margin,prediction,a,b\n"a, ""b""\nc",1,-0.0,0.5,0.1,\n';
    const { count, rows, labels, margins } = parseHoldout(new TextEncoder().encode(csv), ["a", "b"], "x");
    expect([count, Array.from(rows), Array.from(labels), Object.is(margins[0], -0)]).toEqual([
      1,
      [Math.fround(0.1), Number.NaN],
      [1],
      true,
    ]);
  });

  it("has a limited size", async () => {
    const csv = `key,label,margin,prediction\n${"k,1,0,0\n".repeat(100_001)}`;
    const error = await failure(Promise.resolve().then(() => parseHoldout(new TextEncoder().encode(csv), [], "x")));
    expect(error).toMatchObject({
      name: "ModelArtifactInvalid",
      message: expect.stringContaining("Expected at most 100000 rows"),
    });
  });
});
