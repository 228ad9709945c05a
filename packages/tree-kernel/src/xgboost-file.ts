/**
 * Reads the model files that XGBoost 1.7 to 3.x writes (`save_model("x.json")`, `save_model("x.ubj")`) into an {@link Ensemble}.
 * What cannot be evaluated exactly is refused: `gblinear`, trees with a vector in each leaf, unknown objectives.
 */
import type { Ensemble, Feature } from "./ensemble";
import { ModelFileError, refuse } from "./errors";
import { integer, isObject, type Json, list, numbers, numeric, object, text } from "./fields";
import { baseMargin, type Objective, objectiveNamed } from "./objective";
import { parseUbj } from "./ubjson";
import { readTree } from "./xgboost-tree";

export interface ReadOptions {
  /**
   * How many boosting rounds count. `all` is what `Booster.predict` uses; `best` stops at the round that early stopping chose
   * (attribute `best_iteration`), as scikit-learn's `XGBClassifier.predict` does. Default `all`.
   */
  readonly rounds?: "all" | "best" | number;
}

/** Oldest format whose fields have today's meaning. */
const OLDEST = 1;
const NEWEST = 3;

/** Parses and checks a model file. Throws `ModelFileError` naming the field or the byte at fault. */
export function readXgboost(bytes: Uint8Array, options: ReadOptions = {}): Ensemble {
  const root = parse(bytes);
  const version = Array.from(numbers(root, "", "version"));
  if (version[0] === undefined || version[0] < OLDEST || version[0] > NEWEST || (version[0] === 1 && (version[1] ?? 0) < 7)) {
    refuse(
      `version is ${version.join(".")}; files of XGBoost 1.7 to 3.x can be read. Load and save the model with one of these.`,
    );
  }
  const learner = object(root, "", "learner");
  const parameters = object(learner, "learner", "learner_model_param");
  const path = "learner.learner_model_param";
  const featureCount = integer(parameters, path, "num_feature");
  const outputs = Math.max(1, integer(parameters, path, "num_class"), integer(parameters, path, "num_target", 1));
  const objective = objectiveNamed(text(object(learner, "learner", "objective"), "learner.objective", "name"));
  const features = readFeatures(learner, featureCount);
  const { model, modelPath, weights } = readBooster(object(learner, "learner", "gradient_booster"));
  const trees = list(model, modelPath, "trees");
  const used = treesOfRounds(model, modelPath, trees.length, outputs, learner, options.rounds ?? "all");
  const treeOutputs = numbers(model, modelPath, "tree_info", trees.length);
  if (weights !== null && weights.length < used) {
    refuse(`learner.gradient_booster.weight_drop has ${weights.length} weights for ${used} trees: the file is damaged.`);
  }
  return {
    source: `xgboost ${version.join(".")}`,
    objective,
    baseMargins: readBase(parameters.base_score, objective, outputs, version),
    features,
    trees: Array.from({ length: used }, (_, index) => {
      const at = `${modelPath}.trees[${index}]`;
      const tree = trees[index];
      if (!isObject(tree)) return refuse(`${at} is no object: the file is damaged.`);
      const output = treeOutputs[index]!;
      if (!Number.isInteger(output) || output < 0 || output >= outputs) {
        refuse(`${modelPath}.tree_info[${index}] is ${output}; the model has ${outputs} outputs, counted from 0.`);
      }
      return readTree(tree, at, { features, output, weight: weights === null ? 1 : weights[index]! });
    }),
  };
}

function parse(bytes: Uint8Array): Json {
  const first = bytes.find((byte) => byte > 0x20);
  if (first !== 0x7b) {
    refuse(
      `The file starts with byte ${first === undefined ? "nothing" : `0x${first.toString(16)}`}, not with {: save the model with save_model("model.json") or ("model.ubj"); pickles and the old binary format are not read.`,
    );
  }
  // After the brace a UBJSON key starts with the marker of its length; in JSON a quote or blank follows.
  const next = bytes[bytes.indexOf(0x7b) + 1];
  const isUbj = next !== undefined && "iUIuLlmM#$".includes(String.fromCharCode(next));
  const value = isUbj ? parseUbj(bytes) : parseJson(new TextDecoder().decode(bytes));
  return isObject(value) ? value : refuse("The file holds no object: this is not an XGBoost model.");
}

function parseJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch (plain) {
    try {
      return JSON.parse(
        source.replace(
          /([[,:]\s*)(-?Infinity|-?NaN)(?=\s*[\],}])/g,
          (_, before, word) => `${before}"${word.replace("-N", "N")}"`,
        ),
      );
    } catch {
      const reason = plain instanceof Error ? plain.message : String(plain);
      throw new ModelFileError(
        `The file is not complete JSON (${reason}; it has ${source.length} characters): copy or save it again.`,
      );
    }
  }
}

function readBooster(booster: Json): { model: Json; modelPath: string; weights: ArrayLike<number> | null } {
  const path = "learner.gradient_booster";
  const name = text(booster, path, "name");
  if (name !== "gbtree" && name !== "dart") {
    refuse(`${path}.name is "${name}"; only tree models (gbtree, dart) are evaluated here.`);
  }
  const nested = name === "dart" && isObject(booster.gbtree);
  const holder = nested ? object(booster, path, "gbtree") : booster;
  const holderPath = nested ? `${path}.gbtree` : path;
  const model = object(holder, holderPath, "model");
  for (const [owner, at] of [
    [booster, path],
    [holder, holderPath],
    [model, `${holderPath}.model`],
  ] as const) {
    if (Object.hasOwn(owner, "weight_drop"))
      return { model, modelPath: `${holderPath}.model`, weights: numbers(owner, at, "weight_drop") };
  }
  if (name === "dart") refuse(`${path}.weight_drop is missing: the file is damaged.`);
  return { model, modelPath: `${holderPath}.model`, weights: null };
}

function treesOfRounds(
  model: Json,
  path: string,
  treeCount: number,
  outputs: number,
  learner: Json,
  rounds: NonNullable<ReadOptions["rounds"]>,
): number {
  const parameters = object(model, path, "gbtree_model_param");
  const declared = integer(parameters, `${path}.gbtree_model_param`, "num_trees");
  if (declared !== treeCount) {
    refuse(`${path}.gbtree_model_param.num_trees is ${declared}, but there are ${treeCount} trees: the file is damaged.`);
  }
  if (rounds === "all") return treeCount;
  const parallel = integer(parameters, `${path}.gbtree_model_param`, "num_parallel_tree", 1);
  const ends = Object.hasOwn(model, "iteration_indptr")
    ? numbers(model, path, "iteration_indptr")
    : Array.from({ length: Math.floor(treeCount / (outputs * parallel)) + 1 }, (_, round) => round * outputs * parallel);
  const wanted = rounds === "best" ? bestRound(learner) + 1 : rounds;
  const end = ends[wanted];
  if (!Number.isInteger(wanted) || wanted < 1 || end === undefined || end > treeCount) {
    refuse(`${wanted} boosting rounds were asked for; the model has ${ends.length - 1}.`);
  }
  return end;
}

function bestRound(learner: Json): number {
  const attributes = object(learner, "learner", "attributes");
  if (!Object.hasOwn(attributes, "best_iteration")) {
    refuse(
      `The best round was asked for, but learner.attributes.best_iteration is missing: the model was trained without early stopping.`,
    );
  }
  return integer(attributes, "learner.attributes", "best_iteration");
}

function readFeatures(learner: Json, count: number): Feature[] {
  const column = (name: string): ArrayLike<unknown> => {
    const values = Object.hasOwn(learner, name) ? list(learner, "learner", name) : [];
    if (values.length !== 0 && values.length !== count) {
      refuse(`learner.${name} has ${values.length} entries, but num_feature is ${count}: the file is damaged.`);
    }
    return values;
  };
  const names = column("feature_names");
  const types = column("feature_types");
  return Array.from({ length: count }, (_, index) => ({
    name: typeof names[index] === "string" ? names[index] : `f${index}`,
    type: typeof types[index] === "string" ? types[index] : "",
  }));
}

/** Base scores are a number, its text (up to 3.0), or a text with an array of one per output (from 3.1). */
function readBase(value: unknown, objective: Objective, outputs: number, version: readonly number[]): Float32Array {
  const shown = typeof value === "string" ? value.trim() : value;
  const items = typeof shown === "string" && shown.startsWith("[") ? shown.replace(/^\[|\]$/g, "").split(",") : [shown];
  if (items.length !== 1 && items.length !== outputs) {
    refuse(`learner.learner_model_param.base_score has ${items.length} values for ${outputs} outputs: the file is damaged.`);
  }
  const margins = items.map((item) => {
    const score = numeric(item);
    if (!Number.isFinite(score))
      refuse(`learner.learner_model_param.base_score is ${JSON.stringify(value)}; a finite number was expected.`);
    return baseMargin(objective, score, version);
  });
  return Float32Array.from({ length: outputs }, (_, output) => margins[output] ?? margins[0]!);
}
