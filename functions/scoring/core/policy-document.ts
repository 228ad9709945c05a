/** A risk policy as people write it: one JSON document. Its schema and checks are in functions/scoring/policy. */

/** Compares a feature with a number, a category's name, or a threshold of the document (`"$high_amount"`). */
export interface Comparison {
  readonly field: string;
  readonly op: Operator;
  readonly value: number | string;
}

/** An unknown feature fails every comparison, including `!=`; `not` reverses the result. */
export type Operator = ">" | ">=" | "<" | "<=" | "==" | "!=";

export type Condition =
  | Comparison
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition };

export interface PolicyRule {
  /** Stable across versions; also the code of the reason and the flag. `impossible_travel`. */
  readonly id: string;
  readonly when: Condition;
  /** `noisy-or`: a probability from 0 to 0.999. `additive`: points, which may be negative. */
  readonly weight: number;
  /** For a person; `{distance_km}` is replaced by the feature's value. */
  readonly text: string;
  /** False keeps the rule out of `flags`, although it moves the score. Default true. */
  readonly flag?: boolean;
}

export interface PolicyBand {
  readonly name: string;
  /** Lowest score of the band, in the profile's scale. One band starts at 0. */
  readonly min: number;
  /** Whether scores of this band are published as high risk and archived a second time. Default false. */
  readonly alert?: boolean;
}

/** The model that scores before the policy's rules do. `name` chooses fitted coefficients that ship with the code. */
export type ModelSpec =
  | { readonly kind: "rules-only" }
  | { readonly kind: "heuristic"; readonly name: string }
  | { readonly kind: "logistic"; readonly name: string };

/** One JSON document in an SSM parameter (standard tier: 4 KB). */
export interface PolicyDocument {
  /** Shown as `policyVersion`; default: a hash of the document. */
  readonly version?: string;
  /** Id of the profile that it is for. */
  readonly profile: string;
  readonly model: ModelSpec;
  /** Named numbers that conditions refer to as `$name` and that stack config may override. */
  readonly thresholds?: Readonly<Record<string, number>>;
  readonly rules: readonly PolicyRule[];
  readonly bands: readonly PolicyBand[];
}
