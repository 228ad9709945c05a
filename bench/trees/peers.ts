/** Other evaluators of the same model. A peer answers the microseconds a row of one round. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Ensemble } from "../../functions/models/trees/ensemble";
import { runPython, xgboostPython } from "../../tools/xgboost-python";
import { onnxModel } from "./onnx";

/** Measures one round over all rows, `batch` at a time. */
export type Peer = (batch: number) => number | Promise<number>;

export interface Subject {
  readonly modelFile: string;
  readonly rowsFile: string;
  readonly rows: Float32Array;
  readonly width: number;
  readonly ensemble: Ensemble;
  /** Margins that a peer's must equal, to the given relative tolerance. */
  readonly margins: Float32Array;
}

const root = process.cwd();
const nativeFolder = join(root, ".local/bench");

/** XGBoost's C API on one thread, in a loop of C. Throws when gcc or Python is missing. */
export function xgboostC({ modelFile, rowsFile, width, margins }: Subject): Peer {
  const print = "import os, xgboost; print(os.path.join(os.path.dirname(xgboost.__file__), 'lib'))";
  const library = runPython(xgboostPython(root), ["-c", print], "finding XGBoost's library").trim();
  mkdirSync(nativeFolder, { recursive: true });
  const program = join(nativeFolder, "xgboost-c");
  const source = join(root, "bench/peers/native/xgboost.c");
  execFileSync("gcc", ["-O2", source, "-o", program, join(library, "libxgboost.so"), `-Wl,-rpath,${library}`], {
    stdio: "pipe",
  });
  const rounds = (batch: number): number[] => {
    const args = [modelFile, rowsFile, String(width), String(batch), "3", `${rowsFile}.xgboost`];
    const printed = execFileSync(program, args, {
      encoding: "utf8",
      env: { ...process.env, OMP_NUM_THREADS: "1" },
      stdio: "pipe",
    });
    return printed.trim().split("\n").map(Number);
  };
  rounds(margins.length);
  const bytes = readFileSync(`${rowsFile}.xgboost`);
  const same = Buffer.compare(bytes, new Uint8Array(margins.buffer)) === 0;
  if (!same) throw new Error("XGBoost's margins are not ours, bit for bit.");
  return (batch) => median(rounds(batch));
}

interface Ort {
  InferenceSession: {
    create(
      model: Uint8Array,
      options: object,
    ): Promise<{ run(feeds: object): Promise<Readonly<Record<string, { data: Float32Array }>>> }>;
  };
  Tensor: new (type: string, data: Float32Array, dimensions: readonly number[]) => object;
}

/** onnxruntime-node on one thread. Throws when it is not installed or predicts something else. */
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
  // It adds in another order, so the last bits differ.
  const wrong = all.findIndex((margin, row) => Math.abs(margin - margins[row]!) > 1e-4 * Math.max(1, Math.abs(margins[row]!)));
  if (wrong >= 0) throw new Error(`onnxruntime-node predicts ${all[wrong]} for row ${wrong}, the model ${margins[wrong]}.`);
  return async (batch) => {
    const start = performance.now();
    for (let row = 0; row + batch <= margins.length; row += batch) await predict(row, batch);
    return perRow(start, margins.length);
  };
}

/** What one writes first in JavaScript: nodes in parallel arrays, one walk after the other. */
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

/** Microseconds a row since `start`. */
export function perRow(start: number, rows: number): number {
  return ((performance.now() - start) * 1000) / rows;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
