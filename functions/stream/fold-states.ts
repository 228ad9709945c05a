import type { AdmitArgs, Candidate } from "./admit";
import type { StoredState } from "./ports";
import { ofRecord } from "./record-fault";
import { isAfter } from "./sequence";

/** States by user, each with the index of the first record that it newly counts. */
export type FoldedStates = ReadonlyMap<string, StoredState & { readonly firstIndex: number }>;

/** States after `entries`, which are the remaining ones of a batch after some were dropped. */
export function foldStates(
  entries: readonly { readonly candidate: Candidate }[],
  states: ReadonlyMap<string, StoredState>,
  profile: AdmitArgs["profile"],
): FoldedStates {
  const folded = new Map<string, StoredState & { readonly firstIndex: number }>();
  if (!profile.stateful) return folded;
  for (const { candidate } of entries) {
    const { userToken, record, input, index } = candidate;
    if (userToken === null) continue;
    const mine = folded.get(userToken);
    const before = mine ?? states.get(userToken);
    if (before !== undefined && !isAfter(record.sequence, before.lastSequence)) continue;
    const state = ofRecord(() => profile.fold(before?.state ?? null, input));
    folded.set(userToken, { state, lastSequence: record.sequence, firstIndex: mine?.firstIndex ?? index });
  }
  return folded;
}
