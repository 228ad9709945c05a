/** Reads dataset documents: shape first, then what members have to do with each other. */
import { type FeatureSpecEntry, parseFeatures } from "../models/feature-spec";
import type { DatasetDocument, DatasetSource } from "./dataset";
import { fail } from "./errors";
import { count, list, listed, number, object, oneOf, type Parsed, type Read, readText, record, text, variant } from "./json";
import { datasetKey } from "./keys";
import { type Objects, textOf } from "./ports";

const SHARE = { min: 0, max: 1 };
const POSITIVE = { min: 1, integer: true };

/**
 * A model's name is `<dataset>-<date>-<hash>`, 18 characters more, and the ClientToken that registers it once takes 36:
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html
 */
export const DATASET_NAME = {
  pattern: /^[a-z][a-z0-9-]{0,17}$/,
  form: "1 to 18 lower-case letters, digits and hyphens that begin with a letter",
};

const FILLED = text({ pattern: /\S/, form: "text that is not empty" });
/** As the models' own reader takes them, which names the first problem. */
const features: Read<readonly FeatureSpecEntry[]> = (value, pointer, found) => {
  try {
    return parseFeatures(value, "features");
  } catch (error) {
    found.push({ pointer, detail: error instanceof Error ? error.message : String(error) });
    return undefined;
  }
};

const source: Read<DatasetSource> = variant<DatasetSource>("kind", {
  warehouse: object({ kind: oneOf("warehouse") }, {}),
  files: object({ kind: oneOf("files") }, {}),
  snowflake: object<Extract<DatasetSource, { kind: "snowflake" }>>(
    {
      kind: oneOf("snowflake"),
      connection: FILLED,
      database: FILLED,
      schema: FILLED,
      warehouse: FILLED,
      table: FILLED,
      keyColumn: FILLED,
      timeColumn: FILLED,
      targetColumn: FILLED,
    },
    {},
  ),
});

const range: Read<readonly [number, number]> = (value, pointer, found) => {
  const bounds = list(number(), { min: 2, max: 2 })(value, pointer, found);
  if (bounds === undefined) return undefined;
  const [low, high] = bounds as readonly [number, number];
  if (low <= high) return [low, high];
  found.push({ pointer, detail: `Expected [lowest, highest], got [${low}, ${high}].` });
  return undefined;
};

const datasetDocument: Read<DatasetDocument> = object<DatasetDocument>(
  {
    version: oneOf(1),
    name: text(DATASET_NAME),
    profile: FILLED,
    source,
    target: variant<DatasetDocument["target"]>("kind", {
      binary: object({ name: FILLED, kind: oneOf("binary") }, {}),
      regression: object<Extract<DatasetDocument["target"], { kind: "regression" }>>(
        { name: FILLED, kind: oneOf("regression"), minimum: number(), maximum: number() },
        {},
      ),
    }),
    labels: object<DatasetDocument["labels"]>(
      { unlabelled: oneOf("negative", "drop"), maturityDays: number({ min: 0, max: 3650 }) },
      {},
    ),
    history: object<DatasetDocument["history"]>({ days: number({ min: 1, max: 3650 }), maxRows: number(POSITIVE) }, {}),
    split: object<DatasetDocument["split"]>({ by: oneOf("time", "hash"), validation: number(SHARE), holdout: number(SHARE) }, {}),
    quality: object<DatasetDocument["quality"]>(
      {
        minRows: number(POSITIVE),
        maxNullRate: number(SHARE),
        minPositiveShare: number(SHARE),
        maxPositiveShare: number(SHARE),
        maxDuplicateKeys: count,
        maxDrift: number({ min: 0 }),
      },
      { nullRates: record(number(SHARE)), ranges: record(range) },
    ),
    training: object<DatasetDocument["training"]>(
      {
        objective: oneOf("binary:logistic", "reg:squarederror"),
        rounds: number({ min: 1, max: 100_000, integer: true }),
        maxDepth: number({ min: 1, max: 64, integer: true }),
        learningRate: number(SHARE),
        subsample: number(SHARE),
        colsampleByTree: number(SHARE),
        minChildWeight: number({ min: 0 }),
        lambda: number({ min: 0 }),
        earlyStoppingRounds: count,
        seed: count,
      },
      { monotone: record(oneOf(-1, 1)) },
    ),
    evaluation: object<DatasetDocument["evaluation"]>(
      {
        metric: oneOf("auc", "rmse"),
        limit: number({ min: 0 }),
        margin: number(),
        maxPsi: number({ min: 0 }),
        goldenRows: number({ min: 1, max: 10_000, integer: true }),
      },
      {},
    ),
    features,
  },
  {},
);

