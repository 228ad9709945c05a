/** Other evaluators of the same model, in this process. A peer returns the microseconds per row of a round. */
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Ensemble, Tree } from "@risk/tree-kernel";
import { onnxModel } from "./onnx";

/** Measures one round over all rows, `batch` at a time. */
export type Peer = (batch: number) => number | Promise<number>;

export interface Subject {
  readonly modelFile: string;
  readonly rowsFile: string;
  readonly rows: Float32Array;
  readonly width: number;
  readonly ensemble: Ensemble;
  /** Margins that a peer must reproduce, within the given relative tolerance. */
  readonly margins: Float32Array;
}

const root = process.cwd();

interface Ort {
  InferenceSession: {
    create(
      model: Uint8Array,
      options: object,
    ): Promise<{ run(feeds: object): Promise<Readonly<Record<string, { data: Float32Array }>>> }>;
  };
  Tensor: new (type: string, data: Float32Array, dimensions: readonly number[]) => object;
}

/** onnxruntime-node on one thread. @throws Error if it is not installed or predicts something else */
export async function onnxruntime({ ensemble, rows, width, margins }: Subject): Promise<Peer> {
  const ort: Ort = createRequire(join(root, "bench/peers/package.json"))("onnxruntime-node");
  const session = await ort.InferenceSession.create(onnxModel(ensemble), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const predict = async (at: number, batch: number): Promise<Float32Array> => {
    const input = new ort.Tensor("float32", rows.subarray(at * width, (at + batch) * width), [batch, width]);
    return (await session.run({ rows: input })).margins!.data;
  };
  const all = await predict(0, margins.length);
  // It adds in a different order, so the last bits differ.
  const wrong = all.findIndex((margin, row) => Math.abs(margin - margins[row]!) > 1e-4 * Math.max(1, Math.abs(margins[row]!)));
  if (wrong >= 0) throw new Error(`onnxruntime-node predicts ${all[wrong]} for row ${wrong}, the model ${margins[wrong]}.`);
  return async (batch) => {
    const start = performance.now();
    for (let row = 0; row + batch <= margins.length; row += batch) await predict(row, batch);
    return perRow(start, margins.length);
  };
}

/** The obvious way in JavaScript: nodes in parallel arrays, one walk after the other. */
export function structOfArrays({ ensemble, rows, width, margins }: Subject): Peer {
  const count = ensemble.trees.reduce((sum, tree) => sum + tree.left.length, 0);
  const left = new Int32Array(count);
  const right = new Int32Array(count);
  const feature = new Int32Array(count);
  const value = new Float32Array(count);
  const defaultLeft = new Uint8Array(count);
  const roots: number[] = [];
  let start = 0;
  for (const tree of ensemble.trees) {
    roots.push(start);
    for (let node = 0; node < tree.left.length; node++) {
      left[start + node] = tree.left[node]! < 0 ? -1 : start + tree.left[node]!;
      right[start + node] = start + tree.right[node]!;
    }
    feature.set(tree.feature, start);
    value.set(tree.value, start);
    defaultLeft.set(tree.defaultLeft, start);
    start += tree.left.length;
  }
  const base = ensemble.baseMargins[0]!;
  const predict = (at: number): number => {
    let sum = base;
    for (const root of roots) {
      let node = root;
      while (left[node]! >= 0) {
        const x = rows[at + feature[node]!]!;
        const goesLeft = Number.isNaN(x) ? defaultLeft[node] === 1 : x < value[node]!;
        node = goesLeft ? left[node]! : right[node]!;
      }
      sum = Math.fround(sum + value[node]!);
    }
    return sum;
  };
  return () => {
    const begin = performance.now();
    for (let row = 0; row < margins.length; row++) {
      const margin = predict(row * width);
      if (margin !== margins[row])
        throw new Error(`The struct of arrays predicts ${margin} for row ${row}, the model ${margins[row]}.`);
    }
    return perRow(begin, margins.length);
  };
}

interface DumpedNode {
  readonly nodeid: number;
  readonly leaf?: number;
  readonly split?: string;
  readonly split_condition?: number;
  readonly yes?: number;
  readonly no?: number;
  readonly missing?: number;
  readonly children?: readonly DumpedNode[];
}

interface Scorer {
  default: { create(model: readonly DumpedNode[]): Promise<{ score(row: Readonly<Record<string, number>>): Promise<number> }> };
}

/** Rows per round for the slow peer. */
const SCORER_ROWS = 50;

/** npm's xgboost-scorer, which evaluates XGBoost's JSON dump in plain JavaScript. @throws Error if it is not installed or predicts something else */
export async function xgboostScorer({ ensemble, rows, width, margins }: Subject): Promise<Peer> {
  const library: Scorer = createRequire(join(root, "bench/peers/package.json"))("xgboost-scorer");
  const scorer = await library.default.create(ensemble.trees.map((tree) => dumped(tree, 0)));
  const named = Array.from({ length: SCORER_ROWS }, (_, index) => {
    const values = Array.from(
      rows.subarray(index * width, (index + 1) * width),
      (value, feature) => [`f${feature}`, value] as const,
    );
    return Object.fromEntries(values.filter(([, value]) => !Number.isNaN(value)));
  });
  for (const [index, row] of named.entries()) {
    // It supports no base score and only the logistic objective, and adds doubles.
    const expected = 1 / (1 + Math.exp(ensemble.baseMargins[0]! - margins[index]!));
    const score = await scorer.score(row);
    if (Math.abs(score - expected) > 1e-5)
      throw new Error(`xgboost-scorer predicts ${score} for row ${index}, the model ${expected}.`);
  }
  return async () => {
    const start = performance.now();
    for (const row of named) await scorer.score(row);
    return perRow(start, SCORER_ROWS);
  };
}

/** A node as XGBoost's `dump_model` writes it. */
function dumped(tree: Tree, node: number): DumpedNode {
  const [left, right] = [tree.left[node]!, tree.right[node]!];
  if (left < 0) return { nodeid: node, leaf: tree.value[node]! };
  return {
    nodeid: node,
    split: `f${tree.feature[node]}`,
    split_condition: tree.value[node]!,
    yes: left,
    no: right,
    missing: tree.defaultLeft[node] === 1 ? left : right,
    children: [dumped(tree, left), dumped(tree, right)],
  };
}

/** Microseconds per row since `start`. */
export function perRow(start: number, rows: number): number {
  return ((performance.now() - start) * 1000) / rows;
}

/** The fastest of several rounds, since other load on the machine only makes them slower. */
export function fastest(times: readonly number[]): number {
  return Math.min(...times);
}
