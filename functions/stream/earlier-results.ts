import type { AnyProfile } from "../scoring/core/profile";
import type { Patience } from "../shared/patience";
import type { Candidate } from "./admit";
import type { Reads, ResultStore, StateStore, StoredResult, StoredState } from "./ports";

export interface Known {
  /** Those before the first one that depends on something that could not be read. */
  readonly candidates: readonly Candidate[];
  readonly states: ReadonlyMap<string, StoredState>;
  readonly stored: ReadonlyMap<string, StoredResult>;
  /** Index of that one; infinite when everything was read. */
  readonly end: number;
  readonly error: unknown;
}

export interface ReadStores {
  readonly states: StateStore;
  readonly results: ResultStore;
}

/**
 * Reads what scores depend on: the users' states, and the results named by {@link idsToRead}. When time or units run out, the batch
 * continues with the candidates before the first gap, so that a slow table takes records slowly instead of not at all.
 */
export async function readKnown(
  candidates: readonly Candidate[],
  profile: Pick<AnyProfile, "stateful">,
  patience: Patience,
  stores: ReadStores,
): Promise<Known> {
  const users = profile.stateful ? [...new Set(candidates.flatMap(({ userToken }) => userToken ?? []))] : [];
  const states = await readSome(stores.states, users, patience);
  const withState = beforeGap(candidates, ({ userToken }) => userToken !== null && states.unread.has(userToken));
  const results = await readSome(stores.results, idsToRead(withState, states.found, profile.stateful), patience);
  const known = beforeGap(withState, ({ eventId }) => results.unread.has(eventId));
  const end = candidates[known.length]?.index ?? Number.POSITIVE_INFINITY;
  return { candidates: known, states: states.found, stored: results.found, end, error: states.error ?? results.error };
}

const readSome = <T>(
  store: { read(ids: readonly string[], patience: Patience): Promise<Reads<T>> },
  ids: readonly string[],
  patience: Patience,
): Promise<Reads<T>> | Reads<T> => (ids.length === 0 ? NOTHING : store.read(ids, patience));

const NOTHING = { found: new Map<string, never>(), unread: new Set<string>(), error: undefined };

function beforeGap(candidates: readonly Candidate[], isGap: (candidate: Candidate) => boolean): readonly Candidate[] {
  const gap = candidates.findIndex(isGap);
  return gap === -1 ? candidates : candidates.slice(0, gap);
}

/**
 * Ids whose results have to be read before anything is scored. Every other event is assumed to be new and written under that condition;
 * if it isn't, the refusal brings the existing result and costs no read. These are read:
 * - ids that occur twice: which record is the duplicate and which the conflict depends on what is stored;
 * - events that their user's state counts already: a redelivery, whose writes would all be paid for and refused.
 */
function idsToRead(
  candidates: readonly Candidate[],
  states: ReadonlyMap<string, StoredState>,
  stateful: boolean,
): readonly string[] {
  const ids = new Set<string>();
  const seen = new Set<string>();
  for (const { eventId, userToken } of candidates) {
    if (seen.has(eventId)) ids.add(eventId);
    seen.add(eventId);
    if (!stateful || userToken === null) continue;
    if (states.get(userToken)?.marks.has(eventId)) ids.add(eventId);
  }
  return [...ids];
}
