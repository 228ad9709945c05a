import { mapPatiently, type Patience } from "../shared/patience";
import type { AdmitArgs } from "./admit";
import { EventMarks } from "./event-marks";
import { type Countable, type FoldedState, type FoldedStates, foldStates } from "./fold-states";
import type { StateStore, StoredState } from "./ports";
import type { Unfinished } from "./progress";
import { OutOfTimeError } from "./record-results";

const WRITES_AT_ONCE = 48;

export interface StatesWritten extends Unfinished {
  /** Writes that lost against another delivery. */
  readonly conflicts: number;
}

export interface WriteStatesArgs {
  readonly profile: AdmitArgs["profile"];
  readonly states: StateStore;
  /** ISO 8601. */
  readonly scoredAt: string;
  readonly patience: Patience;
}

/**
 * Writes the users' states, each on condition that it is still the version that was read. Otherwise the events that the present one doesn't
 * count are folded on top of that. If a write fails, the records that it newly counts remain unfinished.
 */
export async function writeStates(states: FoldedStates, args: WriteStatesArgs): Promise<StatesWritten> {
  let conflicts = 0;
  const now = Date.parse(args.scoredAt);
  const users = [...states];
  const write = ([user, folded]: (typeof users)[number]) => writeState(user, folded, now, args, () => conflicts++);
  const outcomes = await mapPatiently(users, WRITES_AT_ONCE, write, args.patience);
  const indexes: number[] = [];
  let error: unknown;
  for (const [position, outcome] of outcomes.entries()) {
    if (outcome.kind === "done") continue;
    indexes.push(users[position]![1].counted[0]!.candidate.index);
    if (outcome.kind === "failed") error ??= outcome.error;
  }
  return { indexes, conflicts, error };
}

/** Of several deliveries that write at the same time one always succeeds, so none of them waits. */
async function writeState(
  user: string,
  folded: FoldedState,
  now: number,
  args: WriteStatesArgs,
  onConflict: () => void,
): Promise<void> {
  let next = folded;
  for (;;) {
    const outcome = await args.states.write(user, stateToStore(next, now));
    if (outcome === "written") return;
    // What the present state counts of these may be an earlier attempt of ours whose answer was lost.
    const missing = next.counted.filter(isMissing(outcome.present));
    const again = foldStates(missing, present(user, outcome.present), args.profile).get(user);
    if (again === undefined) return;
    onConflict();
    if (!args.patience.mayWait()) throw new OutOfTimeError();
    next = again;
  }
}

/** From here on another delivery may have counted any of the events, since all of them have results. */
const isMissing =
  (state: StoredState | undefined) =>
  ({ candidate }: Countable): boolean =>
    state === undefined || !state.marks.has(candidate.eventId);

const present = (user: string, state: StoredState | undefined): ReadonlyMap<string, StoredState> =>
  new Map(state === undefined ? [] : [[user, state]]);

function stateToStore({ before, state, counted }: FoldedState, now: number): StoredState {
  const ids = counted.map(({ candidate }) => candidate.eventId);
  return { state, marks: (before?.marks ?? EventMarks.NONE).with(ids, now), version: (before?.version ?? 0) + 1 };
}
