import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { auc, binaryMetrics, brier, logLoss, mae, regressionMetrics, rmse } from "../../../functions/gates/evaluation/metrics";

const rows = (score: fc.Arbitrary<number>) => fc.array(fc.tuple(fc.constantFrom(0, 1), score), { minLength: 1, maxLength: 60 });
const columns = (list: readonly (readonly [number, number])[]) =>
  [list.map(([label]) => label), list.map(([, score]) => score)] as const;

describe("auc", () => {
  it("is the share of pairs in the right order, ties counting half", () => {
    fc.assert(
      // Few distinct scores, so that ties are common.
      fc.property(rows(fc.integer({ min: -3, max: 3 })), (list) => {
        const [labels, scores] = columns(list);
        const pairs = list.flatMap(([a, x]) =>
          list.flatMap(([b, y]) => (a === 1 && b === 0 ? [x > y ? 1 : x === y ? 0.5 : 0] : [])),
        );
        const expected = pairs.length === 0 ? undefined : pairs.reduce<number>((sum, one) => sum + one, 0) / pairs.length;
        if (expected === undefined) expect(auc(labels, scores)).toBeUndefined();
        else expect(auc(labels, scores)).toBeCloseTo(expected, 12);
      }),
      { seed: 1 },
    );
  });

  it("is invariant under a rising function of the scores, and reversed by their sign", () => {
    fc.assert(
      fc.property(rows(fc.integer({ min: -1000, max: 1000 })), (list) => {
        const [labels, scores] = columns(list);
        const area = auc(labels, scores);
        fc.pre(area !== undefined);
        const negated = auc(
          labels,
          scores.map((score) => -score),
        );
        expect(area! + negated!).toBeCloseTo(1, 12);
        expect(
          auc(
            labels,
            scores.map((score) => score ** 3 + 1),
          ),
        ).toBe(area);
      }),
      { seed: 2 },
    );
  });

  it("is 1 for perfect scores, 0.5 for constant ones", () => {
    expect(auc([0, 0, 1], [1, 2, 3])).toBe(1);
    expect(auc([1, 1, 0], [1, 2, 3])).toBe(0);
    expect(auc([0, 1, 0, 1], [7, 7, 7, 7])).toBe(0.5);
  });
});

describe("errors", () => {
  it("log loss is that of the probabilities", () => {
    fc.assert(
      fc.property(rows(fc.double({ min: -20, max: 20, noNaN: true })), (list) => {
        const [labels, margins] = columns(list);
        const naive = list.map(([label, margin]) => {
          const p = 1 / (1 + Math.exp(-margin));
          const q = 1 / (1 + Math.exp(margin));
          return -(label * Math.log(p) + (1 - label) * Math.log(q));
        });
        expect(logLoss(labels, margins)).toBeCloseTo(naive.reduce((sum, one) => sum + one, 0) / naive.length, 9);
      }),
      { seed: 3 },
    );
  });

  it("log loss stays finite where a probability would be 0 or 1", () => {
    expect(logLoss([1, 0], [800, -800])).toBe(0);
    expect(logLoss([0], [800])).toBe(800);
  });

  it("are the sums of their definitions", () => {
    fc.assert(
      fc.property(rows(fc.double({ min: 0, max: 1, noNaN: true })), (list) => {
        const [labels, predictions] = columns(list);
        const mean = (of: (difference: number) => number) =>
          list.reduce((sum, [label, value]) => sum + of(value - label), 0) / list.length;
        expect(brier(labels, predictions)).toBeCloseTo(
          mean((d) => d * d),
          12,
        );
        expect(rmse(labels, predictions)).toBeCloseTo(Math.sqrt(mean((d) => d * d)), 12);
        expect(mae(labels, predictions)).toBeCloseTo(mean(Math.abs), 12);
        expect(mae(labels, predictions)).toBeLessThanOrEqual(rmse(labels, predictions) + 1e-12);
      }),
      { seed: 4 },
    );
  });
});

describe("metrics by name", () => {
  it("of a classifier", () => {
    const scored = { labels: [0, 1], margins: [-2, 2], predictions: [0.1, 0.9] };
    expect(binaryMetrics(scored)).toEqual({
      auc: 1,
      logLoss: logLoss(scored.labels, scored.margins),
      brier: brier(scored.labels, scored.predictions),
      rows: 2,
      positives: 1,
    });
    expect(binaryMetrics({ labels: [1], margins: [0], predictions: [0.5] })).not.toHaveProperty("auc");
  });

  it("of a regression", () => {
    expect(regressionMetrics({ labels: [1, 2], margins: [], predictions: [1, 4] })).toEqual({
      rmse: Math.SQRT2,
      mae: 1,
      rows: 2,
    });
  });
});
