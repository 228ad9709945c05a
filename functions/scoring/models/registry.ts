import type { Model } from "../core/model";
import type { ModelSpec } from "../core/policy-document";
import type { AnyProfile } from "../core/profile";
import { CHURN_LOGISTIC_1 } from "./coefficients/churn-logistic-1";
import { LEAD_HEURISTIC_1 } from "./coefficients/lead-heuristic-1";
import { type HeuristicSpec, heuristicModel } from "./heuristic";
import { type LogisticSpec, logisticModel } from "./logistic";
import { RULES_ONLY } from "./rules-only";

/** Fitted coefficients that ship with the code, by profile and name. A new version is one more line. */
const HEURISTICS: Readonly<Record<string, Readonly<Record<string, HeuristicSpec>>>> = {
  lead: { [LEAD_HEURISTIC_1.version]: LEAD_HEURISTIC_1 },
};
const LOGISTICS: Readonly<Record<string, Readonly<Record<string, LogisticSpec>>>> = {
  churn: { [CHURN_LOGISTIC_1.version]: CHURN_LOGISTIC_1 },
};

/** Names of the models of a kind that a profile has. */
export function modelNames(kind: ModelSpec["kind"], profileId: string): readonly string[] {
  return Object.keys((kind === "heuristic" ? HEURISTICS : kind === "logistic" ? LOGISTICS : {})[profileId] ?? {});
}

/** Builds the model of a policy. Throws when the profile has none of that name; `compilePolicy` has reported that as a problem before. */
export function createModel(spec: ModelSpec, { id, features }: AnyProfile): Model {
  switch (spec.kind) {
    case "rules-only":
      return RULES_ONLY;
    case "heuristic":
      return heuristicModel(named(HEURISTICS[id], spec.name, id), features);
    case "logistic":
      return logisticModel(named(LOGISTICS[id], spec.name, id), features);
  }
}

function named<Spec>(specs: Readonly<Record<string, Spec>> | undefined, name: string, profileId: string): Spec {
  const spec = specs && Object.hasOwn(specs, name) ? specs[name] : undefined;
  if (spec === undefined)
    throw new Error(`Profile "${profileId}" has no model "${name}"; it has ${Object.keys(specs ?? {}).join(", ") || "none"}.`);
  return spec;
}
