/** Endpoints that stand in for SageMaker's: every model that ships answers as `NAME-endpoint`. */

import type { EndpointModel, SageMakerRuntimeService } from "@risk/local-aws";
import { type GraphResource, isResolvedAsset } from "@risk/program-graph";
import { loadTrees } from "@risk/tree-kernel";
import { PROFILES } from "../functions/scoring/profiles";

const isProfile = (name: unknown): name is keyof typeof PROFILES => typeof name === "string" && Object.hasOwn(PROFILES, name);

/** The model of a compiled image behind an endpoint. @throws ModelFileError for a damaged image */
export function endpointModel(image: Uint8Array): EndpointModel {
  const trees = loadTrees(image);
  return { features: trees.description.features.map(({ name }) => name), predict: (row) => trees.predict(row) };
}

/** Puts the model into service when the resource is one. Callers send every feature of the profile, in its order. */
export function serveShippedModel({ type, inputs }: GraphResource, sagemaker: SageMakerRuntimeService): void {
  if (type !== "aws:s3/bucketObjectv2:BucketObjectv2" || !isResolvedAsset(inputs.source)) return;
  const { profile, name } = Object(inputs.metadata) as { readonly profile?: unknown; readonly name?: unknown };
  if (!isProfile(profile) || typeof name !== "string") return;
  const columns = PROFILES[profile].features.definitions.map((feature) => feature.name);
  sagemaker.putEndpoint(`${name}-endpoint`, endpointModel(inputs.source.content), columns);
}
