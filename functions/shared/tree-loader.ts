import { loadTrees, refuse } from "@risk/tree-kernel";
import type { AnyProfile } from "../scoring/core/profile";
import { localMember } from "../scoring/models/model-set";
import { treeModel } from "../scoring/models/tree-model";
import type { LoadTreeModel } from "./model-source";

/** Objectives whose predictions are not scores: log-odds, ranks, hazards, the number of a class. */
const NO_SCORE = /^(binary:logitraw|rank:|survival:|multi:softmax$)/;

/**
 * Opens compiled tree models for a profile. A probability (logistic or softmax link) is scaled to the profile's scale; other predictions
 * are taken to be in it. For a two-class model the second class is the score. Throws `ModelFileError` for a damaged image, an unknown
 * feature, more classes, or an objective that doesn't predict a score.
 */
export function treeLoader({ features, scale }: AnyProfile): LoadTreeModel {
  return (bytes, { name }) => {
    const evaluator = loadTrees(bytes);
    const { name: objective } = evaluator.objective;
    if (NO_SCORE.test(objective)) {
      refuse(`Model "${name}" was trained for ${objective}, whose predictions are not scores; train it with binary:logistic.`);
    }
    if (evaluator.outputs > 2) {
      refuse(`Model "${name}" has ${evaluator.outputs} classes; which is the score is not known. Train it with binary:logistic.`);
    }
    const isProbability = evaluator.objective.link === "logistic" || evaluator.objective.link === "softmax";
    const model = treeModel(evaluator, features, {
      version: name,
      max: scale.max,
      factor: isProbability ? scale.max : 1,
      output: evaluator.outputs === 2 ? 1 : 0,
    });
    // A wrong number of features, or a kernel that this machine can't run, fails here and not at the first event.
    model.score(new Float64Array(features.size).fill(Number.NaN));
    return localMember(model, true);
  };
}
