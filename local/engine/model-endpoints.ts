/** Endpoints that stand in for SageMaker's: every model that ships answers as `NAME-endpoint`. */
import { PROFILES } from "../../functions/profiles";
import type { GraphResource } from "../contracts";
import type { SageMakerRuntimeService } from "../services/sagemaker";
import { isResolvedAsset } from "./assets";

const isProfile = (name: unknown): name is keyof typeof PROFILES => typeof name === "string" && Object.hasOwn(PROFILES, name);

/** Callers send every feature of the profile, in its order. */
export function serveShippedModels(resources: Iterable<GraphResource>, sagemaker: SageMakerRuntimeService): void {
  for (const { type, inputs } of resources) {
    if (type !== "aws:s3/bucketObjectv2:BucketObjectv2" || !isResolvedAsset(inputs.source)) continue;
    const { profile, name } = Object(inputs.metadata) as { readonly profile?: unknown; readonly name?: unknown };
    if (!isProfile(profile) || typeof name !== "string") continue;
    const columns = PROFILES[profile].features.definitions.map((feature) => feature.name);
    sagemaker.putEndpoint(`${name}-endpoint`, inputs.source.content, columns);
  }
}
