import { compile, loadTrees, readXgboost } from "@risk/tree-kernel";
import { describe, expect, it } from "vitest";
import { featureSet } from "../../../../functions/scoring/core/features";
import { treeModel } from "../../../../functions/scoring/models/tree-model";
import { type ModelShape, randomModel, randomRows } from "../../../../packages/tree-kernel/tests/random-model";

const SHAPE: ModelShape = {
  seed: 21,
  trees: 12,
  depth: 4,
  features: 3,
  outputs: 1,
  thresholds: 20,
  categorical: 0,
  pruned: 0,
  dart: false,
};

function evaluatorOf(names: readonly string[], shape: ModelShape = SHAPE) {
  const model = randomModel(shape);
  // The model built above: its learner is an object.
  (model.learner as Record<string, unknown>).feature_names = names;
  return loadTrees(compile(readXgboost(new TextEncoder().encode(JSON.stringify(model)))));
}

const profile = featureSet([
  { name: "amount", description: "Amount" },
  { name: "unused", description: "Unused" },
  { name: "kind", description: "Kind", categories: ["a", "b"] },
  { name: "age", description: "Age" },
]);

describe("treeModel", () => {
  it("finds its features by name, alone and in a batch", () => {
    const evaluator = evaluatorOf(["age", "amount", "kind"]);
    const model = treeModel(evaluator, profile, { version: "churn-trees-1" });
    const rows = Float64Array.of(1, 9, 0, 3, Number.NaN, 9, 1, 0.125);
    const expected = [evaluator.predict([3, 1, 0])[0]!, evaluator.predict([0.125, Number.NaN, 1])[0]!];
    expect(model.version).toBe("churn-trees-1");
    expect(model.score(rows.subarray(0, 4))).toBe(expected[0]);
    const out = new Float64Array(2);
    model.scoreBatch(rows, 2, out);
    expect([...out]).toEqual(expected);
  });

  it("explains a score by shares that add up to it", () => {
    const model = treeModel(evaluatorOf(["age", "amount", "kind"]), profile, { version: "1", baseText: "Average customer" });
    const rows = randomRows({ ...SHAPE, features: profile.size }, 50);
    for (let row = 0; row < 50; row++) {
      const vector = Float64Array.from(rows.subarray(row * profile.size, (row + 1) * profile.size));
      const shares = model.explain(vector);
      expect(shares[0]).toMatchObject({ code: "base", text: "Average customer" });
      expect(shares.slice(1).every(({ code }) => ["age", "amount", "kind"].includes(code))).toBe(true);
      expect(shares.reduce((sum, { contribution }) => sum + contribution, 0)).toBeCloseTo(model.score(vector), 12);
    }
    expect(model.explain(Float64Array.of(1, 0, 1, 2)).find(({ code }) => code === "kind")?.text).toBe("Kind: b");
  });

  it("takes features in order when the model has no names, and fits another scale", () => {
    const evaluator = evaluatorOf([], { ...SHAPE, features: profile.size });
    const model = treeModel(evaluator, profile, { version: "1", factor: 150, max: 100 });
    const vector = Float64Array.of(1, 2, 3, 4);
    expect(model.score(vector)).toBe(Math.min(100, evaluator.predict(vector)[0]! * 150));
    const out = new Float64Array(1);
    model.scoreBatch(vector, 1, out);
    expect(out[0]).toBe(model.score(vector));
  });

  it("scores one class of several", () => {
    const evaluator = evaluatorOf(["age", "amount", "kind"], { ...SHAPE, outputs: 3 });
    const vector = Float64Array.of(1, 0, 1, 2);
    const model = treeModel(evaluator, profile, { version: "1", output: 2 });
    expect(model.score(vector)).toBe(evaluator.predict([2, 1, 1])[2]);
    expect(model.explain(vector).reduce((sum, { contribution }) => sum + contribution, 0)).toBeCloseTo(model.score(vector), 12);
    expect(() => treeModel(evaluator, profile, { version: "1", output: 3 })).toThrow(
      "The model has 3 outputs, counted from 0; 3 was asked for.",
    );
  });

  it("explains a model without trees only by its base", () => {
    const model = treeModel(evaluatorOf(["age", "amount", "kind"], { ...SHAPE, trees: 0 }), profile, { version: "1" });
    expect(model.explain(new Float64Array(4))).toEqual([
      { code: "base", text: "Average record", contribution: model.score(new Float64Array(4)) },
    ]);
  });

  it("refuses a model whose features the profile does not have", () => {
    expect(() => treeModel(evaluatorOf(["age", "colour", "kind"]), profile, { version: "1" })).toThrow(
      "The model's feature \"colour\" is not one of the profile's",
    );
    expect(() => treeModel(evaluatorOf([]), profile, { version: "1" })).toThrow(
      "The model has 3 features without names, the profile has 4",
    );
  });
});
