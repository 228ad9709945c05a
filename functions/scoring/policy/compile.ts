import { hashJson } from "../core/hash";
import type { Validate } from "../core/json-schema";
import type { CompiledPolicy, CompiledRule } from "../core/policy";
import type { PolicyDocument } from "../core/policy-document";
import { problems } from "../core/problems";
import type { AnyProfile } from "../core/profile";
import { hasRule, NO_RULES } from "../core/rule-mask";
import type { Problem } from "../core/types";
import { createModel } from "../models/registry";
import { checkPolicy } from "./check";
import { compileConditions } from "./program";
import { MAX_POLICY_BYTES } from "./schema";
import { compileText } from "./text";

export type PolicyResult =
  | { readonly ok: true; readonly policy: CompiledPolicy }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads a policy from the text of its SSM parameter: checks size, JSON, schema and meaning, and names every problem. */
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

/** Checks a policy document against the schema and the profile, and compiles it. `validatePolicy` is `policy` of `#validators`. */
export function compilePolicy(document: unknown, profile: AnyProfile, validatePolicy: Validate): PolicyResult {
  if (!validatePolicy(document)) return { ok: false, problems: problems(validatePolicy.errors ?? [], document) };
  // The validator has just established the shape; Ajv's guards don't narrow across modules.
  const checked = document as PolicyDocument;
  const found = checkPolicy(checked, profile);
  if (found.length > 0) return { ok: false, problems: found };
  return { ok: true, policy: build(checked, profile) };
}

const NO_FLAGS: readonly string[] = [];
/** Combinations of fired rules whose flags are remembered; real traffic has a few dozen. */
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
  const flagsByMask = new Map<number, readonly string[]>([[NO_RULES, NO_FLAGS]]);

  const flagsOf = (fired: number): readonly string[] => {
    const known = flagsByMask.get(fired);
    if (known) return known;
    const flags = Object.freeze(rules.filter((_, index) => flagged[index] && hasRule(fired, index)).map((rule) => rule.id));
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
