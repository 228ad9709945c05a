import { decide } from "./decide";
import type { ModelContribution } from "./model";
import type { CompiledPolicy } from "./policy";
import { countingTime, type Profile } from "./profile";
import type { Decision } from "./types";

export interface Scored {
  readonly decision: Decision;
  /** The vector that the decision was made from; `profile.features` names its slots. */
  readonly features: Float64Array;
}

const NO_CONTRIBUTIONS: readonly ModelContribution[] = [];

/**
 * Scores one input: features, model, rules, decision. `state` is what was known of the user *before* this input, which counts at its own
 * time. `features` may be given to reuse a vector of `profile.features.size` slots; it is overwritten.
 */
export function score<Input, State>(
  profile: Profile<Input, State>,
  policy: CompiledPolicy,
  input: Input,
  state: State | null,
  features: Float64Array = new Float64Array(profile.features.size),
): Scored {
  profile.extract(input, state, features, countingTime(profile.occurredAtMs(input), Number.POSITIVE_INFINITY));
  return { decision: decideWithModel(policy, features), features };
}

/** Decides on a feature vector with the policy's own model: the part of {@link score} after the features. */
export function decideWithModel(policy: CompiledPolicy, features: Float64Array): Decision {
  const { model } = policy;
  const modelScore = model.score(features);
  return decide(policy, features, {
    score: modelScore,
    version: model.version,
    contributions: modelScore === 0 ? NO_CONTRIBUTIONS : model.explain(features),
  });
}
