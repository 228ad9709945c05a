import { describe, expect, it } from "vitest";
import { featureSet } from "../../../../functions/scoring/core/features";
import { logisticModel } from "../../../../functions/scoring/models/logistic";
import { createModel, modelNames } from "../../../../functions/scoring/models/registry";
import { CHURN } from "../../../../functions/scoring/profiles/churn";
import { FRAUD } from "../../../../functions/scoring/profiles/fraud";
import { LEAD } from "../../../../functions/scoring/profiles/lead";

const leads = createModel({ kind: "heuristic", name: "lead-heuristic-1" }, LEAD);
const churn = createModel({ kind: "logistic", name: "churn-logistic-1" }, CHURN);

function customer(data: readonly number[]): Float64Array {
  const out = new Float64Array(CHURN.features.size);
  CHURN.extract({ data }, null, out, 0);
  return out;
}
const STAYS = customer([700, 1, 30, 5, 0, 2, 1, 1, 50_000, 1, 0, 0]);
const LEAVES = customer([500, 0, 55, 1, 120_000, 1, 0, 0, 90_000, 0, 1, 0]);

describe("models", () => {
  it.each([
    ["heuristic", leads, [Float64Array.of(1000, 10, 0), Float64Array.of(1e6, 0, 0), Float64Array.of(Number.NaN, 10, 0)]],
    ["logistic", churn, [STAYS, LEAVES, new Float64Array(17).fill(Number.NaN)]],
    ["rules-only", createModel({ kind: "rules-only" }, FRAUD), [new Float64Array(29)]],
  ] as const)("%s scores a batch as it scores each row, and explains what it scores", (_, model, vectors) => {
    const size = vectors[0].length;
    const rows = new Float64Array(size * vectors.length);
    for (const [index, vector] of vectors.entries()) rows.set(vector, index * size);
    const out = new Float64Array(vectors.length);
    model.scoreBatch(rows, vectors.length, out);
    expect(Array.from(out)).toEqual(vectors.map((vector) => model.score(vector)));
    for (const vector of vectors) {
      const explained = model.explain(vector).reduce((total, share) => total + share.contribution, 0);
      expect(explained).toBeCloseTo(model.score(vector), 9);
    }
  });

  it("heuristic has nothing to explain at 0", () => {
    expect(leads.explain(Float64Array.of(0, 0, 0))).toEqual([]);
  });

  it("logistic separates obvious cases and explains them", () => {
    expect(churn.score(STAYS)).toBeLessThan(0.1);
    expect(churn.score(LEAVES)).toBeGreaterThan(0.7);
    const reasons = churn.explain(LEAVES).toSorted((a, b) => b.contribution - a.contribution);
    expect(reasons[0]).toMatchObject({ code: "age", text: "Age 55" });
  });

  it("logistic uses the average for unknown features, and keeps its precision near it", () => {
    const features = featureSet([{ name: "x", description: "" }]);
    const spec = {
      version: "v",
      intercept: -1,
      terms: [{ feature: "x", mean: 5, sd: 2, weight: 1, group: "x" }],
      groups: { x: { label: "X", feature: "x" } },
    };
    const model = logisticModel(spec, features);
    const average = 1 / (1 + Math.E);
    expect(model.score(Float64Array.of(Number.NaN))).toBe(average);
    const near = Float64Array.of(5 + 1e-9);
    expect(model.explain(near).reduce((total, share) => total + share.contribution, 0)).toBeCloseTo(model.score(near), 14);
  });

  it("are found by kind and name, and listed when there is no such model", () => {
    expect(modelNames("logistic", "churn")).toEqual(["churn-logistic-1"]);
    expect(modelNames("rules-only", "churn")).toEqual([]);
    expect(() => createModel({ kind: "logistic", name: "x" }, CHURN)).toThrow(
      /"churn" has no model "x"; it has churn-logistic-1/,
    );
    expect(() => createModel({ kind: "heuristic", name: "constructor" }, LEAD)).toThrow(/has no model "constructor"/);
    expect(() => createModel({ kind: "heuristic", name: "x" }, FRAUD)).toThrow(/it has none/);
  });
});
