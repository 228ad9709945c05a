/** Policies as stack config changes them. */
import type { PolicyDocument } from "../functions/core/policy-document";

/** `{"thresholds": {"high_amount": 500}, "weights": {"impossible_travel": 0.7}, "bands": {"high": 0.8}}` */
export interface PolicyOverrides {
  /** Named numbers of the policy's conditions. */
  readonly thresholds?: Readonly<Record<string, number>>;
  /** Weight by rule id. */
  readonly weights?: Readonly<Record<string, number>>;
  /** Lowest score by band. */
  readonly bands?: Readonly<Record<string, number>>;
}

/** What an override may change, with its value in the policy itself. */
export function overridable(policy: PolicyDocument): Readonly<Record<keyof PolicyOverrides, Readonly<Record<string, number>>>> {
  return {
    thresholds: policy.thresholds ?? {},
    weights: Object.fromEntries(policy.rules.map(({ id, weight }) => [id, weight])),
    bands: Object.fromEntries(policy.bands.map(({ name, min }) => [name, min])),
  };
}

/**
 * The policy with the overrides in place. It loses its version then: the functions show a hash of the document instead, so
 * that two different policies never carry the same version.
 */
export function withOverrides(policy: PolicyDocument, overrides: PolicyOverrides): PolicyDocument {
  const { thresholds = {}, weights = {}, bands = {} } = overrides;
  if ([thresholds, weights, bands].every((group) => Object.keys(group).length === 0)) return policy;
  const { version: _replaced, ...document } = policy;
  return {
    ...document,
    thresholds: { ...policy.thresholds, ...thresholds },
    rules: policy.rules.map((rule) => ({ ...rule, weight: weights[rule.id] ?? rule.weight })),
    bands: policy.bands.map((band) => ({ ...band, min: bands[band.name] ?? band.min })),
  };
}
