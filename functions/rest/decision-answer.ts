/** The part of an answer that says what was decided, the same for every route. */
import type { AnyProfile } from "../scoring/core/profile";
import type { Decision } from "../scoring/core/types";

/** Parts of the scale in an answer: a model's float32 sum carries no more, and what follows is noise of the addition. */
const SCORE_PARTS = 1e6;

/** A part of a score as answers give it. Archive and table keep the score itself, with which bands and models are compared. */
export function shown(value: number, { scale }: AnyProfile): number {
  const parts = SCORE_PARTS / scale.max;
  return Math.round(value * parts) / parts;
}

export const decisionMembers = (decision: Decision, profile: AnyProfile) => ({
  score: shown(decision.score, profile),
  band: decision.band,
  reasons: decision.reasons.map((reason) => ({ ...reason, contribution: shown(reason.contribution, profile) })),
  flags: decision.flags,
  modelVersion: decision.modelVersion,
  ...modelMembers(decision),
  policyVersion: decision.policyVersion,
});

/** Which model answered, and why the champion didn't; no members when the champion did. */
export function modelMembers({ modelSource }: Decision): Readonly<Record<string, unknown>> {
  if (modelSource === undefined) return {};
  const { role, fallback } = modelSource;
  return { modelRole: role, ...(fallback.length === 0 ? {} : { modelFallback: fallback }) };
}
