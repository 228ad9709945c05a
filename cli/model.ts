/**
 * `npm run model`: compiles XGBoost models to images, inspects and verifies them, and chooses which model scores on a running platform.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { extname } from "node:path";
import { compile, type Ensemble, loadTrees, ModelFileError, type ReadOptions, readXgboost } from "@risk/tree-kernel";
import {
  type FeatureSpec,
  type FeatureSpecEntry,
  FeatureSpecError,
  parseFeatureSpec,
} from "../functions/scoring/models/feature-spec";
import { compileWithSpec, featureSpecIn } from "../functions/scoring/models/tree-image";
import { isLifecycleAction, lifecycle } from "./model-lifecycle/main";
import { type Check, checkImage, csvRows, probingRows } from "./model-lifecycle/model-check";
import { isRegistryAction, registry } from "./model-lifecycle/registry";
import { type CommandLine, type Parsed, parseCommandLine, runCommand, UsageError } from "./options";

const IMAGE_EXTENSION = ".rsm";

const COMMAND: CommandLine = {
  usage:
    "npm run model -- compile|inspect|verify|add FILE, list, promote|challenge|withdraw NAME, rollback, versions, approve|reject VERSION, clear [options]",
  about: [
    "compile  reads an XGBoost model (save_model, .json or .ubj) and writes an image that a Lambda loads in about a millisecond",
    "inspect  shows objective, trees, features and sizes of a model or an image",
    "verify   evaluates an image (or a model, compiled in memory) with every kernel on rows that probe each threshold, and compares",
    "         the result bit for bit with a plain walk over the model's trees; exit status 1 if any row differs",
    "",
    "On the platform that runs on this machine (npm start), or on a stack with --aws:",
    "list       shows champion, fallbacks and challengers of every profile, the models in the bucket, and earlier versions",
    "add        uploads an image, so that it can be promoted",
    "promote    makes a model the champion: builtin, rules, endpoint:NAME, or the name of a compiled model, which is verified first",
    "challenge  lets a model score in shadow; with --percent it also answers a share of requests",
    "withdraw   removes a challenger",
    "rollback   goes back to the previous version, or to another one with --to",
    "versions   lists the model versions that training registered",
    "approve    approves a registered model, by name or version, which starts its promotion",
    "reject     rejects a registered model, by name or version",
    "clear      deletes all registered versions; a stack that still has some can't be destroyed",
  ].join("\n"),
  options: {
    out: { type: "string", value: "FILE", help: `compile: where to write. Default: FILE with ${IMAGE_EXTENSION}.` },
    rounds: {
      type: "string",
      value: "N",
      help: "Boosting rounds to use: all, best (from early stopping) or a number.",
      default: "all",
    },
    spec: {
      type: "string",
      value: "FILE",
      help: "compile: feature-spec.json of the training. The image then encodes raw values itself.",
    },
    model: { type: "string", value: "FILE", help: "verify: the model that the image was compiled from." },
    rows: {
      type: "string",
      value: "CSV",
      help: "verify: additional rows, with columns named like the features; an empty cell is a missing value.",
    },
    profile: {
      type: "string",
      value: "NAME",
      help: "Profile of the model: lead, churn, fraud or device. list: default all.",
    },
    percent: {
      type: "string",
      value: "N",
      help: "challenge: share of requests that the challenger answers, 0 to 100. Default 0.",
    },
    name: { type: "string", value: "NAME", help: "add: name of the model. Default: the file's name." },
    to: { type: "string", value: "VERSION", help: "rollback: version to go back to, as list shows it." },
    dataset: {
      type: "string",
      value: "NAME",
      help: "versions, approve, reject, clear: dataset of the registry. Default: all.",
    },
    yes: { type: "boolean", help: "clear: deletes the versions instead of listing them." },
    reason: { type: "string", value: "TEXT", help: "approve, reject: reason to record in the registry." },
    format: { type: "string", value: "TYPE", help: "endpoint:NAME: text/csv or application/json.", default: "text/csv" },
    timeout: { type: "string", value: "MS", help: "endpoint:NAME: time limit of a call, in milliseconds.", default: "500" },
    aws: { type: "boolean", help: "Works on a stack on AWS, with credentials from the environment." },
    outputs: { type: "string", value: "FILE", help: "--aws: file with the output of pulumi stack output --json." },
    json: { type: "boolean", help: "Prints JSON, for scripts." },
  },
  examples: [
    "npm run model -- compile churn.ubj --out churn.rsm",
    "npm run model -- compile device.ubj --spec feature-spec.json",
    "npm run model -- inspect churn.rsm --json",
    "npm run model -- verify churn.rsm --model churn.ubj --rows holdout.csv",
    "npm run model -- list",
    "npm run model -- promote fraud-trees-2 --profile fraud",
    "npm run model -- challenge churn-trees-2 --profile churn --percent 10",
    "npm run model -- rollback --profile fraud",
    "npm run model -- approve fraud-20261121-1a2b3c4d",
  ],
};

type Print = (line: string) => void;

/** @returns the exit status. @throws UsageError for a wrong call, ModelFileError for a file that can't be used */
export async function main(argv: readonly string[] = process.argv.slice(2), print: Print = console.log): Promise<number> {
  const parsed = parseCommandLine(COMMAND, argv);
  const [action, file, ...rest] = parsed.positionals;
  if (isLifecycleAction(action)) return lifecycle(action, parsed, print);
  if (isRegistryAction(action)) return registry(action, parsed, print);
  if (file === undefined || rest.length > 0) {
    throw new UsageError(`Expected an action and a file, got "${argv.join(" ")}". See npm run model -- --help`);
  }
  switch (action) {
    case "compile":
      return compileFile(file, parsed, print);
    case "inspect":
      return inspectFile(file, parsed, print);
    case "verify":
      return verifyFile(file, parsed, print);
    default:
      throw new UsageError(
        `Unknown action "${action}": expected compile, inspect, verify, list, add, promote, challenge, withdraw, rollback, versions, approve, reject or clear. See npm run model -- --help`,
      );
  }
}

