/** What the stream processor needs from outside. Adapters are in `adapters.ts`, in-memory ones under `tests/helpers/`. */
import type { ChallengerScore } from "../scoring/core/types";
import type { EventScore } from "../shared/archive-line";
import type { BusEvent } from "../shared/event-bus";
import type { Patience } from "../shared/patience";
import type { EventMarks } from "./event-marks";

/** A decision as stored in the results table: the first one made for an event, which stays. */
export interface StoredResult extends EventScore {
  readonly eventId: string;
  /** Shard and sequence number of the scored record: distinguishes a redelivery from a duplicate. */
  readonly sourcePosition: string;
  readonly inputHash: string;
  /** Archive object that holds the event, or will. */
  readonly archiveKey: string;
  /** ISO 8601. */
  readonly occurredAt: string;
  readonly userToken: string | null;
  /** The features as text, by slot (`featureWriter`). */
  readonly featureList: string;
  /** Scores of the function's in-process shadow models; absent when there were none. */
  readonly challengers?: readonly ChallengerScore[];
}

/** What could be read in time. */
export interface Reads<T> {
  readonly found: ReadonlyMap<string, T>;
  /** Ids for which it is not known whether there is a result. Scarce units went to the ids that were asked for first. */
  readonly unread: ReadonlySet<string>;
  /** Why some are unread. */
  readonly error: unknown;
}

export interface ResultStore {
  /** Strongly consistent. */
  read(eventIds: readonly string[], patience: Patience): Promise<Reads<StoredResult>>;
  /** Writes unless the event has a result: then returns that one. */
  create(result: StoredResult): Promise<"created" | StoredResult>;
  /**
   * Moves an event to another archive object, if it is still recorded for `from`.
   * @returns whether it is recorded for `to` now; otherwise another delivery has moved it
   */
  moveArchive(eventId: string, from: string, to: string): Promise<boolean>;
}

export interface StoredState {
  readonly state: unknown;
  /** Of the events that the state counts. */
  readonly marks: EventMarks;
  /** How often it was written; 0 for one from before this was noted. */
  readonly version: number;
}

/** Another delivery has written the state since it was read. */
export interface StateConflict {
  /** The state as it is now; undefined when it has expired. */
  readonly present: StoredState | undefined;
}

export interface StateStore {
  /** Strongly consistent. */
  read(userTokens: readonly string[], patience: Patience): Promise<Reads<StoredState>>;
  /** Writes if the stored state is the version before. */
  write(userToken: string, state: StoredState): Promise<"written" | StateConflict>;
}

export interface Alerts {
  /** Indexes of the events that were refused after retries. */
  publish(events: readonly BusEvent[]): Promise<readonly number[]>;
}
