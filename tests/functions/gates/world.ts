/** Buckets, parameters and a trained model in memory: what the functions of the pipelines see of the world. */
import { gzipSync } from "node:zlib";
import { createTar } from "nanotar";
import { models as validateModels } from "#validators";
import { datasetKey, modelTarKey, outputTarKey } from "../../../functions/gates/common/keys";
import type { Objects, Parameters } from "../../../functions/gates/common/ports";
import type { DatasetDocument } from "../../../functions/gates/dataset";
import type { ModelsDocument } from "../../../functions/scoring/models/document";
import type { FeatureSpec, FeatureSpecEntry } from "../../../functions/scoring/models/feature-spec";
import { readCase, readExpected } from "../../models/xgboost";

export const log = { debug() {}, info() {}, warn() {}, error() {} };

export const BUCKET = "pipelines";
export const PARAMETER = "/models/fraud";
export const MODEL = "fraud-20261121-0a1b2c3d";

export interface MemoryObjects extends Objects {
  readonly content: Map<string, Uint8Array>;
  readonly metadata: Map<string, Readonly<Record<string, string>>>;
  text(key: string): string;
}

export function memoryObjects(bucket: string, initial: Readonly<Record<string, string | Uint8Array>> = {}): MemoryObjects {
  const bytesOf = (body: string | Uint8Array) => (typeof body === "string" ? new TextEncoder().encode(body) : body);
  const content = new Map(Object.entries(initial).map(([key, body]) => [key, bytesOf(body)]));
  const metadata = new Map<string, Readonly<Record<string, string>>>();
  return {
    bucket,
    content,
    metadata,
    text: (key) => new TextDecoder().decode(content.get(key)),
    size: async (key) => content.get(key)?.length,
    bytes: async (key) => content.get(key),
    put: async (key, body) => void content.set(key, bytesOf(body)),
    putIfAbsent: async (key, body, meta) => {
      if (content.has(key)) return;
      content.set(key, body);
      metadata.set(key, meta);
    },
  };
}

export interface MemoryParameters extends Parameters {
  /** Texts by version, from 1. */
  readonly versions: string[];
  /** Runs before the next write, as somebody else would. */
  beforeWrite?: (() => void) | undefined;
}

export function memoryParameters(...initial: readonly (ModelsDocument | string)[]): MemoryParameters {
  const versions = initial.map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
  const parameters: MemoryParameters = {
    versions,
    async read(name, version = versions.length) {
      const text = name === PARAMETER ? versions[version - 1] : undefined;
      return text === undefined ? undefined : { text, version, modifiedAtMs: 1_000 * version };
    },
    async write(_name, text) {
      parameters.beforeWrite?.();
      parameters.beforeWrite = undefined;
      return versions.push(text);
    },
  };
  return parameters;
}

export const accessTo = (parameters: Parameters) => ({ parameters, names: { fraud: PARAMETER }, validateModels });

/** Six of the fraud profile's features stand for the columns of the fixture. */
export const FEATURES: readonly FeatureSpecEntry[] = [
  { name: "amount", type: "numeric", from: "features", default: null },
  { name: "sum_1h", type: "numeric", from: "features", default: null },
  { name: "count_1m", type: "numeric", from: "features", default: null },
  { name: "speed_kmh", type: "numeric", from: "features", default: null },
  { name: "is_night", type: "boolean", from: "features", default: null },
  { name: "amount_zscore", type: "numeric", from: "features", default: null },
];

export const SPEC: FeatureSpec = { version: 1, features: FEATURES };

export const DATASET: DatasetDocument = {
  version: 1,
  name: "fraud",
  profile: "fraud",
  source: { kind: "warehouse" },
  target: { name: "label", kind: "binary" },
  labels: { unlabelled: "negative", maturityDays: 14 },
  history: { days: 90, maxRows: 100_000 },
  split: { by: "time", validation: 0.1, holdout: 0.2 },
  quality: {
    minRows: 1000,
    maxNullRate: 0.2,
    nullRates: { speed_kmh: 0.9 },
    ranges: { amount: [0, 1e6] },
    minPositiveShare: 0.01,
    maxPositiveShare: 0.4,
    maxDuplicateKeys: 0,
    maxDrift: 0.25,
  },
  training: {
    objective: "binary:logistic",
    rounds: 300,
    maxDepth: 4,
    learningRate: 0.1,
    subsample: 0.8,
    colsampleByTree: 0.7,
    minChildWeight: 1,
    lambda: 2,
    earlyStoppingRounds: 20,
    seed: 7,
    monotone: { amount: 1 },
  },
  evaluation: { metric: "auc", limit: 0.7, margin: 0.01, maxPsi: 0.25, goldenRows: 16 },
  features: FEATURES,
};

