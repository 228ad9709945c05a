import type { ModelContribution } from "../models/model";
import type { CompiledPolicy, CompiledRule } from "../policy/compile";
import type { Decision, Reason } from "./types";

/** What a model said about one vector. Local models explain themselves; a remote one may leave `contributions` empty. */
export interface ModelScore {
  readonly score: number;
  readonly version: string;
  /** Add up to `score`. */
  readonly contributions: readonly ModelContribution[];
}

/** Flag of a decision whose model answered no usable number; its rules still count. */
export const MODEL_UNAVAILABLE = "model_unavailable";

/** Highest probability taken from a model: keeps −ln(1−p) finite. */
const MAX_PROBABILITY = 1 - 1e-12;
/** Contributions smaller than this share of the scale are no reason. */
const NEGLIGIBLE = 1e-12;

const NO_REASONS: readonly Reason[] = [];

/**
 * Brings model and rules together. Deterministic, total (a model score of NaN counts as 0 and is flagged), and its
 * reasons' contributions add up to the score.
 * - `noisy-or`: `1 − (1−p)·Π(1−wᵢ)`; each part contributes in proportion to −ln(1−wᵢ), so a fired rule never lowers it.
 * - `additive`: model points plus weights, clamped to 0…max; contributions are scaled when the clamp bites.
 */
export function decide(policy: CompiledPolicy, features: Float64Array, model: ModelScore): Decision {
  const fired = policy.evaluate(features);
  const { max, combine } = policy.profile.scale;
  const usable = Number.isFinite(model.score);
  const fromModel = usable ? Math.min(Math.max(model.score, 0), combine === "noisy-or" ? MAX_PROBABILITY : max) : 0;
  let score: number;
  /** Contribution of one unit of a rule's effect (`loss` or weight), and of the whole model. */
  let perUnit: number;
  let modelShare: number;
  if (combine === "noisy-or") {
    let remaining = 1 - fromModel;
    let loss = fromModel === 0 ? 0 : -Math.log1p(-fromModel);
    const modelLoss = loss;
    for (let bits = fired; bits !== 0; bits &= bits - 1) {
      const rule = policy.rules[31 - Math.clz32(bits & -bits)]!;
      remaining *= 1 - rule.weight;
      loss += rule.effect;
    }
    score = 1 - remaining;
    perUnit = loss === 0 ? 0 : score / loss;
    modelShare = modelLoss * perUnit;
  } else {
    let points = fromModel;
    for (let bits = fired; bits !== 0; bits &= bits - 1) points += policy.rules[31 - Math.clz32(bits & -bits)]!.weight;
    score = Math.min(Math.max(points, 0), max);
    perUnit = points <= 0 ? 0 : points > max ? max / points : 1;
    modelShare = fromModel * perUnit;
  }
  return {
    score,
    band: policy.bandOf(score),
    reasons: reasonsOf(policy, features, fired, perUnit, model, fromModel, modelShare),
    flags: usable ? policy.flagsOf(fired) : [...policy.flagsOf(fired), MODEL_UNAVAILABLE],
    modelVersion: model.version,
    policyVersion: policy.version,
  };
}

function reasonsOf(
  policy: CompiledPolicy,
  features: Float64Array,
  fired: number,
  perUnit: number,
  model: ModelScore,
  fromModel: number,
  modelShare: number,
): readonly Reason[] {
  if (perUnit === 0 || (fired === 0 && modelShare === 0)) return NO_REASONS;
  const reasons: Reason[] = [];
  const negligible = NEGLIGIBLE * policy.profile.scale.max;
  if (modelShare !== 0) {
    let rest = modelShare;
    // A model is explained relative to its own score; what it leaves unexplained (remote models) is one reason.
    const scale = modelShare / fromModel;
    for (const { code, text, contribution } of model.contributions) {
      const share = contribution * scale;
      if (!Number.isFinite(share) || Math.abs(share) <= negligible) continue;
      rest -= share;
      reasons.push({ code, text, contribution: share });
    }
    if (Math.abs(rest) > negligible) reasons.push({ code: "model", text: `Model ${model.version}`, contribution: rest });
  }
  for (let bits = fired; bits !== 0; bits &= bits - 1) {
    const rule: CompiledRule = policy.rules[31 - Math.clz32(bits & -bits)]!;
    const contribution = rule.effect * perUnit;
    if (contribution !== 0) reasons.push({ code: rule.id, text: rule.describe(features), contribution });
  }
  if (reasons.length > 1) reasons.sort(largestFirst);
  return reasons;
}

function largestFirst(a: Reason, b: Reason): number {
  return b.contribution - a.contribution;
}
