import type { JsonSchema } from "../core/json-schema";

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

/** Largest value of a standard SSM parameter, bytes of UTF-8. */
export const MAX_POLICY_BYTES = 4096;

const NAME: JsonSchema = { type: "string", pattern: "^[a-z][a-z0-9_]{0,63}$" };

/** Schema of {@link PolicyDocument}. What it cannot see (unknown features, thresholds, band order) `compilePolicy` checks. */
export const POLICY_SCHEMA: JsonSchema = {
  $id: "https://risk-scoring.example/schemas/policy.json",
  title: "Policy",
  description: "Rules, weights, thresholds and bands of one scoring profile.",
  type: "object",
  required: ["profile", "model", "rules", "bands"],
  additionalProperties: false,
  properties: {
    version: {
      type: "string",
      minLength: 1,
      maxLength: 64,
      description: "Shown as policyVersion; default: a hash of the document.",
    },
    profile: NAME,
    model: {
      type: "object",
      required: ["kind"],
      additionalProperties: false,
      properties: {
        kind: { type: "string", enum: ["rules-only", "heuristic", "logistic"] },
        name: { type: "string", minLength: 1, maxLength: 64 },
      },
    },
    thresholds: {
      type: "object",
      maxProperties: 32,
      propertyNames: NAME,
      additionalProperties: { type: "number", minimum: -1e12, maximum: 1e12 },
    },
    rules: { type: "array", maxItems: 31, items: { $ref: "#/$defs/rule" } },
    bands: { type: "array", minItems: 1, maxItems: 8, items: { $ref: "#/$defs/band" } },
  },
  $defs: {
    rule: {
      type: "object",
      required: ["id", "when", "weight", "text"],
      additionalProperties: false,
      properties: {
        id: NAME,
        when: { $ref: "#/$defs/condition" },
        weight: { type: "number", minimum: -100, maximum: 100 },
        text: { type: "string", minLength: 1, maxLength: 200 },
        flag: { type: "boolean" },
      },
    },
    band: {
      type: "object",
      required: ["name", "min"],
      additionalProperties: false,
      properties: { name: NAME, min: { type: "number", minimum: 0, maximum: 100 }, alert: { type: "boolean" } },
    },
    condition: {
      type: "object",
      description: "Either one comparison (field, op, value) or exactly one of all, any, not.",
      minProperties: 1,
      additionalProperties: false,
      properties: {
        field: NAME,
        op: { type: "string", enum: [">", ">=", "<", "<=", "==", "!="] },
        value: { type: ["number", "string"], minimum: -1e12, maximum: 1e12, maxLength: 64 },
        all: { type: "array", minItems: 1, maxItems: 16, items: { $ref: "#/$defs/condition" } },
        any: { type: "array", minItems: 1, maxItems: 16, items: { $ref: "#/$defs/condition" } },
        not: { $ref: "#/$defs/condition" },
      },
    },
  },
};
