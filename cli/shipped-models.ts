/** Local stand-ins for SageMaker endpoints: each shipped model is served as `NAME-endpoint`. */

import type { EndpointModel, SageMakerRuntimeService } from "@risk/local-aws";
import { type GraphResource, isResolvedAsset } from "@risk/program-graph";
import { loadTrees } from "@risk/tree-kernel";
import { PROFILES } from "../functions/scoring/profiles";

const isProfile = (name: unknown): name is keyof typeof PROFILES => typeof name === "string" && Object.hasOwn(PROFILES, name);

/** Serves a compiled image as an endpoint. @throws ModelFileError for a damaged image */
export function endpointModel(image: Uint8Array): EndpointModel {
  const trees = loadTrees(image);
  return { features: trees.description.features.map(({ name }) => name), predict: (row) => trees.predict(row) };
}

/** Serves the resource if it is a shipped model. Callers send every feature of the profile, in its order. */
export function serveShippedModel({ type, inputs }: GraphResource, sagemaker: SageMakerRuntimeService): void {
  if (type !== "aws:s3/bucketObjectv2:BucketObjectv2" || !isResolvedAsset(inputs.source)) return;
  const { profile, name } = Object(inputs.metadata) as { readonly profile?: unknown; readonly name?: unknown };
  if (!isProfile(profile) || typeof name !== "string") return;
  const columns = PROFILES[profile].features.definitions.map((feature) => feature.name);
  sagemaker.putEndpoint(`${name}-endpoint`, endpointModel(inputs.source.content), columns);
}
