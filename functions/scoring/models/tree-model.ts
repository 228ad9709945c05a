/** A tree model behind the interface of all scoring models. */

import { refuse, type TreeEvaluator } from "@risk/tree-kernel";
import { type FeatureSet, featureText } from "../core/features";
import type { Model, ModelContribution } from "../core/model";
import { type SlotEncoder, slotEncoder } from "./slot-encoder";
import { featureSpecIn } from "./tree-image";

export interface TreeModelOptions {
  /** Shown as `modelVersion`. */
  readonly version: string;
  /** Index of the output that is the score: the class of a multi-class model. Default 0. */
  readonly output?: number;
  /** Factor from predictions to the profile's scale: 0.01 for a model that predicts percentages. Default 1. */
  readonly factor?: number;
  /** Upper end of the profile's scale; predictions are clamped to 0 … max. Default 1. */
  readonly max?: number;
  /** Text of the base's reason. Default `Average record`. */
  readonly baseText?: string;
}

/**
 * Scores with a loaded model. The model's features are found by name in the profile's; a model without names takes the profile's
 * features in order. A model with a feature spec gets its columns as the spec says: defaults, its own order of categories, texts.
 * Throws `ModelFileError` when the profile lacks a feature, or has it as a text and the model has no spec.
 *
 * An explanation starts from the average record's score and divides the difference among the features in proportion to their path
 * contributions to the margin, so that the shares add up to the score.
 */
export function treeModel(evaluator: TreeEvaluator, features: FeatureSet, options: TreeModelOptions): Model {
  const { version, output = 0, factor = 1, max = 1, baseText = "Average record" } = options;
  const columns = columnsOf(evaluator, features);
  if (!(output >= 0 && output < evaluator.outputs))
    refuse(`The model has ${evaluator.outputs} outputs, counted from 0; ${output} was asked for.`);
  const { slots, isInOrder } = columns;
  const width = slots.length;
  const row = new Float32Array(width);
  const predictions = new Float32Array(evaluator.outputs);
  const baseMargins = new Float32Array(evaluator.outputs);
  const scoreOf = (prediction: number): number => Math.min(max, Math.max(0, prediction * factor));
  const gather = (vector: Float64Array, at: number): Float32Array => {
    columns.fill(vector, at, row);
    return row;
  };
  const score = (vector: Float64Array): number => scoreOf(evaluator.predict(gather(vector, 0), predictions)[output]!);

  return {
    version,
    score,
    scoreBatch(rows, count, out) {
      let packed: Float32Array | Float64Array = rows;
      if (!isInOrder) {
        packed = new Float32Array(count * width);
        for (let index = 0; index < count; index++) packed.set(gather(rows, index * features.size), index * width);
      }
      const all = evaluator.predictBatch(packed, count);
      for (let index = 0; index < count; index++) out[index] = scoreOf(all[index * evaluator.outputs + output]!);
    },
    explain(vector) {
      const shares = evaluator.contributions(gather(vector, 0), { output, margins: predictions });
      baseMargins.set(predictions);
      baseMargins[output] = shares[width]!;
      const total = scoreOf(evaluator.applyLink(predictions)[output]!);
      const base = scoreOf(evaluator.applyLink(baseMargins)[output]!);
      let moved = 0;
      for (let index = 0; index < width; index++) moved += shares[index]!;
      // If nothing moved the margin, there is nothing to divide, and the base is the score.
      const slope = moved === 0 ? 0 : (total - base) / moved;
      const contributions: ModelContribution[] = [{ code: "base", text: baseText, contribution: moved === 0 ? total : base }];
      for (let index = 0; index < width; index++) {
        if (shares[index] === 0) continue;
        const { name, description } = features.definitions[slots[index]!]!;
        const text = `${description}: ${columns.describe(index, vector[slots[index]!]!)}`;
        contributions.push({ code: name, text, contribution: shares[index]! * slope });
      }
      return contributions;
    },
  };
}

interface Columns extends SlotEncoder {
  /** The vector itself is the row. */
  readonly isInOrder: boolean;
}

function columnsOf(evaluator: TreeEvaluator, features: FeatureSet): Columns {
  const featureSpec = featureSpecIn(evaluator);
  if (featureSpec !== undefined) return { ...slotEncoder(featureSpec, features), isInOrder: false };
  const slots = slotsOf(evaluator, features);
  const open = slots.map((slot) => features.definitions[slot]!).filter((definition) => definition.open);
  if (open.length > 0) {
    refuse(
      `The model's feature ${open.map(({ name }) => `"${name}"`).join(", ")} is a text, and the model has no feature spec that says what each text stands for: compile it with --spec.`,
    );
  }
  const width = slots.length;
  return {
    slots,
    isInOrder: width === features.size && slots.every((slot, index) => slot === index),
    fill(vector, at, row) {
      for (let index = 0; index < width; index++) row[index] = vector[at + slots[index]!]!;
    },
    describe: (column, value) => featureText(value, features.definitions[slots[column]!]!.categories),
  };
}

function slotsOf({ description }: TreeEvaluator, features: FeatureSet): number[] {
  const names = description.features.map(({ name }) => name);
  const isUnnamed = names.every((name, index) => name === `f${index}`);
  if (isUnnamed) {
    if (names.length !== features.size) {
      refuse(
        `The model has ${names.length} features without names, the profile has ${features.size}: train the model with feature names.`,
      );
    }
    return names.map((_, index) => index);
  }
  const missing = names.filter((name) => features.slot(name) < 0);
  if (missing.length > 0) {
    refuse(
      `The model's feature ${missing.map((name) => `"${name}"`).join(", ")} is not one of the profile's (${features.definitions.map(({ name }) => name).join(", ")}).`,
    );
  }
  return names.map((name) => features.slot(name));
}
