/** Names of models as config and commands write them: `builtin`, `rules`, `endpoint:NAME`, or a compiled model's own. */
import { modelKey } from "../components/shared/model-artifact";
import { didYouMean } from "../functions/scoring/core/suggest";
import type { ModelRef } from "../functions/scoring/models/document";
import { PROFILES, type ProfileId } from "../functions/scoring/profiles";

const ENDPOINT = "endpoint:";

/** What is needed to turn a name into a reference. */
export interface ModelCatalogue {
  /** Compiled models in the model bucket. */
  readonly artifacts: readonly { readonly profile: string; readonly name: string; readonly sha256: string }[];
  /** How endpoints are called; the timeout covers a call including its retries. */
  readonly endpoints: { readonly contentType: "text/csv" | "application/json"; readonly timeoutMs: number };
}

/** The model with this name, or a sentence about what was expected. */
export function modelNamed({ artifacts, endpoints }: ModelCatalogue, profile: ProfileId, name: string): ModelRef | string {
  if (name === "builtin") return PROFILES[profile].defaultPolicy.model;
  if (name === "rules") return { kind: "rules-only" };
  if (name.startsWith(ENDPOINT)) {
    const endpointName = name.slice(ENDPOINT.length);
    return { kind: "endpoint", name: endpointName, endpointName, ...endpoints };
  }
  const own = artifacts.filter((model) => model.profile === profile);
  const found = own.find((model) => model.name === name);
  if (found) return { kind: "trees", name, key: modelKey(profile, found.sha256), sha256: found.sha256 };
  const names = ["builtin", "rules", ...own.map((model) => model.name)];
  return `expected ${names.join(", ")} or endpoint:NAME, got "${name}".${didYouMean(name, names)}`;
}
