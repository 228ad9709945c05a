import type { AdmitArgs, Candidate } from "./admit";
import type { StoredState } from "./ports";
import { ofRecord } from "./record-fault";

/** An event that its user's state has to count. */
export interface Countable {
  readonly candidate: Candidate;
  /** When an earlier delivery scored it, which may have counted it as well; null for an event that this delivery made the result of. */
  readonly scoredBefore: string | null;
}

/** A user's state after some events of a batch. */
export interface FoldedState {
  /** As it was read. */
  readonly before: StoredState | undefined;
  readonly state: unknown;
  /** What `state` counts beyond `before`, in order; at least one. */
  readonly counted: readonly Countable[];
}

/** States by user. */
export type FoldedStates = ReadonlyMap<string, FoldedState>;

/** States by user, while events are added one by one. */
export class StateFolder {
  readonly states = new Map<string, { before: StoredState | undefined; state: unknown; counted: Countable[] }>();

  constructor(
    private readonly profile: AdmitArgs["profile"],
    private readonly read: ReadonlyMap<string, StoredState>,
  ) {}

  /** What is known of the user so far; null: nothing. */
  stateOf({ userToken }: Candidate): unknown {
    if (userToken === null) return null;
    const mine = this.states.get(userToken);
    return (mine === undefined ? this.read.get(userToken)?.state : mine.state) ?? null;
  }

  /** The state with the event; undefined when there is none, or it counts the event already. */
  after({ candidate, scoredBefore }: Countable): unknown {
    const { userToken, eventId, input, countsAtMs } = candidate;
    if (userToken === null || !this.profile.stateful) return undefined;
    if (scoredBefore !== null && this.read.get(userToken)?.marks.covers(eventId, scoredBefore)) return undefined;
    return this.profile.fold(this.stateOf(candidate), input, countsAtMs);
  }

  /** @param state what {@link after} gave for the event */
  set(event: Countable, state: unknown): void {
    const user = event.candidate.userToken;
    if (user === null || state === undefined) return;
    const mine = this.states.get(user);
    if (mine === undefined) {
      this.states.set(user, { before: this.read.get(user), state, counted: [event] });
    } else {
      mine.state = state;
      mine.counted.push(event);
    }
  }
}

/** States after the events, of which some may be counted already. */
export function foldStates(
  events: readonly Countable[],
  states: ReadonlyMap<string, StoredState>,
  profile: AdmitArgs["profile"],
): FoldedStates {
  const folder = new StateFolder(profile, states);
  for (const event of events)
    folder.set(
      event,
      ofRecord(() => folder.after(event)),
    );
  return folder.states;
}
