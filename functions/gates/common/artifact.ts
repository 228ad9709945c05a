/** What a training job produces: the archives that SageMaker packs, opened and checked, and the compiled model. */
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { loadTrees, readXgboost, type TreeEvaluator } from "@risk/tree-kernel";
import { parseTar } from "nanotar";
import { golden as validateGolden } from "#validators";
import { isObject } from "../../scoring/core/json";
import { modelKey } from "../../scoring/models/artifact-key";
import { type FeatureSpec, parseFeatureSpec, requireFitted } from "../../scoring/models/feature-spec";
import { compileWithSpec } from "../../scoring/models/tree-image";
import { treeLoader } from "../../shared/tree-loader";
import type { DatasetDocument } from "../dataset";
import { fail } from "./errors";
import { profileOf } from "./models-parameter";
import type { Objects } from "./ports";
import { listed, reader, readText } from "./read-json";

/** The reference model (1400 trees, 85 features) packs to 4 MB; these limits keep a wrong object from filling the memory. */
const MAX_PACKED_BYTES = 128 * 2 ** 20;
const MAX_UNPACKED_BYTES = 512 * 2 ** 20;

export interface GoldenRows {
  /** In the order of the model's features, encoded; null is a missing value. */
  readonly rows: readonly (readonly (number | null)[])[];
  /** The margins that XGBoost gave, float32. */
  readonly margins: readonly number[];
}

/** Contents of model.tar.gz. */
export interface ModelArchive {
  /** `s3://…/model.tar.gz`, for messages. */
  readonly where: string;
  readonly model: Uint8Array;
  readonly featureSpec: FeatureSpec;
  readonly golden: GoldenRows;
  /** As training wrote them. */
  readonly metrics: Readonly<Record<string, unknown>>;
  readonly baseline: string;
}

export interface CompiledModel {
  /** Bytes of the `.rsm` file. */
  readonly image: Uint8Array;
  /** Of the image, hexadecimal. */
  readonly sha256: string;
  readonly evaluator: TreeEvaluator;
}

interface GoldenFile extends GoldenRows {
  readonly features: readonly string[];
}

const readGolden = reader<GoldenFile>(validateGolden);

const RETRAIN = "Start the training pipeline again.";

/**
 * Files of a `.tar.gz` by name. Throws `ModelArtifactInvalid` with the key when the object is missing, too large or not such an archive.
 * @param key of an object in the pipelines' bucket
 */
