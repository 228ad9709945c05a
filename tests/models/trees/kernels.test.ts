import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile } from "../../../functions/models/trees/compile";
import { loadTrees } from "../../../functions/models/trees/evaluator";
import { oracleMargins } from "../../../functions/models/trees/oracle";
import { readXgboost } from "../../../functions/models/trees/xgboost-file";
import { type ModelShape, randomModel, randomRows } from "./random-model";

const shapes: fc.Arbitrary<ModelShape> = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  trees: fc.integer({ min: 0, max: 40 }),
  depth: fc.integer({ min: 0, max: 11 }),
  features: fc.integer({ min: 1, max: 12 }),
  outputs: fc.constantFrom(1, 1, 1, 2, 5),
  thresholds: fc.constantFrom(2, 7, 300, 5000),
  categorical: fc.constantFrom(0, 0, 0.3, 1),
  pruned: fc.constantFrom(0, 0.1, 0.5),
  dart: fc.boolean(),
});

/** Deep trees without pruning are large; this keeps an example below some thousand nodes. */
const bounded = shapes.map((shape) => ({
  ...shape,
  trees: shape.depth > 7 && shape.pruned === 0 ? Math.min(shape.trees, 3) : shape.trees,
}));

const ensembleOf = (shape: ModelShape) => readXgboost(new TextEncoder().encode(JSON.stringify(randomModel(shape))));

/** Rows that cross a block's edge, fill less than one, or are none. */
const COUNTS = [0, 1, 7, 33, 45];

describe("kernels", () => {
  it("give the oracle's bits for every shape, one row at a time and in batches", () => {
    const layouts = new Set<string>();
    fc.assert(
      fc.property(bounded, fc.constantFrom(...COUNTS), (shape, count) => {
        const ensemble = ensembleOf(shape);
        const image = compile(ensemble);
        const rows = randomRows(shape, count);
        const row = (index: number) => rows.subarray(index * shape.features, (index + 1) * shape.features);
        const expected = new Float32Array(count * shape.outputs);
        for (let index = 0; index < count; index++) expected.set(oracleMargins(ensemble, row(index)), index * shape.outputs);
        for (const kernel of ["wasm", "typescript"] as const) {
          const model = loadTrees(image, { kernel });
          layouts.add(`${model.description.layout} ${model.description.rankBits}`);
          expect(model.kernel).toBe(kernel);
          expect(model.marginsBatch(rows, count)).toEqual(expected);
          expect(model.marginsBatch(Float64Array.from(rows), count)).toEqual(expected);
          for (let index = 0; index < Math.min(count, 5); index++) {
            expect(model.margins(row(index))).toEqual(expected.subarray(index * shape.outputs, (index + 1) * shape.outputs));
          }
        }
      }),
      { seed: 7, numRuns: 120 },
    );
    expect([...layouts].sort()).toEqual(["perfect 16", "perfect 8", "pointer 32"]);
  });

  it("round a double to float32 before they compare it", () => {
    const shape: ModelShape = {
      seed: 3,
      trees: 9,
      depth: 3,
      features: 2,
      outputs: 1,
      thresholds: 7,
      categorical: 0,
      pruned: 0,
      dart: false,
    };
    const ensemble = ensembleOf(shape);
    const justBelow = [0.125 - 1e-12, -0.25 - 1e-12];
    for (const kernel of ["wasm", "typescript"] as const) {
      expect(loadTrees(compile(ensemble), { kernel }).margins(justBelow)).toEqual(
        oracleMargins(ensemble, Float32Array.from(justBelow)),
      );
    }
  });

  it("do not let one row's state reach the next", () => {
    const shape: ModelShape = {
      seed: 11,
      trees: 20,
      depth: 6,
      features: 5,
      outputs: 2,
      thresholds: 300,
      categorical: 0.2,
      pruned: 0.1,
      dart: false,
    };
    const model = loadTrees(compile(ensembleOf(shape)));
    const rows = randomRows(shape, 64);
    const first = model.marginsBatch(rows, 64);
    model.marginsBatch(randomRows({ ...shape, seed: 12 }, 40), 40);
    expect(model.marginsBatch(rows, 64)).toEqual(first);
  });
});

describe("contributions", () => {
  it("add up to the margin, by both methods, and agree between kernels", () => {
    fc.assert(
      fc.property(
        bounded.filter(({ depth }) => depth < 8),
        (shape) => {
          const image = compile(ensembleOf(shape));
          const [wasm, typescript] = [loadTrees(image, { kernel: "wasm" }), loadTrees(image, { kernel: "typescript" })];
          const rows = randomRows(shape, 3);
          for (let index = 0; index < 3; index++) {
            const row = rows.subarray(index * shape.features, (index + 1) * shape.features);
            for (const method of ["path", "shap"] as const) {
              const output = shape.outputs - 1;
              const shares = wasm.contributions(row, { method, output });
              const largest = shares.reduce((most, share) => Math.max(most, Math.abs(share)), 1);
              const sum = shares.reduce((total, share) => total + share, 0);
              expect(Math.abs(sum - wasm.margins(row)[output]!)).toBeLessThanOrEqual(2 ** -50 * largest);
              expect(typescript.contributions(row, { method, output })).toEqual(shares);
            }
          }
        },
      ),
      { seed: 8, numRuns: 40 },
    );
  });

  it("refuse an output that the model does not have", () => {
    const shape: ModelShape = {
      seed: 3,
      trees: 2,
      depth: 2,
      features: 2,
      outputs: 1,
      thresholds: 7,
      categorical: 0,
      pruned: 0,
      dart: false,
    };
    const model = loadTrees(compile(ensembleOf(shape)));
    expect(() => model.contributions([1, 2], { output: 1 })).toThrow("The model has 1 outputs, counted from 0; 1 was asked for.");
    expect(() => model.contributions([1])).toThrow("A row has 2 features, but 1 values were given.");
    expect(() => model.margins([1, 2, 3])).toThrow("A row has 2 features, but 3 values were given.");
    expect(() => model.marginsBatch(new Float32Array(3), 2)).toThrow(
      "2 rows have 4 values and 2 margins; there are 3 values and room for 2 margins.",
    );
  });
});
