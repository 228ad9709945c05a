/** A risk policy as people write it: one JSON document. Its schema and checks are in functions/scoring/policy. */

/** Comparison of a feature with a number, a category's name, or a threshold of the document (`"$high_amount"`). */
export interface Comparison {
  readonly field: string;
  readonly op: Operator;
  readonly value: number | string;
}

/** A feature that is not known fails every comparison, `!=` too; `not` turns that round. */
export type Operator = ">" | ">=" | "<" | "<=" | "==" | "!=";

export type Condition =
  | Comparison
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition };

export interface PolicyRule {
  /** Stable across versions: the code of the reason and the flag. `impossible_travel`. */
  readonly id: string;
  readonly when: Condition;
  /** `noisy-or`: a probability of 0 to 0.999. `additive`: points, negative ones allowed. */
  readonly weight: number;
  /** For a person; `{distance_km}` is replaced by the feature's value. */
  readonly text: string;
  /** False keeps the rule out of `flags` although it moves the score. Default true. */
  readonly flag?: boolean;
}

export interface PolicyBand {
  readonly name: string;
  /** Lowest score of the band, in the profile's scale. One band starts at 0. */
  readonly min: number;
  /** Scores of this band are published as high risk and archived a second time. Default false. */
  readonly alert?: boolean;
}

/** Which model the policy puts in front of its rules. `name` chooses fitted coefficients that ship with the code. */
export type ModelSpec =
  | { readonly kind: "rules-only" }
  | { readonly kind: "heuristic"; readonly name: string }
  | { readonly kind: "logistic"; readonly name: string };

/** One JSON document in an SSM parameter (standard tier: 4 KB). */
export interface PolicyDocument {
  /** Shown as `policyVersion`; a hash of the document when it is left out. */
  readonly version?: string;
  /** Id of the profile that it is for. */
  readonly profile: string;
  readonly model: ModelSpec;
  /** Named numbers that conditions refer to as `$name` and that stack config may override. */
  readonly thresholds?: Readonly<Record<string, number>>;
  readonly rules: readonly PolicyRule[];
  readonly bands: readonly PolicyBand[];
}
