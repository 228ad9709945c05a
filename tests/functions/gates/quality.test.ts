import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { datasetKey, statisticsKey } from "../../../functions/gates/common/keys";
import type { DatasetDocument } from "../../../functions/gates/dataset";
import { createQualityHandler } from "../../../functions/gates/quality/handler";
import { histogramOf } from "../../../functions/gates/quality/histogram";
import { binned, categoryPsi, type Histogram, histogramPsi, psi } from "../../../functions/gates/quality/psi";
import { BUCKET, DATASET, FEATURES, failure, log, MODEL, memoryObjects } from "./world";

const CHAMPION = "fraud-20261101-00000000";
const EVENT = { dataset: "fraud", modelName: MODEL, champion: CHAMPION, statisticsKey: "ignored" };

/** What the extract writes for a healthy training set: open-ended histograms, counts for flags. */
function statistics(changes: Record<string, unknown> = {}, columns: Record<string, Record<string, unknown>> = {}) {
  return {
    dataset: "fraud",
    rows: { train: 1400, validation: 200, holdout: 400 },
    duplicateKeys: 0,
    columns: FEATURES.map(({ name, type }) => ({
      name,
      type,
      rows: 2000,
      nulls: name === "speed_kmh" ? 1500 : 20,
      minimum: type === "categorical" ? null : 0,
      maximum: 100,
      histogram: type === "boolean" ? null : { edges: [0, 10, 20, 50, 100], counts: [0, 500, 500, 500, 400, 80] },
      counts: type === "boolean" ? { "0": 1500, "1": 480 } : null,
      ...columns[name],
    })),
    label: { kind: "binary", rows: 2000, nulls: 0, notFinite: 0, positives: 100, minimum: 0, maximum: 1, mean: 0.05 },
    ...changes,
  };
}

function setUp(own: unknown, champion?: unknown, dataset: DatasetDocument = DATASET) {
  const objects = memoryObjects(BUCKET, {
    [datasetKey("fraud")]: JSON.stringify(dataset),
    ...(own === undefined ? {} : { [statisticsKey("fraud", MODEL)]: JSON.stringify(own) }),
    ...(champion === undefined ? {} : { [statisticsKey("fraud", CHAMPION)]: JSON.stringify(champion) }),
  });
  return createQualityHandler({ objects, log });
}

