/** Reads dataset documents: checks the shape with the schema, then everything that a schema can't express. */
import { dataset as validateDataset } from "#validators";
import schema from "../../../schemas/dataset.schema.json";
import { parseFeatures } from "../../scoring/models/feature-spec";
import type { DatasetDocument } from "../dataset";
import { fail } from "./errors";
import { datasetKey } from "./keys";
import { type Objects, textOf } from "./ports";
import { listed, type Parsed, reader, readText } from "./read-json";

const readDocument = reader<DatasetDocument>(validateDataset, schema);

/** Columns that the extracts add to the features. */
const RESERVED: readonly string[] = ["key", "event_time", "label"];

/** Parses and checks the dataset document of this name. */
export function parseDataset(json: string, name: string): Parsed<DatasetDocument> {
  const parsed = readText(readDocument, json);
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
    `s3://${objects.bucket}/${key} is not a valid dataset document: ${listed(parsed.problems)} Correct the dataset in the stack and deploy it.`,
  );
}

type Problems = { readonly pointer: string; readonly detail: string }[];

/** Rules between members, and about the names of features. */
function contradictions(document: DatasetDocument, name: string): Problems {
  const { source, target, split, quality, training, evaluation, features } = document;
  const found: Problems = [];
  const refuse = (pointer: string, detail: string): unknown => found.push({ pointer, detail });
  if (document.name !== name) refuse("/name", `Expected "${name}", the name of the file, got "${document.name}".`);
  if (source.kind === "warehouse" && target.kind !== "binary") {
    refuse(
      "/target/kind",
      "Expected a binary target: labels of the warehouse are true or false. Learn a regression from a Snowflake or files source.",
    );
  }
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
  for (const [column, [low, high]] of Object.entries(quality.ranges ?? {})) {
    if (low > high) refuse(`/quality/ranges/${column}`, `Expected [lowest, highest], got [${low}, ${high}].`);
  }
  for (const [index, feature] of features.entries()) {
    if (RESERVED.includes(feature.name))
      refuse(`/features/${index}/name`, `Expected a name other than ${RESERVED.join(", ")}, which the extracts add; rename it.`);
  }
  try {
    parseFeatures(features, "features");
  } catch (error) {
    refuse("/features", error instanceof Error ? error.message : String(error));
  }
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
