import type { JsonSchema } from "../core/json-schema";
import { POINTS, type Range, THRESHOLDS } from "./limits";

/** Largest value of a standard SSM parameter, bytes of UTF-8. */
export const MAX_POLICY_BYTES = 4096;

const within = ([minimum, maximum]: Range): JsonSchema => ({ type: "number", minimum, maximum });
const NAME: JsonSchema = { type: "string", pattern: "^[a-z][a-z0-9_]{0,63}$" };

/** Schema of {@link PolicyDocument}. What it can't see (unknown features, thresholds, band order) is checked by `compilePolicy`. */
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
      additionalProperties: within(THRESHOLDS),
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
        weight: within(POINTS),
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
        value: { ...within(THRESHOLDS), type: ["number", "string"], maxLength: 64 },
        all: { type: "array", minItems: 1, maxItems: 16, items: { $ref: "#/$defs/condition" } },
        any: { type: "array", minItems: 1, maxItems: 16, items: { $ref: "#/$defs/condition" } },
        not: { $ref: "#/$defs/condition" },
      },
    },
  },
};
