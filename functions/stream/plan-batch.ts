import type { Rows } from "../scoring/models/answer";
import { type AdmitArgs, type Candidate, conflict, type Rejected, scoringError } from "./admit";
import { type FoldedStates, StateFolder } from "./fold-states";
import type { StoredResult, StoredState } from "./ports";

/** A candidate in its turn: with the decision of an earlier delivery, or with a row to be scored and that row's features. */
export type Planned =
  | { readonly candidate: Candidate; readonly earlier: StoredResult }
  | { readonly candidate: Candidate; readonly row: number; readonly vector: Float64Array };

/** A record that repeats an event: same id and content, another record. */
export interface Duplicate {
  readonly candidate: Candidate;
  /** Null when the first record of the event is in this batch and new. */
  readonly stored: StoredResult | null;
}

export interface Plan {
  readonly planned: readonly Planned[];
  /** What has to be scored. */
  readonly rows: Rows;
  readonly rejected: readonly Rejected[];
  readonly duplicates: readonly Duplicate[];
  readonly states: FoldedStates;
}

/** The synchronous part: which events are new, from which features they are scored, and the states afterwards. */
export function planBatch(
  candidates: readonly Candidate[],
  stored: ReadonlyMap<string, StoredResult>,
  states: ReadonlyMap<string, StoredState>,
  args: AdmitArgs,
): Plan {
  const { profile } = args;
  const { size } = profile.features;
  const planned: Planned[] = [];
  const rejected: Rejected[] = [];
  const duplicates: Duplicate[] = [];
  const keys: string[] = [];
  const values = new Float64Array(candidates.length * size);
  const seen = new Map<string, string>();
  const folder = new StateFolder(profile, states);

  for (const candidate of candidates) {
    const { eventId, inputHash, record, userToken, input, countsAtMs } = candidate;
    const earlier = stored.get(eventId);
    const redelivered = earlier?.sourcePosition === record.position;
    const knownHash = redelivered ? undefined : (seen.get(eventId) ?? earlier?.inputHash);
    if (knownHash === inputHash) {
      duplicates.push({ candidate, stored: earlier ?? null });
      continue;
    }
    if (knownHash !== undefined) {
      rejected.push(conflict(candidate));
      continue;
    }
    try {
      const event = { candidate, scoredBefore: earlier?.scoredAt ?? null };
      const after = folder.after(event);
      if (earlier !== undefined) {
        planned.push({ candidate, earlier });
      } else {
        const row = keys.length;
        const vector = values.subarray(row * size, (row + 1) * size);
        profile.extract(input, folder.stateOf(candidate), vector, countsAtMs);
        keys.push(userToken ?? eventId);
        planned.push({ candidate, row, vector });
      }
      seen.set(eventId, inputHash);
      folder.set(event, after);
    } catch (error) {
      rejected.push(scoringError(candidate, error));
    }
  }
  const count = keys.length;
  const rows = { values: values.subarray(0, count * size), count, keyOf: (row: number) => keys[row]! };
  return { planned, rows, rejected, duplicates, states: folder.states };
}
