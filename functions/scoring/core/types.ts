/**
 * The vocabulary of the scoring core. A record takes this path:
 * `input → profile.extract(input, state) → features → model.score(features) → decide(features, modelScore, policy) → decision`.
 * Everything here is plain data or a pure function: no clock, environment, I/O or SDK.
 */

/** What moved a score, and by how much, in the score's own unit (points of 0–100, or probability of 0–1). */
export interface Reason {
  /** Id of the rule or name of the feature, stable across versions: `impossible_travel`. */
  readonly code: string;
  /** A sentence for a person: `Travelled 812 km in 4 minutes`. */
  readonly text: string;
  /** Signed share of the score. The contributions of one decision, its base score among them, add up to its score. */
  readonly contribution: number;
}

/** A model that should have answered before the one that did, and why it couldn't: `timeout`, `circuit_open`, `artifact`, … */
export interface ModelFallback {
  readonly model: string;
  readonly reason: string;
}

/** Why this model answered. */
export interface ModelSource {
  /** `challenger`: the event is in the share that this challenger answers. `fallback`: the models before it in the chain could not. */
  readonly role: "champion" | "challenger" | "fallback";
  readonly fallback: readonly ModelFallback[];
}

/** What the decision would have been with another model and the same rules. */
export interface ChallengerScore {
  readonly model: string;
  /** Score of the decision, in the profile's scale, and its band. */
  readonly score: number;
  readonly band: string;
}

/** The platform's result for one record. Deterministic in (input, state, policy, model that answered). */
export interface Decision {
  /** In the profile's scale: 0–100 for leads, 0–1 for fraud and churn. */
  readonly score: number;
  /** Name of the policy's band that the score falls in, e.g. `low`, `medium`, `high`, `critical`. */
  readonly band: string;
  /** Largest contribution first. */
  readonly reasons: readonly Reason[];
  /** Codes of the rules that fired, in policy order. */
  readonly flags: readonly string[];
  readonly modelVersion: string;
  readonly policyVersion: string;
  /** Absent when the champion answered, which is the normal case. */
  readonly modelSource?: ModelSource;
}

/** A problem with an input, ready for an RFC 9457 `errors[]` entry or a quarantine reason. */
export interface Problem {
  /** JSON pointer into the input: `/amount`; empty for the whole. */
  readonly pointer: string;
  /** What was expected and what was got, in a sentence. */
  readonly detail: string;
  /** What was expected, in a sentence that quotes nothing of the input; absent where `detail` is such a sentence. */
  readonly expected?: string;
}
