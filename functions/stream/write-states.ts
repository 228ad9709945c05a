import { mapPatiently, type Patience } from "../shared/patience";
import type { FoldedStates } from "./fold-states";
import type { StateStore } from "./ports";
import type { Unfinished } from "./progress";

const WRITES_AT_ONCE = 48;

export interface StatesWritten extends Unfinished {
  /** Writes that lost against a later record. */
  readonly conflicts: number;
}

/** Writes the users' states. If one fails, the records that it newly counts remain unfinished. */
export async function writeStates(states: FoldedStates, store: StateStore, patience: Patience): Promise<StatesWritten> {
  const folded = [...states];
  const write = ([user, { state, lastSequence }]: (typeof folded)[number]) => store.write(user, { state, lastSequence });
  const outcomes = await mapPatiently(folded, WRITES_AT_ONCE, write, patience);
  const indexes: number[] = [];
  let conflicts = 0;
  let error: unknown;
  for (const [position, outcome] of outcomes.entries()) {
    if (outcome.kind === "done") {
      if (outcome.value === "newer") conflicts++;
      continue;
    }
    indexes.push(folded[position]![1].firstIndex);
    if (outcome.kind === "failed") error ??= outcome.error;
  }
  return { indexes, conflicts, error };
}
