import { hashJson } from "../core/hash";
import type { Validate } from "../core/json-schema";
import { problems } from "../core/problems";
import type { AnyProfile } from "../core/profile";
import type { Problem } from "../core/types";
import type { Model } from "../models/model";
import { createModel } from "../models/registry";
import { checkPolicy } from "./check";
import { MAX_POLICY_BYTES, type PolicyBand, type PolicyDocument } from "./document";
import { compileConditions } from "./program";
import { compileText } from "./text";

export interface CompiledRule {
  readonly id: string;
  readonly weight: number;
  /** What a contribution is proportional to: −ln(1−weight) for noisy-or, the weight itself for points. */
  readonly effect: number;
  /** The rule's text with the features' values filled in. */
  describe(features: Float64Array): string;
}

/** A policy ready to decide: nothing is parsed or looked up by name any more. */
export interface CompiledPolicy {
  readonly version: string;
  readonly profile: AnyProfile;
  readonly model: Model;
  /** In the document's order; bit `i` of a mask stands for rule `i`. */
  readonly rules: readonly CompiledRule[];
  /** Lowest first. */
  readonly bands: readonly PolicyBand[];
  readonly thresholds: Readonly<Record<string, number>>;
  /** Bit mask of the rules that fire. Allocates nothing. */
  evaluate(features: Float64Array): number;
  bandOf(score: number): string;
  /** Whether scores of the band are published as high risk. */
  isAlert(band: string): boolean;
  /** Codes of the rules in a mask, in the document's order, without those with `flag: false`. */
  flagsOf(fired: number): readonly string[];
}

export type PolicyResult =
  | { readonly ok: true; readonly policy: CompiledPolicy }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads a policy from the text of its SSM parameter: size, JSON, schema and meaning, with every problem named. */
export function parsePolicy(text: string, profile: AnyProfile, validatePolicy: Validate): PolicyResult {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_POLICY_BYTES) {
    const detail = `The policy is ${bytes} bytes; a standard SSM parameter holds ${MAX_POLICY_BYTES}. Shorten texts or remove rules.`;
    return { ok: false, problems: [{ pointer: "", detail }] };
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    const detail = `The policy is not JSON (${error instanceof Error ? error.message : String(error)}); write one JSON object.`;
    return { ok: false, problems: [{ pointer: "", detail }] };
  }
  return compilePolicy(document, profile, validatePolicy);
}

/** Checks a policy document against the schema and the profile, and compiles it. `validatePolicy` is `#validators`' `policy`. */
export function compilePolicy(document: unknown, profile: AnyProfile, validatePolicy: Validate): PolicyResult {
  if (!validatePolicy(document)) return { ok: false, problems: problems(validatePolicy.errors ?? [], document) };
  // The validator has just established the shape; Ajv's guards do not narrow across modules.
  const checked = document as PolicyDocument;
  const found = checkPolicy(checked, profile);
  if (found.length > 0) return { ok: false, problems: found };
  return { ok: true, policy: build(checked, profile) };
}

const NO_FLAGS: readonly string[] = [];
/** Distinct combinations of fired rules whose flags are remembered; real traffic shows a few dozen. */
const REMEMBERED_MASKS = 512;

function build(document: PolicyDocument, profile: AnyProfile): CompiledPolicy {
  const noisyOr = profile.scale.combine === "noisy-or";
  const rules = document.rules.map(
    ({ id, weight, text }): CompiledRule => ({
      id,
      weight,
      effect: noisyOr ? -Math.log1p(-weight) : weight,
      describe: compileText(text, profile.features),
    }),
  );
  const thresholds = document.thresholds ?? {};
  const bands = document.bands.toSorted((a, b) => a.min - b.min);
  const alerts = new Set(bands.filter((band) => band.alert).map((band) => band.name));
  const flagged = document.rules.map((rule) => rule.flag !== false);
  const flagsByMask = new Map<number, readonly string[]>([[0, NO_FLAGS]]);

  const flagsOf = (fired: number): readonly string[] => {
    const known = flagsByMask.get(fired);
    if (known) return known;
    const flags = Object.freeze(
      rules.filter((_, index) => flagged[index] && (fired & (1 << index)) !== 0).map((rule) => rule.id),
    );
    if (flagsByMask.size < REMEMBERED_MASKS) flagsByMask.set(fired, flags);
    return flags;
  };
  return {
    version: document.version ?? hashJson(document).slice(0, 12),
    profile,
    model: createModel(document.model, profile),
    rules,
    bands,
    thresholds,
    evaluate: compileConditions(
      document.rules.map((rule) => rule.when),
      profile.features,
      thresholds,
    ),
    bandOf(score) {
      let index = bands.length - 1;
      while (index > 0 && score < bands[index]!.min) index--;
      return bands[index]!.name;
    },
    isAlert: (band) => alerts.has(band),
    flagsOf,
  };
}

/**
 * A document with some thresholds replaced, as stack config does. Throws when the document has no threshold of that name:
 * a misspelt override would otherwise change nothing.
 */
export function withThresholds(document: PolicyDocument, overrides: Readonly<Record<string, number>>): PolicyDocument {
  const known = document.thresholds ?? {};
  const unknown = Object.keys(overrides).filter((name) => !Object.hasOwn(known, name));
  if (unknown.length > 0) {
    throw new Error(
      `Policy of profile "${document.profile}" has no threshold ${unknown.map((name) => `"${name}"`).join(", ")}; ` +
        `it has ${Object.keys(known).join(", ") || "none"}.`,
    );
  }
  return { ...document, thresholds: { ...known, ...overrides } };
}