export async function unpack(objects: Objects, key: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const where = `s3://${objects.bucket}/${key}`;
  const size = await objects.size(key);
  if (size === undefined) fail("ModelArtifactInvalid", `There is no ${where}: the training job did not finish. ${RETRAIN}`);
  if (size > MAX_PACKED_BYTES)
    fail("ModelArtifactInvalid", `${where} has ${size} bytes, at most ${MAX_PACKED_BYTES} are opened. Train a smaller model.`);
  const packed = (await objects.bytes(key)) ?? new Uint8Array(0);
  try {
    // A copy, because the reader treats the whole buffer behind a view as the archive.
    const unpacked = Uint8Array.from(gunzipSync(packed, { maxOutputLength: MAX_UNPACKED_BYTES }));
    const files = parseTar(unpacked).flatMap(({ name, type, data, size: length }): [string, Uint8Array][] => {
      if (type !== "file" && type !== "contiguousFile") return [];
      if (!(length >= 0)) throw new Error(`the size of ${name} is not a number`);
      return [[name.replace(/^\.\//, ""), data ?? new Uint8Array(0)]];
    });
    if (files.length > 0) return new Map(files);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    fail("ModelArtifactInvalid", `${where} is not a gzipped tar archive (${reason}): it is damaged. ${RETRAIN}`, error);
  }
  return fail("ModelArtifactInvalid", `${where} holds no file: it is damaged. ${RETRAIN}`);
}

/** A file of an archive; throws `ModelArtifactInvalid`, which lists the files that are there. */
export function fileOf(files: ReadonlyMap<string, Uint8Array>, name: string, where: string): Uint8Array {
  const file = files.get(name);
  if (file !== undefined && file.length > 0) return file;
  return fail(
    "ModelArtifactInvalid",
    `${where} has no ${name}; it holds ${[...files.keys()].join(", ")}. Train with the training script of this version (jobs/sagemaker/train.py).`,
  );
}

/** Opens model.tar.gz. Throws `ModelArtifactInvalid`, which names the file and the member at fault. */
export async function openModelArchive(objects: Objects, key: string, document: DatasetDocument): Promise<ModelArchive> {
  const where = `s3://${objects.bucket}/${key}`;
  const files = await unpack(objects, key);
  const textFile = (name: string): string => new TextDecoder().decode(fileOf(files, name, where));
  const refuse = (name: string, detail: string): never => fail("ModelArtifactInvalid", `${where}: ${name}: ${detail} ${RETRAIN}`);

  const featureSpec = fittedSpec(textFile("feature-spec.json"), (detail) => refuse("feature-spec.json", detail));
  const names = featureSpec.features.map(({ name }) => name);
  const expected = document.features.map(({ name }) => name);
  if (names.join() !== expected.join()) {
    return refuse(
      "feature-spec.json",
      `Expected the features of the dataset in order (${expected.join(", ")}), got ${names.join(", ")}.`,
    );
  }
  const golden = readText(readGolden, textFile("golden.json"));
  if (!golden.ok) return refuse("golden.json", listed(golden.problems));
  const { features, rows, margins } = golden.value;
  if (features.join() !== names.join())
    return refuse("golden.json", `Expected rows of ${names.join(", ")}, got ${features.join(", ")}.`);
  if (rows.length !== margins.length) return refuse("golden.json", `${rows.length} rows have ${margins.length} margins.`);
  if (rows.some((row) => row.length !== names.length)) return refuse("golden.json", `Expected rows of ${names.length} values.`);
  const metrics: unknown = parsedJson(textFile("metrics.json"));
  if (!isObject(metrics)) return refuse("metrics.json", "Expected a JSON object.");
  const baseline = textFile("baseline.json");
  if (!isObject(parsedJson(baseline))) return refuse("baseline.json", "Expected a JSON object.");
  return {
    where,
    model: fileOf(files, "model.ubj", where),
    featureSpec,
    golden: { rows, margins },
    metrics,
    baseline,
  };
}

/** Compiles the model for in-process scoring. Throws `ModelArtifactInvalid` when it can't be evaluated exactly. */
export function compileModel({ where, model, featureSpec }: ModelArchive): CompiledModel {
  try {
    const image = compileWithSpec(readXgboost(model), featureSpec);
    const evaluator = loadTrees(image);
    if (evaluator.outputs !== 1) throw new Error(`it has ${evaluator.outputs} outputs where one score was expected`);
    return { image, sha256: createHash("sha256").update(image).digest("hex"), evaluator };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fail("ModelArtifactInvalid", `${where}: model.ubj cannot be used: ${reason}. ${RETRAIN}`, error);
  }
}

/** Throws `ModelArtifactInvalid` for a model that the profile's functions could not score with. */
export function requireLoadable({ image, sha256 }: CompiledModel, name: string, profile: string, where: string): void {
  const load = treeLoader(profileOf(profile));
  try {
    load(image, { kind: "trees", name, key: modelKey(profile, sha256), sha256 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    fail(
      "ModelArtifactInvalid",
      `${where}: profile "${profile}" cannot score with the model: ${reason} Correct the dataset's features.`,
      error,
    );
  }
}

/** Describes the first golden row whose margin differs from XGBoost's in any bit; undefined when all are equal. */
export function goldenDifference({ evaluator }: CompiledModel, { rows, margins }: GoldenRows): string | undefined {
  for (const [index, row] of rows.entries()) {
    const found = evaluator.margins(row.map((value) => value ?? Number.NaN))[0]!;
    const expected = Math.fround(margins[index]!);
    if (!Object.is(found, expected)) return `golden row ${index} has the margin ${found} where XGBoost gave ${expected}`;
  }
  return undefined;
}

function fittedSpec(json: string, refuse: (detail: string) => never): FeatureSpec {
  try {
    const spec = parseFeatureSpec(JSON.parse(json));
    requireFitted(spec);
    return spec;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function parsedJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
