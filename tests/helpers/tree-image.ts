import { createHash } from "node:crypto";
import { readXgboost } from "@risk/tree-kernel";
import type { TreesRef } from "../../functions/scoring/models/document";
import type { FeatureSpec } from "../../functions/scoring/models/feature-spec";
import { compileWithSpec } from "../../functions/scoring/models/tree-image";
import { randomModel } from "../../packages/tree-kernel/tests/random-model";

export interface TreeImage {
  readonly bytes: Uint8Array;
  readonly ref: TreesRef;
}

/** A small compiled tree model (`binary:logistic` or what the file has) over the named features. */
export function treeImage(
  name: string,
  features: readonly string[],
  seed = 7,
  {
    classes = 1,
    objective,
    featureSpec,
  }: { readonly classes?: number; readonly objective?: string; readonly featureSpec?: FeatureSpec } = {},
): TreeImage {
  const model = randomModel({
    seed,
    trees: 10,
    depth: 3,
    features: features.length,
    outputs: classes,
    thresholds: 12,
    categorical: 0,
    pruned: 0,
    dart: false,
  });
  // `randomModel` always has a learner, which is an object.
  const learner = model.learner as Record<string, unknown>;
  learner.feature_names = features;
  if (objective !== undefined) learner.objective = { name: objective };
  const bytes = compileWithSpec(readXgboost(new TextEncoder().encode(JSON.stringify(model))), featureSpec);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { bytes, ref: { kind: "trees", name, key: `models/${sha256}.rsm`, sha256 } };
}
