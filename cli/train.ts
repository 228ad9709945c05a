/** `npm run train`: generated rows → XGBoost → images, index and golden rows in `models/`. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pythonEnvironment, runPython } from "@risk/local-aws/python-environment";
import { compile, loadTrees, readXgboost } from "@risk/tree-kernel";
import { checkImage, csvRows, probingRows } from "./model-lifecycle/model-check";
import { type CommandLine, parseCommandLine, runCommand } from "./options";
import { type DataSet, writeTrainingData } from "./training/training-data";

const COMMAND: CommandLine = {
  usage: "npm run train -- [options]",
  about:
    "Generates the training rows, trains the models of models/train.py with XGBoost, compiles and verifies them, and writes the\n" +
    "images, their index and the golden rows. The same sources give the same files on the same machine.",
  options: {
    work: { type: "string", value: "FOLDER", help: "Where rows and XGBoost's model files go.", default: ".local/training" },
    out: { type: "string", value: "FOLDER", help: "Where images, index and golden rows go.", default: "models" },
  },
  examples: ["npm run train", "npm run train -- --out .local/candidate"],
};

/** Metrics that models/train.py measured on the holdout. */
export interface ModelMetrics {
  readonly auc: number;
  readonly prAuc: number;
  readonly brier: number;
  readonly logloss: number;
  readonly meanPredicted: number;
  readonly meanObserved: number;
  readonly rows: Readonly<Record<string, number>>;
  readonly positives: Readonly<Record<string, number>>;
  readonly seed: number;
  readonly xgboost: string;
}

/** An entry of `models/index.json`. */
export interface ShippedModel {
  readonly profile: string;
  readonly name: string;
  /** Relative to the index. */
  readonly file: string;
  /** SHA-256 of the file. */
  readonly sha256: string;
  readonly bytes: number;
  readonly trees: number;
  readonly depth: number;
  /** Seed and SHA-256 of the generated rows. */
  readonly data: { readonly seed: number; readonly sha256: string };
  readonly metrics: ModelMetrics;
}

/** `models/golden/<profile>.json`: rows of the holdout with XGBoost's margins; null is a missing value. */
export interface GoldenRows {
  readonly profile: string;
  readonly features: readonly string[];
  readonly rows: readonly (readonly (number | null)[])[];
  /** By name of the model. */
  readonly margins: Readonly<Record<string, readonly number[]>>;
}

/** Trains everything. @returns the index that was written. @throws Error if an image doesn't reproduce XGBoost's margins bit for bit */
export async function trainAll(work: string, out: string, print: (line: string) => void): Promise<readonly ShippedModel[]> {
  const sets = new Map(writeTrainingData(work).map((set) => [set.profile, set]));
  print(runPython(await pythonEnvironment(), ["models/train.py", "train", work, work], "training the models").trim());
  // models/train.py has just written it.
  const measured = JSON.parse(readFileSync(join(work, "metrics.json"), "utf8")) as Readonly<
    Record<string, ModelMetrics & { readonly profile: DataSet["profile"] }>
  >;
  mkdirSync(join(out, "golden"), { recursive: true });
  const index = Object.entries(measured).map(([name, { profile, ...metrics }]): ShippedModel => {
    const { seed, sha256 } = sets.get(profile)!;
    const image = compileVerified(join(work, `${name}.json`), join(work, `${profile}-holdout.csv`));
    const file = `${name}.rsm`;
    writeFileSync(join(out, file), image);
    const { trees, depth } = loadTrees(image).description;
    print(`${join(out, file)}: ${image.length} bytes, ${trees} trees of depth ${depth}`);
    const hash = createHash("sha256").update(image).digest("hex");
    return { profile, name, file, sha256: hash, bytes: image.length, trees, depth, data: { seed, sha256 }, metrics };
  });
  for (const profile of new Set(index.map((model) => model.profile))) {
    writeFileSync(join(out, "golden", `${profile}.json`), readFileSync(join(work, `${profile}.golden.json`)));
  }
  writeFileSync(join(out, "index.json"), `${JSON.stringify(index, null, 2)}\n`);
  return index;
}

function compileVerified(model: string, rows: string): Uint8Array {
  const ensemble = readXgboost(readFileSync(model));
  const image = compile(ensemble);
  for (const [what, values] of [
    ["probing rows", probingRows(ensemble)],
    [rows, csvRows(readFileSync(rows), ensemble)],
  ] as const) {
    const { differing } = checkImage(what, image, ensemble, values);
    if (differing.length > 0)
      throw new Error(`${model}: the image differs from the model on ${what}: ${differing[0]}. Nothing was written.`);
  }
  return image;
}

/** @returns the exit status */
async function main(): Promise<number> {
  const parsed = parseCommandLine(COMMAND);
  await trainAll(parsed.text("work") ?? ".local/training", parsed.text("out") ?? "models", console.log);
  return 0;
}

if (require.main === module) runCommand(main);
