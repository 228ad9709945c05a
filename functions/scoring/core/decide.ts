import type { ModelContribution } from "./model";
import type { CompiledPolicy } from "./policy";
import { firstRule, withoutFirst } from "./rule-mask";
import type { Decision, ModelSource, Reason } from "./types";

/** A model's result for one vector. Local models explain themselves; a remote one may leave `contributions` empty. */
export interface ModelScore {
  readonly score: number;
  readonly version: string;
  /** Add up to `score`. A function is called once the band is known, so that a costly explanation is made only where it is shown. */
  readonly contributions: readonly ModelContribution[] | ((band: string) => readonly ModelContribution[]);
}

/** Flag of a decision whose model gave no usable number; the rules still count. */
export const MODEL_UNAVAILABLE = "model_unavailable";

/** Highest probability taken from a model: keeps −ln(1−p) finite. */
const MAX_PROBABILITY = 1 - 1e-12;
/** Contributions below this share of the scale are not listed as reasons. */
const NEGLIGIBLE = 1e-12;

const NO_REASONS: readonly Reason[] = [];

interface Combined {
  readonly usable: boolean;
  readonly score: number;
  readonly fromModel: number;
  /** Contribution per unit of a rule's effect (`loss` or weight), and of the whole model. */
  readonly perUnit: number;
  readonly modelShare: number;
}

/**
 * Combines model and rules. Deterministic and total: a model score of NaN counts as 0 and is flagged. The contributions of the reasons
 * add up to the score.
 * - `noisy-or`: `1 − (1−p)·Π(1−wᵢ)`; each part contributes in proportion to −ln(1−wᵢ), so a fired rule never lowers it.
 * - `additive`: model points plus weights, clamped to 0…max; contributions are scaled when the clamp bites.
 */
export function decide(policy: CompiledPolicy, features: Float64Array, model: ModelScore, source?: ModelSource): Decision {
  const fired = policy.evaluate(features);
  const combined = combine(policy, fired, model.score);
  const band = policy.bandOf(combined.score);
  const decision = {
    score: combined.score,
    band,
    reasons: reasonsOf(policy, features, fired, combined, model, band),
    flags: combined.usable ? policy.flagsOf(fired) : [...policy.flagsOf(fired), MODEL_UNAVAILABLE],
    modelVersion: model.version,
    policyVersion: policy.version,
  };
  return source === undefined ? decision : { ...decision, modelSource: source };
}

/** The score of {@link decide} without its reasons: what another model would have given with the same rules. */
export function decideScore(policy: CompiledPolicy, features: Float64Array, modelScore: number): number {
  return combine(policy, policy.evaluate(features), modelScore).score;
}

function combine(policy: CompiledPolicy, fired: number, modelScore: number): Combined {
  const { max, combine: how } = policy.profile.scale;
  const usable = Number.isFinite(modelScore);
  if (how === "noisy-or") {
    const fromModel = usable ? Math.min(Math.max(modelScore, 0), MAX_PROBABILITY) : 0;
    let remaining = 1 - fromModel;
    let loss = fromModel === 0 ? 0 : -Math.log1p(-fromModel);
    const modelLoss = loss;
    for (let rest = fired; rest !== 0; rest = withoutFirst(rest)) {
      const rule = policy.rules[firstRule(rest)]!;
      remaining *= 1 - rule.weight;
      loss += rule.effect;
    }
    const score = 1 - remaining;
    const perUnit = loss === 0 ? 0 : score / loss;
    return { usable, score, fromModel, perUnit, modelShare: modelLoss * perUnit };
  }
  const fromModel = usable ? Math.min(Math.max(modelScore, 0), max) : 0;
  let points = fromModel;
  for (let rest = fired; rest !== 0; rest = withoutFirst(rest)) points += policy.rules[firstRule(rest)]!.weight;
  const perUnit = points <= 0 ? 0 : points > max ? max / points : 1;
  return { usable, score: Math.min(Math.max(points, 0), max), fromModel, perUnit, modelShare: fromModel * perUnit };
}

function reasonsOf(
  policy: CompiledPolicy,
  features: Float64Array,
  fired: number,
  { perUnit, fromModel, modelShare }: Combined,
  model: ModelScore,
  band: string,
): readonly Reason[] {
  if (perUnit === 0 || (fired === 0 && modelShare === 0)) return NO_REASONS;
  const reasons: Reason[] = [];
  const negligible = NEGLIGIBLE * policy.profile.scale.max;
  if (modelShare !== 0) {
    let rest = modelShare;
    // A model is explained relative to its own score; the part that it leaves unexplained (remote models) becomes one reason.
    const scale = modelShare / fromModel;
    const { contributions } = model;
    for (const { code, text, contribution } of typeof contributions === "function" ? contributions(band) : contributions) {
      const share = contribution * scale;
      if (!Number.isFinite(share) || Math.abs(share) <= negligible) continue;
      rest -= share;
      reasons.push({ code, text, contribution: share });
    }
    if (Math.abs(rest) > negligible) reasons.push({ code: "model", text: `Model ${model.version}`, contribution: rest });
  }
  for (let left = fired; left !== 0; left = withoutFirst(left)) {
    const rule = policy.rules[firstRule(left)]!;
    const contribution = rule.effect * perUnit;
    if (contribution !== 0) reasons.push({ code: rule.id, text: rule.describe(features), contribution });
  }
  if (reasons.length > 1) reasons.sort(largestFirst);
  return reasons;
}

function largestFirst(a: Reason, b: Reason): number {
  return b.contribution - a.contribution;
}
