import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile } from "../src/compile";
import type { Ensemble } from "../src/ensemble";
import { loadTrees } from "../src/evaluator";
import { leafOf, oracleMargins } from "../src/oracle";
import { readXgboost } from "../src/xgboost-file";
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
const COUNTS = [0, 1, 19, 20, 48, 69];

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
          const { layout, rankBits, nodeBytes } = model.description;
          layouts.add(`${layout}, ${rankBits}-bit ranks, nodes of ${nodeBytes} bytes`);
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
    expect([...layouts].sort()).toEqual([
      "perfect, 16-bit ranks, nodes of 4 bytes",
      "perfect, 8-bit ranks, nodes of 2 bytes",
      "perfect, 8-bit ranks, nodes of 4 bytes",
      "pointer, 32-bit ranks, nodes of 16 bytes",
    ]);
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

/** Path contributions by their definition, per feature. */
function pathShares({ trees, features }: Ensemble, output: number, row: Float32Array): Float64Array {
  const shares = new Float64Array(features.length);
  for (const tree of trees.filter((one) => one.output === output)) {
    const below = (node: number): { readonly mean: number; readonly cover: number } => {
      if (tree.left[node]! < 0) return { mean: tree.value[node]!, cover: tree.cover[node]! };
      const [l, r] = [below(tree.left[node]!), below(tree.right[node]!)];
      const cover = l.cover + r.cover;
      return { cover, mean: cover > 0 ? (l.mean * l.cover + r.mean * r.cover) / cover : (l.mean + r.mean) / 2 };
    };
    for (let node = 0; tree.left[node]! >= 0; ) {
      const leaf = leafOf(tree, row, node);
      const isLeft = leafOf(tree, row, tree.left[node]!) === leaf;
      const child = isLeft ? tree.left[node]! : tree.right[node]!;
      shares[tree.feature[node]!]! += below(child).mean - below(node).mean;
      node = child;
    }
  }
  return shares;
}

describe("contributions", () => {
  it("by path are what each step to a child changes in the mean below, in every layout", () => {
    const layouts = new Set<string>();
    fc.assert(
      fc.property(shapes, (drawn) => {
        const shape = { ...drawn, trees: Math.min(drawn.trees, 6) };
        const ensemble = ensembleOf(shape);
        const model = loadTrees(compile(ensemble));
        layouts.add(`${model.description.layout} ${model.description.nodeBytes}`);
        const row = randomRows(shape, 1);
        const shares = model.contributions(row, { output: shape.outputs - 1 });
        const expected = pathShares(ensemble, shape.outputs - 1, row);
        for (const [feature, share] of expected.entries()) expect(Math.abs(shares[feature]! - share)).toBeLessThan(1e-9);
      }),
      { seed: 10, numRuns: 60 },
    );
    expect([...layouts].sort()).toEqual(["perfect 2", "perfect 4", "pointer 16"]);
  });

  it("are the same whether covers are kept as counts or as fractions", () => {
    fc.assert(
      fc.property(
        bounded.filter(({ depth }) => depth < 8),
        (shape) => {
          const ensemble = ensembleOf(shape);
          // Halving rounds nothing, so every share of a cover in another stays what it is.
          const weighed = (weight: (cover: number) => number) =>
            loadTrees(
              compile({ ...ensemble, trees: ensemble.trees.map((tree) => ({ ...tree, cover: tree.cover.map(weight) })) }),
            );
          const counts = weighed((cover) => Math.floor(cover));
          const halves = weighed((cover) => Math.floor(cover) / 2);
          const row = randomRows(shape, 1);
          for (const method of ["path", "shap"] as const) {
            expect(counts.contributions(row, { method })).toEqual(halves.contributions(row, { method }));
          }
        },
      ),
      { seed: 9, numRuns: 30 },
    );
  });

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