function compileFile(file: string, parsed: Parsed, print: Print): number {
  const bytes = readInput(file);
  const specFile = parsed.text("spec");
  const featureSpec = specFile === undefined ? undefined : readSpec(specFile);
  const image = inFile(file, () => compileWithSpec(readXgboost(bytes, readOptions(parsed)), featureSpec));
  const out = parsed.text("out") ?? `${file.slice(0, file.length - extname(file).length)}${IMAGE_EXTENSION}`;
  if (out === file) throw new UsageError(`--out names the model's own file, ${file}; choose another one.`);
  // Renamed when complete, so that nobody reads half an image.
  writeFileSync(`${out}.part`, image);
  renameSync(`${out}.part`, out);
  const { description, hash } = loadTrees(image);
  print(
    `${out}: ${kilobytes(image)} from ${kilobytes(bytes)}, ${description.trees} trees, ${description.layout} layout, sha256 ${hash}`,
  );
  return 0;
}

function inspectFile(file: string, parsed: Parsed, print: Print): number {
  const bytes = readInput(file);
  const isImage = looksLikeImage(bytes);
  const image = inFile(file, () => (isImage ? bytes : compile(readXgboost(bytes, readOptions(parsed)))));
  const evaluator = inFile(file, () => loadTrees(image));
  const { description, hash, outputs } = evaluator;
  const facts = {
    file,
    kind: isImage ? "image" : "model",
    source: description.source,
    objective: description.objective,
    outputs,
    baseMargins: description.baseMargins,
    trees: description.trees,
    nodes: description.nodes,
    depth: description.depth,
    layout: description.layout,
    rankBits: description.rankBits,
    fileBytes: bytes.length,
    imageBytes: image.length,
    sectionBytes: Object.fromEntries(Object.entries(description.sections).map(([name, [, length]]) => [name, length])),
    sha256: hash,
    features: description.features,
    featureSpec: inFile(file, () => featureSpecIn(evaluator)) ?? null,
  };
  if (parsed.flag("json")) {
    print(JSON.stringify(facts, null, 2));
    return 0;
  }
  const { features, featureSpec, sectionBytes, ...scalars } = facts;
  for (const [name, value] of Object.entries(scalars))
    print(`${name.padEnd(12)} ${Array.isArray(value) ? value.join(", ") : value}`);
  print(
    `${"sections".padEnd(12)} ${Object.entries(sectionBytes)
      .map(([name, length]) => `${name} ${length}`)
      .join(", ")} bytes`,
  );
  print(`${"features".padEnd(12)} ${features.map(({ name, type }) => (type === "" ? name : `${name}:${type}`)).join(", ")}`);
  if (featureSpec !== null) for (const feature of featureSpec.features) print(`${"spec".padEnd(12)} ${specLine(feature)}`);
  return 0;
}

