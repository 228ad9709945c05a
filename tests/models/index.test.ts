import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { loadTrees } from "@risk/tree-kernel";
import { describe, expect, it } from "vitest";
import { learnt } from "../../cli/training/rows";
import { profileById } from "../../functions/scoring/profiles";
import { FOLDER, goldenOf, imageOf, modelOf, SHIPPED } from "./shipped";

const MAX_BYTES = 300_000;

it("lists every image of the folder, and a challenger for fraud", () => {
  expect(SHIPPED.map(({ file }) => file).sort()).toEqual(
    readdirSync(FOLDER)
      .filter((file) => file.endsWith(".rsm"))
      .sort(),
  );
  expect(SHIPPED.map(({ name }) => name)).toEqual(["fraud-trees-1", "fraud-trees-2", "churn-trees-1"]);
});

describe.each(SHIPPED)("$name", (shipped) => {
  it("is the file of the index", () => {
    const image = imageOf(shipped);
    expect(createHash("sha256").update(image).digest("hex")).toBe(shipped.sha256);
    expect(image.length).toBe(shipped.bytes);
    expect(image.length).toBeLessThanOrEqual(MAX_BYTES);
    expect(loadTrees(image).description).toMatchObject({
      trees: shipped.trees,
      depth: shipped.depth,
      objective: "binary:logistic",
    });
  });

  it("takes its features from the profile, by their names", () => {
    const names = loadTrees(imageOf(shipped)).description.features.map(({ name }) => name);
    expect(names).toEqual(learnt(profileById(shipped.profile).features).map(({ name }) => name));
    expect(names).toEqual(goldenOf(shipped).features);
  });

  it.each(["wasm", "typescript"] as const)("gives the golden rows XGBoost's margins to the bit (%s)", (kernel) => {
    const trees = loadTrees(imageOf(shipped), { kernel });
    const { rows, margins } = goldenOf(shipped);
    const packed = Float32Array.from(rows.flat(), (value) => value ?? Number.NaN);
    expect(rows.length).toBeGreaterThanOrEqual(10);
    expect([...trees.marginsBatch(packed, rows.length)]).toEqual(margins[shipped.name]);
    for (const [index, row] of rows.entries()) {
      expect(trees.margins(row.map((value) => value ?? Number.NaN))[0]).toBe(margins[shipped.name]![index]);
    }
  });

  it("explains its scores by shares that add up", () => {
    const model = modelOf(shipped);
    for (const row of goldenOf(shipped).rows) {
      const vector = Float64Array.from(row, (value) => value ?? Number.NaN);
      const shares = model.explain(vector);
      expect(shares.reduce((sum, { contribution }) => sum + contribution, 0)).toBeCloseTo(model.score(vector), 10);
    }
  });

  it("was measured on rows that it was not trained with, and is calibrated there", () => {
    const { auc, brier, meanPredicted, meanObserved, rows } = shipped.metrics;
    expect(rows.holdout).toBeGreaterThan(5000);
    expect(auc).toBeGreaterThan(0.8);
    // Perfect ranking would mean that the generated data are too easy to show anything.
    expect(auc).toBeLessThan(0.99);
    expect(brier).toBeLessThan(meanObserved * (1 - meanObserved));
    // Fraud comes in episodes of several transactions, so the observed rate itself varies by a tenth and more.
    expect(meanPredicted / meanObserved).toBeGreaterThan(0.65);
    expect(meanPredicted / meanObserved).toBeLessThan(1.35);
  });
});
