/** A tree model's image with the feature spec that it was trained with, so that whoever loads it encodes records as training did. */

import { compile, type Ensemble, type TreeEvaluator } from "@risk/tree-kernel";
import { type FeatureSpec, parseFeatureSpec, requireColumns } from "./feature-spec";

/** Bytes of the image. Throws `FeatureSpecError` when the spec doesn't belong to this model or isn't fitted. */
export function compileWithSpec(ensemble: Ensemble, spec: FeatureSpec | undefined): Uint8Array {
  if (spec !== undefined) requireColumns(spec, ensemble.features);
  return compile(ensemble, { featureSpec: spec });
}

/** The spec in a loaded image; undefined when the model takes its columns as they are. Throws `FeatureSpecError` for an invalid spec. */
export function featureSpecIn({ description }: TreeEvaluator): FeatureSpec | undefined {
  return description.featureSpec === undefined ? undefined : parseFeatureSpec(description.featureSpec);
}