/** `browser: categorical, ordinal, 12 categories, default "Chrome", unknown missing`. */
function specLine(feature: FeatureSpecEntry): string {
  const missing = (value: number | string | null) => (value === null ? "missing" : JSON.stringify(value));
  const parts: string[] = [feature.type];
  if (feature.type === "categorical") parts.push(feature.encoder, `${feature.categories?.length ?? 0} categories`);
  parts.push(`default ${missing(feature.default)}`);
  if (feature.type === "categorical" && feature.encoder === "ordinal") parts.push(`unknown ${missing(feature.unknown)}`);
  return `${feature.name}: ${parts.join(", ")}`;
}

function verifyFile(file: string, parsed: Parsed, print: Print): number {
  const bytes = readInput(file);
  const modelFile = parsed.text("model");
  const isImage = looksLikeImage(bytes);
  if (isImage && modelFile === undefined) {
    throw new UsageError(`${file} is an image; name the model that it was compiled from with --model FILE.`);
  }
  const source = modelFile ?? file;
  const ensemble: Ensemble = inFile(source, () => readXgboost(readInput(source), readOptions(parsed)));
  const image = isImage ? bytes : inFile(file, () => compile(ensemble));
  const checks: Check[] = [inFile(file, () => checkImage("probing rows", image, ensemble, probingRows(ensemble)))];
  const csv = parsed.text("rows");
  if (csv !== undefined) checks.push(inFile(csv, () => checkImage(csv, image, ensemble, csvRows(readInput(csv), ensemble))));
  let failed = false;
  for (const { what, rows, differing } of checks) {
    failed ||= differing.length > 0;
    print(`${differing.length === 0 ? "ok  " : "FAIL"} ${what}: ${rows} rows, ${differing.length} differences`);
    for (const difference of differing.slice(0, 5)) print(`     ${difference}`);
  }
  return failed ? 1 : 0;
}

function readOptions(parsed: Parsed): ReadOptions {
  const rounds = parsed.text("rounds") ?? "all";
  if (rounds === "all" || rounds === "best") return { rounds };
  const count = Number(rounds);
  if (!Number.isInteger(count) || count < 1)
    throw new UsageError(`--rounds: expected all, best or a whole number from 1, got "${rounds}".`);
  return { rounds: count };
}

function readInput(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`Cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readSpec(file: string): FeatureSpec {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(readInput(file)));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `${file} is not JSON (${error instanceof Error ? error.message : String(error)}); expected a feature spec.`,
    );
  }
  return inFile(file, () => parseFeatureSpec(json));
}

function looksLikeImage(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes.subarray(0, 7)) === "RSTREES";
}

/** Puts the file's name in front of the message of a file that can't be used. */
function inFile<Result>(file: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    if (error instanceof ModelFileError || error instanceof FeatureSpecError)
      throw new ModelFileError(`${file}: ${error.message}`);
    throw error;
  }
}

function kilobytes(bytes: Uint8Array): string {
  return `${(bytes.length / 1000).toFixed(1)} kB`;
}

if (require.main === module) runCommand(main);