describe("data-quality-gate", () => {
  it("passes a healthy training set and lists its checks", async () => {
    const result = await setUp(statistics(), statistics())(EVENT);
    expect(result).toMatchObject({ rows: 2000, comparedWith: CHAMPION });
    expect(result.checks.map(({ name, ok, detail }) => `${ok ? "ok" : "no"} ${name}: ${detail}`)).toEqual([
      "ok rows: 2000 rows, at least 1000 are needed",
      "ok split: 1400 to train, 200 to validate, 400 held out",
      "ok schema: 6 columns as the dataset names them",
      "ok missing values: at most 75 % of a column are missing",
      "ok ranges: 1 columns within their range",
      "ok label values: 2000 labels, each a number",
      "ok label balance: 100 of 2000 labels are positive (5 %), allowed 1 % to 40 %",
      "ok duplicate keys: 0 keys occur more than once, allowed 0",
      "ok drift: 6 columns compared with the champion's training set, PSI at most 0, allowed 0.25",
    ]);
  });

  it("works without a champion's training set", async () => {
    const result = await setUp(statistics())(EVENT);
    expect(result.comparedWith).toBe("");
    expect(result.checks.at(-1)).toEqual({
      name: "drift",
      ok: true,
      detail: "the champion has no training set here to compare with",
    });
    expect((await setUp(statistics(), undefined)({ ...EVENT, champion: MODEL })).comparedWith).toBe("");
  });

  it.each([
    ["of another shape", { ...statistics(), rows: 5 }, "/rows: Expected an object, got 5."],
    ["that is no object", [], "Expected an object, got an array of 0."],
  ])("does not compare with a champion's training set %s, and says so", async (_form, previous, problem) => {
    const result = await setUp(statistics(), previous)(EVENT);
    expect(result.comparedWith).toBe("");
    const { name, ok, detail } = result.checks.at(-1) ?? {};
    expect({ name, ok }).toEqual({ name: "drift", ok: true });
    expect(detail).toContain(
      `not compared with the champion's training set: s3://pipelines/training/data/fraud/${CHAMPION}/statistics.json cannot be read (${problem}`,
    );
  });

  const label = (changes: object) => ({ label: { ...statistics().label, ...changes } });
  const cases: [string, unknown, RegExp][] = [
    ["too few rows", statistics({ rows: { train: 9, validation: 1, holdout: 2 } }), /rows: 12 rows, at least 1000 are needed/],
    [
      "an empty part",
      statistics({ rows: { train: 2000, validation: 0, holdout: 0 } }),
      /split: no rows in validation and holdout/,
    ],
    ["nothing to train on", statistics({ rows: { train: 0, validation: 1000, holdout: 1000 } }), /split: no rows in train/],
    ["a column that vanished", statistics({ columns: statistics().columns.slice(1) }), /schema: amount is missing/],
    [
      "a column too many",
      statistics({ columns: [...statistics().columns, { name: "iban", type: "numeric", rows: 1, nulls: 0 }] }),
      /schema: iban is not a feature/,
    ],
    [
      "another type",
      statistics({}, { amount: { type: "categorical" } }),
      /schema: amount is categorical where numeric was expected/,
    ],
    ["missing values", statistics({}, { amount: { nulls: 1000 } }), /missing values: amount 50 %, allowed 20 %/],
    ["a value out of range", statistics({}, { amount: { minimum: -5 } }), /ranges: amount has -5 to 100, allowed 0 to 1000000/],
    [
      "labels that are missing or NaN",
      statistics(label({ nulls: 2, notFinite: 1 })),
      /label values: 2 labels are missing and 1 are not finite numbers/,
    ],
    [
      "no label at all",
      statistics(label({ rows: 0, positives: null })),
      /label values: no row has a label.*label balance: 0 of 0/,
    ],
    ["one class", statistics(label({ positives: 0 })), /label balance: 0 of 2000 .*with one class there is nothing to learn/],
    ["the other class alone", statistics(label({ positives: 2000 })), /label balance: 2000 of 2000 .*with one class/],
    [
      "too many positives",
      statistics(label({ positives: 1000 })),
      /label balance: 1000 of 2000 labels are positive \(50 %\), allowed 1 % to 40 %/,
    ],
    ["duplicate keys", statistics({ duplicateKeys: 3 }), /duplicate keys: 3 keys occur more than once, allowed 0/],
  ];
  it.each(cases)("stops for %s", async (_what, own, message) => {
    const error = await failure(setUp(own, statistics())(EVENT));
    expect(error.name).toBe("DataQualityFailed");
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/Nothing was trained\. Mend the source/);
  });

  it("names every failed check at once", async () => {
    const { message } = await failure(setUp(statistics({ duplicateKeys: 3, ...label({ positives: 0 }) }))(EVENT));
    expect(message).toMatch(/failed 2 of 9 checks\. label balance: .*; duplicate keys: /);
  });

  it("names ten columns and counts the rest", async () => {
    const extra = Array.from({ length: 12 }, (_, index) => ({ name: `x${index}`, type: "numeric", rows: 1, nulls: 0 }));
    const { message } = await failure(setUp(statistics({ columns: [...statistics().columns, ...extra] }))(EVENT));
    expect(message).toMatch(/x9 is not a feature and 2 more/);
  });

  describe("of a regression", () => {
    const regression: DatasetDocument = {
      ...DATASET,
      source: { kind: "files" },
      target: { name: "score", kind: "regression", minimum: 0, maximum: 100 },
      training: { ...DATASET.training, objective: "reg:squarederror" },
      evaluation: { ...DATASET.evaluation, metric: "rmse" },
    };
    const balance = async (changes: object) => {
      try {
        return (await setUp(statistics(label(changes)), undefined, regression)(EVENT)).checks.find(
          ({ name }) => name === "label balance",
        )?.detail;
      } catch (error) {
        return error instanceof Error ? error.message : "";
      }
    };
    it("checks the spread of the labels", async () => {
      expect(await balance({ minimum: 0, maximum: 99.5, positives: null })).toBe("labels from 0 to 99.5, allowed 0 to 100");
      expect(await balance({ minimum: 7, maximum: 7 })).toMatch(/label balance: every label is 7/);
      expect(await balance({ minimum: -1, maximum: 7 })).toMatch(/label balance: labels from -1 to 7, allowed 0 to 100/);
      expect(await balance({ minimum: null, maximum: null })).toMatch(/label balance: the labels' range is not known/);
    });
  });

  describe("drift", () => {
    const moved = { edges: [0, 10, 20, 50, 100], counts: [0, 20, 60, 400, 800, 700] };
    it("stops for a column that changed, numbers or flags", async () => {
      const now = statistics({}, { amount: { histogram: moved }, is_night: { counts: { "0": 500, "1": 1480 } } });
      const error = await failure(setUp(now, statistics())(EVENT));
      expect(error.message).toMatch(/drift: amount has PSI \d\.\d+, is_night has PSI \d\.\d+, allowed 0\.25/);
    });

    it("compares a column of few values with one of many", async () => {
      const few = { histogram: null, counts: { "5": 1000, "30": 980 } };
      const [own, other] = [statistics({}, { amount: few }), statistics()];
      expect((await failure(setUp(own, other)(EVENT))).message).toMatch(/drift: amount has PSI/);
      expect((await failure(setUp(other, own)(EVENT))).message).toMatch(/drift: amount has PSI/);
    });

    it("skips columns without counts, and reports new ones", async () => {
      const before = statistics({ columns: statistics().columns.slice(2) });
      const now = statistics({}, { count_1m: { histogram: null } });
      const result = await setUp(now, before)(EVENT);
      expect(result.checks.at(-1)?.detail).toBe(
        "3 columns compared with the champion's training set, PSI at most 0, allowed 0.25; the champion did not have amount, sum_1h",
      );
    });
  });

  it("names statistics that are missing or wrong, and a wrong event", async () => {
    expect(await failure(setUp(undefined)(EVENT))).toMatchObject({
      name: "StatisticsInvalid",
      message: expect.stringContaining(`There is no s3://pipelines/training/data/fraud/${MODEL}/statistics.json`),
    });
    const wrong = statistics({}, { amount: { histogram: { edges: [1, 1], counts: [1] } } });
    expect(await failure(setUp(wrong)(EVENT))).toMatchObject({
      name: "StatisticsInvalid",
      message: expect.stringContaining("/columns/0/histogram/edges: Expected ascending edges."),
    });
    expect(await failure(setUp(statistics())({ dataset: "fraud" }))).toMatchObject({
      name: "InvalidInput",
      message: expect.stringContaining("/modelName"),
    });
  });
});

