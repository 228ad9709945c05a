import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { compile, loadTrees, oracleMargins, readXgboost, type TreeEvaluator } from "@risk/tree-kernel";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Expected, generateModels, readCase, readExpected } from "./xgboost";

const fixtures = join(process.cwd(), "packages/tree-kernel/tests/fixtures");

/** Every kind that tests/jobs/generate_models.py trains. */
const CASES = [
  ...[
    "squarederror",
    "base-score",
    "pseudohuber",
    "absoluteerror",
    "squaredlogerror",
    "logistic",
    "logistic-base-score",
    "reg-logistic",
  ],
  ...[
    "logitraw",
    "hinge",
    "poisson",
    "gamma",
    "tweedie",
    "cox",
    "softprob",
    "softmax",
    "rank",
    "dart",
    "dart-softprob",
    "forest",
  ],
  ...[
    "exact",
    "deep",
    "leafwise",
    "stumps",
    "leaves-only",
    "categorical",
    "one-hot",
    "categorical-deep",
    "names",
    "quantiles",
    "targets",
  ],
] as const;

let folder: string;
beforeAll(async () => {
  folder = await generateModels();
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("margins and predictions against XGBoost", () => {
  it("covers every kind that is generated", () => {
    const generated = readdirSync(folder).filter((file) => file.endsWith(".ubj"));
    expect(generated.map((file) => file.replace(".ubj", "")).sort()).toEqual([...CASES].sort());
  });

  it.each(CASES)("%s", (name) => compare(folder, name));
});

describe("files of older versions", () => {
  const suffix = ".expected.json.gz";
  const names = readdirSync(fixtures).flatMap((file) => (file.endsWith(suffix) ? [file.slice(0, -suffix.length)] : []));

  it.each(names)("%s", (name) => compare(fixtures, name));

  it("come from 1.7 and 2.1", () => {
    const versions = new Set(names.map((name) => readExpected(fixtures, name).version));
    expect([...versions].sort()).toEqual(["1.7.6", "2.1.4"]);
  });
});

describe("contributions against XGBoost", () => {
  it.each(CASES)("%s", (name) => {
    const expected = readExpected(folder, name);
    const model = loadTrees(compile(readXgboost(readCase(folder, `${name}.ubj`))));
    const width = model.description.features.length;
    const rows = expected.contributions.length / model.outputs / (width + 1);
    for (const method of ["path", "shap"] as const) {
      const theirs = method === "path" ? expected.path : expected.contributions;
      for (let row = 0; row < rows; row++) {
        const features = expected.rows.subarray(row * width, (row + 1) * width);
        for (let output = 0; output < model.outputs; output++) {
          const ours = model.contributions(features, { method, output });
          const margin = model.margins(features)[output]!;
          const scale = ours.reduce((largest, share) => Math.max(largest, Math.abs(share)), 1);
          const at = (row * model.outputs + output) * (width + 1);
          for (const [feature, share] of ours.entries()) {
            expect(
              Math.abs(share - theirs[at + feature]!),
              `${method}, row ${row}, output ${output}, share ${feature}`,
            ).toBeLessThan(2e-5 * scale);
          }
          const sum = ours.reduce((total, share) => total + share, 0);
          expect(Math.abs(sum - margin)).toBeLessThanOrEqual(2 ** -50 * scale);
        }
      }
    }
  });
});

/** Bit for bit for margins, one by one and in a batch, on every kernel; 1e-7 for predictions. */
function compare(where: string, name: string): void {
  const expected = readExpected(where, name);
  const ensemble = readXgboost(readCase(where, `${name}.json`));
  const image = compile(ensemble);
  if (where === folder) expect(Buffer.from(compile(readXgboost(readCase(where, `${name}.ubj`))))).toEqual(Buffer.from(image));
  for (const kernel of ["wasm", "typescript"] as const) {
    const model = loadTrees(image, { kernel });
    expect(differing(model.marginsBatch(expected.rows, expected.count), expected.margins)).toEqual([]);
    expect(differing(oneByOne(model, expected), expected.margins)).toEqual([]);
    comparePredictions(model, expected);
  }
  const width = ensemble.features.length;
  for (let row = 0; row < expected.count; row += 7) {
    const margins = oracleMargins(ensemble, expected.rows.subarray(row * width, (row + 1) * width));
    expect(differing(margins, expected.margins.subarray(row * margins.length, (row + 1) * margins.length))).toEqual([]);
  }
}

function oneByOne(model: TreeEvaluator, { rows, count }: Expected): Float32Array {
  const width = model.description.features.length;
  const margins = new Float32Array(count * model.outputs);
  for (let row = 0; row < count; row++) {
    margins.set(model.margins(rows.subarray(row * width, (row + 1) * width)), row * model.outputs);
  }
  return margins;
}

function comparePredictions(model: TreeEvaluator, { rows, count, predictions }: Expected): void {
  const ours = model.predictBatch(rows, count);
  const perRow = predictions.length / count;
  for (let row = 0; row < count; row++) {
    for (let output = 0; output < perRow; output++) {
      const theirs = predictions[row * perRow + output]!;
      const difference = Math.abs(ours[row * model.outputs + output]! - theirs);
      expect(difference, `row ${row}, output ${output}`).toBeLessThanOrEqual(1e-7 * Math.max(1, Math.abs(theirs)));
    }
  }
}

/** Positions where the bits differ, so that 0 and -0 or two NaN are told apart. */
function differing(ours: Float32Array, theirs: Float32Array): string[] {
  expect(ours.length).toBe(theirs.length);
  const bits = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);
  const [a, b] = [bits(ours), bits(theirs)];
  return Array.from(a, (_, index) => index)
    .filter((index) => a[index] !== b[index])
    .map((index) => `[${index}] is ${ours[index]}, XGBoost's is ${theirs[index]}`);
}
