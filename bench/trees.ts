/** `trees.*`: scoring single rows and batches of 1,000 with a model of the reference shape and a small one, and loading. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile, loadTrees, readXgboost } from "@risk/tree-kernel";
import { ifElseC, xgboostC, xgboostC17 } from "./trees/native";
import { fastest, onnxruntime, type Peer, perRow, type Subject, structOfArrays, xgboostScorer } from "./trees/peers";
import { featureCount, modelOf, REFERENCE, rowsOf, type Shape, SMALL } from "./trees/shape";
import type { Bench, BenchResult, Requirement } from "./types";

const ROWS = 1000;
const ROUNDS = 9;
const LOAD_ROUNDS = 25;
/** Rounds that aren't measured, because the engines still compile. */
const WARM_UP = 3;

interface Prepared extends Subject {
  readonly imageFile: string;
  readonly ours: Peer;
  readonly peers: Readonly<Record<string, Peer>>;
  /** Why peers are missing. */
  readonly absent: readonly string[];
}

/** Run in their own processes and need no warm-up. */
const NATIVE = { "xgboost-c": xgboostC, "xgboost-c-1.7": xgboostC17, "c-if-else": ifElseC };
const MAKERS: Readonly<Record<string, (subject: Subject) => Peer | Promise<Peer>>> = {
  ...NATIVE,
  "onnxruntime-node": onnxruntime,
  "xgboost-scorer": xgboostScorer,
};

const prepared = new Map<Shape, Promise<Prepared>>();

function prepare(shape: Shape): Promise<Prepared> {
  const known = prepared.get(shape);
  if (known !== undefined) return known;
  const made = build(shape);
  prepared.set(shape, made);
  return made;
}

async function build(shape: Shape): Promise<Prepared> {
  const folder = mkdtempSync(join(tmpdir(), "bench-trees-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const modelFile = join(folder, `${shape.name}.json`);
  const rowsFile = join(folder, `${shape.name}.rows`);
  const imageFile = join(folder, `${shape.name}.rsm`);
  const rows = rowsOf(shape, ROWS);
  writeFileSync(modelFile, modelOf(shape));
  writeFileSync(rowsFile, new Uint8Array(rows.buffer));
  const ensemble = readXgboost(readFileSync(modelFile));
  const image = compile(ensemble);
  writeFileSync(imageFile, image);
  const model = loadTrees(image);
  const width = featureCount(shape);
  const subject: Subject = { modelFile, rowsFile, rows, width, ensemble, margins: model.marginsBatch(rows, ROWS) };
  const out = new Float32Array(ROWS);
  const each = Array.from({ length: ROWS }, (_, row) => rows.subarray(row * width, (row + 1) * width));
  const ours: Peer = (batch) => {
    const start = performance.now();
    if (batch === 1) for (const row of each) model.margins(row, out);
    else model.marginsBatch(rows, ROWS, out);
    return perRow(start, ROWS);
  };
  const fallback = loadTrees(image, { kernel: "typescript" });
  const inTypescript: Peer = (batch) => {
    const start = performance.now();
    if (batch === 1) for (const row of each) fallback.margins(row, out);
    else fallback.marginsBatch(rows, ROWS, out);
    return perRow(start, ROWS);
  };
  const peers: Record<string, Peer> = { "ours-without-wasm": inTypescript, "js-struct-of-arrays": structOfArrays(subject) };
  const absent: string[] = [];
  for (const [name, make] of Object.entries(MAKERS)) {
    try {
      peers[name] = await make(subject);
    } catch (error) {
      absent.push(`${name}: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`);
    }
  }
  return { ...subject, imageFile, ours, peers, absent };
}

async function measure(shape: Shape, batch: number): Promise<BenchResult> {
  const { ours, peers, absent, ensemble } = await prepare(shape);
  const contestants = Object.entries({ ours, ...peers });
  const times: Record<string, number[]> = {};
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const [name, contestant] of contestants) {
      if (round < WARM_UP && Object.hasOwn(NATIVE, name)) continue;
      const time = await contestant(batch);
      if (round >= WARM_UP) times[name] = [...(times[name] ?? []), time];
    }
  }
  const { ours: mine, ...others } = Object.fromEntries(Object.entries(times).map(([name, values]) => [name, fastest(values)]));
  const nodes = ensemble.trees.reduce((sum, tree) => sum + tree.left.length, 0);
  return {
    ours: mine!,
    peers: others,
    note:
      `${shape.trees} trees of depth ${shape.depth}, ${featureCount(shape)} features, ${nodes} nodes; ${ROWS} rows with missing values, ${batch} at a time, one thread; ` +
      `margins equal to XGBoost's bit for bit; fastest of ${ROUNDS} interleaved rounds; XGBoost 3.2.0 and 1.7.6 through XGBoosterPredictFromDense` +
      (absent.length > 0 ? `; not measured: ${absent.join("; ")}` : ""),
  };
}

async function measureLoad(): Promise<BenchResult> {
  const { imageFile, modelFile, rows, width } = await prepare(REFERENCE);
  const first = rows.subarray(0, width);
  const contestants: Readonly<Record<string, () => unknown>> = {
    ours: () => loadTrees(readFileSync(imageFile)).margins(first),
    "json-parse": () => JSON.parse(readFileSync(modelFile, "utf8")),
  };
  const times: Record<string, number[]> = {};
  for (let round = 0; round < WARM_UP + LOAD_ROUNDS; round++) {
    for (const [name, contestant] of Object.entries(contestants)) {
      const start = performance.now();
      contestant();
      if (round >= WARM_UP) times[name] = [...(times[name] ?? []), performance.now() - start];
    }
  }
  const size = (file: string): string => `${(readFileSync(file).length / 1e6).toFixed(2)} MB`;
  return {
    ours: fastest(times.ours!),
    peers: { "json-parse": fastest(times["json-parse"]!) },
    note: `the reference shape, from file to first prediction, hash checked: ${size(imageFile)}; JSON.parse alone of the ${size(modelFile)} model; fastest of ${LOAD_ROUNDS} interleaved rounds`,
  };
}

const bench = (id: string, unit: string, requirements: readonly Requirement[], run: () => Promise<BenchResult>): Bench => ({
  id,
  unit,
  better: "lower",
  requirements,
  run,
});

const faster = (peer: string, times: number): Requirement => ({ peer, times });

export const benches: readonly Bench[] = [
  bench("trees.reference.single", "µs/row", [faster("xgboost-c", 14), faster("onnxruntime-node", 15)], () =>
    measure(REFERENCE, 1),
  ),
  bench("trees.reference.batch1000", "µs/row", [faster("xgboost-c", 9), faster("onnxruntime-node", 12)], () =>
    measure(REFERENCE, ROWS),
  ),
  bench("trees.small.single", "µs/row", [faster("xgboost-c", 35)], () => measure(SMALL, 1)),
  bench("trees.small.batch1000", "µs/row", [faster("xgboost-c", 8)], () => measure(SMALL, ROWS)),
  bench("trees.load", "ms", [{ atMost: 2 }, faster("json-parse", 25)], measureLoad),
];