/** Reads a dataset document of that name. */
export function parseDataset(json: string, name: string): Parsed<DatasetDocument> {
  const parsed = readText(datasetDocument, json);
  if (!parsed.ok) return parsed;
  const problems = contradictions(parsed.value, name);
  return problems.length === 0 ? parsed : { ok: false, problems };
}

/** The document of a dataset. Throws `InvalidDataset` with every problem. */
export async function loadDataset(objects: Pick<Objects, "bucket" | "bytes">, name: string): Promise<DatasetDocument> {
  const key = datasetKey(name);
  const json = await textOf(objects, key);
  if (json === undefined) {
    fail(
      "InvalidDataset",
      `There is no s3://${objects.bucket}/${key}: deploy the stack, which uploads the documents of its datasets.`,
    );
  }
  const parsed = parseDataset(json, name);
  if (parsed.ok) return parsed.value;
  fail(
    "InvalidDataset",
    `s3://${objects.bucket}/${key} is no valid dataset document: ${listed(parsed.problems)} Correct the dataset in the stack and deploy it.`,
  );
}

type Problems = { readonly pointer: string; readonly detail: string }[];

function contradictions(document: DatasetDocument, name: string): Problems {
  const { target, split, quality, training, evaluation, features } = document;
  const found: Problems = [];
  const refuse = (pointer: string, detail: string): unknown => found.push({ pointer, detail });
  if (document.name !== name) refuse("/name", `Expected "${name}", the name of the file, got "${document.name}".`);
  if (split.holdout <= 0)
    refuse("/split/holdout", "Expected a share above 0: the evaluation needs rows that training never saw.");
  if (split.validation + split.holdout >= 1) {
    refuse("/split", `Validation and holdout take ${split.validation + split.holdout} of the rows; nothing is left to train on.`);
  }
  const objective = target.kind === "binary" ? "binary:logistic" : "reg:squarederror";
  const metric = target.kind === "binary" ? "auc" : "rmse";
  if (training.objective !== objective)
    refuse("/training/objective", `Expected ${objective} for a ${target.kind} target, got ${training.objective}.`);
  if (evaluation.metric !== metric)
    refuse("/evaluation/metric", `Expected ${metric} for a ${target.kind} target, got ${evaluation.metric}.`);
  if (target.kind === "regression" && target.minimum >= target.maximum)
    refuse("/target", `Expected minimum below maximum, got ${target.minimum} and ${target.maximum}.`);
  if (quality.minPositiveShare > quality.maxPositiveShare)
    refuse("/quality/minPositiveShare", `Expected at most maxPositiveShare (${quality.maxPositiveShare}).`);
  const names = new Set(features.map((one) => one.name));
  for (const [pointer, keys] of [
    ["/quality/nullRates", quality.nullRates],
    ["/quality/ranges", quality.ranges],
    ["/training/monotone", training.monotone],
  ] as const) {
    for (const key of Object.keys(keys ?? {})) {
      if (!names.has(key)) refuse(`${pointer}/${key}`, "There is no feature of this name; correct it or remove it.");
    }
  }
  return found;
}