describe("histograms", () => {
  it.each([
    ["closed", { edges: [0, 1, 2], counts: [3, 4] }, { below: 0, counts: [3, 4], above: 0, missing: 0 }],
    ["with missing values last", { edges: [0, 1, 2], counts: [3, 4, 9] }, { below: 0, counts: [3, 4], above: 0, missing: 9 }],
    ["with open ends", { edges: [0, 1, 2], counts: [1, 3, 4, 2] }, { below: 1, counts: [3, 4], above: 2, missing: 0 }],
    ["with one edge", { edges: [5], counts: [0, 7] }, { below: 0, counts: [], above: 7, missing: 0 }],
    ["without any value", { edges: [], counts: [0] }, { below: 0, counts: [], above: 0, missing: 0 }],
  ])("are read %s", (_form, written, expected) => {
    expect(histogramOf(written, "")).toEqual({ edges: written.edges, ...expected });
  });

  it("are refused with the wrong number of counts", () => {
    expect(histogramOf({ edges: [0, 1, 2], counts: [1] }, "/columns/3/histogram")).toEqual({
      pointer: "/columns/3/histogram/counts",
      detail: "Expected 2 counts for 3 edges, got 1.",
    });
  });
});

/** Counts values as a histogram with these edges does. */
const counted = (values: readonly number[], edges: readonly number[], missing = 0): Histogram => {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return { ...binned(counts, edges), missing };
};
const uniform = (count: number, to: number) => Array.from({ length: count }, (_, index) => ((index + 0.5) / count) * to);