/** A model that XGBoost 2.1 trained, its rows and its margins. */
export interface Trained {
  readonly model: Record<string, unknown>;
  /** null is a missing value. */
  readonly rows: readonly (readonly (number | null)[])[];
  readonly margins: readonly number[];
  readonly labels: readonly number[];
}

export function trained(): Trained {
  const model: Record<string, unknown> = JSON.parse(new TextDecoder().decode(readCase(FIXTURES, "logistic-xgboost-2.1.json")));
  // Every model file has a learner, which is an object; this one came without names.
  const learner = model.learner as Record<string, unknown>;
  learner.feature_names = FEATURES.map(({ name }) => name);
  const expected = readExpected(FIXTURES, "logistic-xgboost-2.1");
  const all = Array.from({ length: expected.count }, (_, row) => ({
    values: Array.from(expected.rows.subarray(row * FEATURES.length, (row + 1) * FEATURES.length)),
    margin: expected.margins[row]!,
  }));
  // DMatrix refuses infinities, so no training writes them.
  const finite = all.filter(({ values }) =>
    values.every((value) => value !== Number.POSITIVE_INFINITY && value !== Number.NEGATIVE_INFINITY),
  );
  return {
    model,
    rows: finite.map(({ values }) => values.map((value) => (Number.isNaN(value) ? null : value))),
    margins: finite.map(({ margin }) => margin),
    // Mostly as the model says, so that its AUC is good and not perfect.
    labels: finite.map(({ margin }, row) => (margin + 1.5 * Math.sin(row * 12.9898) > 0.3 ? 1 : 0)),
  };
}

const FIXTURES = "packages/tree-kernel/tests/fixtures";

export type Files = Readonly<Record<string, string | Uint8Array | undefined>>;

/** The files of model.tar.gz. */
export function modelFiles({ model, rows, margins }: Trained): Record<string, string | Uint8Array> {
  return {
    "model.ubj": JSON.stringify(model),
    "feature-spec.json": JSON.stringify(SPEC),
    "golden.json": JSON.stringify({
      features: FEATURES.map(({ name }) => name),
      rows: rows.slice(0, 16),
      raw: [],
      margins: margins.slice(0, 16),
    }),
    "metrics.json": JSON.stringify({ auc: 0.9, rows: rows.length }),
    "baseline.json": JSON.stringify({ features: {}, prediction: { edges: [0, 0.25, 0.5, 0.75, 1], counts: [40, 30, 20, 10] } }),
  };
}

export function outputFiles({ rows, margins, labels }: Trained): Record<string, string | Uint8Array> {
  const lines = rows.map((row, index) =>
    [
      `"key, ${index}"`,
      labels[index],
      margins[index],
      1 / (1 + Math.exp(-margins[index]!)),
      ...row.map((value) => value ?? ""),
    ].join(","),
  );
  const header = ["key", "label", "margin", "prediction", ...FEATURES.map(({ name }) => name)].join(",");
  return { "holdout.csv": `${[header, ...lines].join("\n")}\n`, "roc.svg": "<svg/>", "notes.txt": "not a picture" };
}

export function tarGz(files: Files): Uint8Array {
  const members = Object.entries(files).flatMap(([name, data]) => (data === undefined ? [] : [{ name: `./${name}`, data }]));
  return gzipSync(createTar(members, { attrs: { mtime: 0 } }));
}

/** A bucket with the dataset and the archives of {@link MODEL}; members of `model` and `output` replace or (undefined) remove files. */
export function trainedBucket(
  options: { readonly dataset?: DatasetDocument; readonly model?: Files; readonly output?: Files } = {},
): MemoryObjects {
  const one = trained();
  return memoryObjects(BUCKET, {
    [datasetKey("fraud")]: JSON.stringify(options.dataset ?? DATASET),
    [modelTarKey("fraud", MODEL)]: tarGz({ ...modelFiles(one), ...options.model }),
    [outputTarKey("fraud", MODEL)]: tarGz({ ...outputFiles(one), ...options.output }),
  });
}

/** Name and message of what a promise fails with. */
export async function failure(promise: Promise<unknown>): Promise<{ readonly name: string; readonly message: string }> {
  try {
    const value = await promise;
    throw new Error(`Expected a failure, got ${JSON.stringify(value)}`);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { name: error.name, message: error.message };
  }
}
