import type { Candidate } from "./admit";
import type { StoredState } from "./ports";
import { isAfter } from "./sequence";

/**
 * Ids whose results have to be read before anything is scored; every other event is written on the condition that it is new, and the
 * refusal brings the result that is there. A read costs a fifth of a write, and on a provisioned table units of their own, but an
 * ordinary batch needs hardly any. Read are
 * - events that precede another one of their user: that one's features count them, unless they were counted before;
 * - ids that occur twice: which record is the duplicate, and which the conflict, depends on what is stored;
 * - events that are part of their user's state already: a redelivery, whose writes would all be paid for and refused.
 */
export function idsToRead(
  candidates: readonly Candidate[],
  states: ReadonlyMap<string, StoredState>,
  stateful: boolean,
): readonly string[] {
  const ids = new Set<string>();
  const seen = new Set<string>();
  const lastOfUser = new Map<string, string>();
  for (const { eventId, userToken, record } of candidates) {
    if (seen.has(eventId)) ids.add(eventId);
    seen.add(eventId);
    if (!stateful || userToken === null) continue;
    const preceding = lastOfUser.get(userToken);
    if (preceding !== undefined) ids.add(preceding);
    lastOfUser.set(userToken, eventId);
    const state = states.get(userToken);
    if (state !== undefined && !isAfter(record.sequence, state.lastSequence)) ids.add(eventId);
  }
  return [...ids];
}