describe("population stability index", () => {
  const counts = fc.array(fc.nat(1000), { minLength: 1, maxLength: 12 });

  it("equals the textbook's sum", () => {
    // Σ (q − p)·ln(q/p) for p = (0.5, 0.5), q = (0.8, 0.2).
    expect(psi([50, 50], [80, 20])).toBeCloseTo(0.3 * Math.log(1.6) - 0.3 * Math.log(0.4), 12);
    expect(psi([0, 0], [1, 1])).toBe(0);
    expect(psi([1, 1], [0, 0])).toBe(0);
  });

  it("is never negative, 0 for equal shares, and the same both ways", () => {
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        const other = a.map((_, index) => b[index] ?? 1);
        expect(psi(a, other)).toBeGreaterThanOrEqual(0);
        expect(
          psi(
            a,
            a.map((count) => count * 3),
          ),
        ).toBeCloseTo(0, 12);
        expect(psi(a, other)).toBeCloseTo(psi(other, a), 9);
      }),
      { seed: 1 },
    );
  });

  it("is 0 for a histogram against itself, whatever its edges", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 200 }),
        fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { maxLength: 8 }),
        (values, edges) => {
          const one = counted(
            values,
            edges.sort((a, b) => a - b),
          );
          expect(histogramPsi(one, one)).toBeCloseTo(0, 12);
        },
      ),
      { seed: 2 },
    );
  });

  it("stays small when the same values are counted between other edges", () => {
    const values = uniform(10_000, 100);
    const deciles = counted(values, uniform(10, 100));
    expect(histogramPsi(deciles, counted(values, [0, 7, 21, 28, 40, 55, 63, 77, 90, 100]))).toBeLessThan(0.01);
    // One bin that holds nearly all says nothing about what lies in it, so it raises no alarm.
    expect(histogramPsi(deciles, counted(values, [0, 99]))).toBeLessThan(0.01);
  });

  it("detects another distribution, values beyond the ends, and values that are now missing", () => {
    const before = counted(uniform(1000, 100), [0, 10, 20, 40, 60, 80, 100]);
    expect(histogramPsi(before, counted(uniform(1000, 30), [0, 5, 10, 15, 20, 25, 30]))).toBeGreaterThan(1);
    expect(histogramPsi(before, counted(uniform(1000, 300), [0, 10, 20, 40, 60, 80, 100]))).toBeGreaterThan(1);
    expect(histogramPsi(before, counted(uniform(1000, 100), before.edges, 800))).toBeGreaterThan(0.25);
    expect(histogramPsi(before, { edges: [], counts: [], below: 0, above: 0, missing: 1000 })).toBeGreaterThan(1);
  });

  it("counts rare and unknown categories together", () => {
    const before = { a: 500, b: 490, rare: 1 };
    expect(categoryPsi(before, { a: 500, b: 490, other: 1 }, [0, 0])).toBeCloseTo(0, 6);
    expect(categoryPsi(before, { a: 500, new: 490 }, [0, 0])).toBeGreaterThan(1);
    expect(categoryPsi(before, before, [9, 991])).toBeGreaterThan(0.25);
  });

  it("puts single values between edges", () => {
    expect(binned({ "-1": 1, "0": 2, "0.5": 3, "1": 4, "9": 5 }, [0, 1])).toEqual({
      edges: [0, 1],
      counts: [5],
      below: 1,
      above: 9,
      missing: 0,
    });
    expect(binned({ "3": 2 }, [])).toEqual({ edges: [], counts: [], below: 2, above: 0, missing: 0 });
  });
});
