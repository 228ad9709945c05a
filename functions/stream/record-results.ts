import { mapPatiently, type Patience } from "../shared/patience";
import { type Candidate, conflict, type Rejected } from "./admit";
import type { Duplicate } from "./plan-batch";
import type { ResultStore, StoredState } from "./ports";
import type { Unfinished } from "./progress";
import { isEntry, type LatestEntries, latestEntries } from "./score-again";
import { type Entry, type ScoreBatchArgs, type ScoredBatch, storedEntry } from "./score-batch";

export interface Recorded extends Unfinished {
  /** Entries whose result is certainly in the table, in order. */
  readonly entries: readonly Entry[];
  readonly rejected: readonly Rejected[];
  readonly duplicates: readonly Duplicate[];
  /** Indexes of entries whose result may or may not be in the table. */
  readonly indexes: readonly number[];
  /** Remote challengers under way; see `ScoredBatch`. */
  readonly challengers: readonly Promise<void>[];
}

/** Concurrent writes: enough to hide a round trip of 5 ms behind a thousand items, few enough for the connection pool. */
const WRITES_AT_ONCE = 48;

/**
 * Writes fresh results, each under the condition that the event has none, and those of one user in order. An existing result decides what
 * the record is: our own earlier attempt (a request is repeated when its response is lost), another delivery of the record, or another
 * record with the same id. In the last case the record doesn't count although it was scored as if it did, so the user's later records
 * are scored again before they are written.
 */
export async function recordResults(
  batch: Pick<ScoredBatch, "entries" | "challengers">,
  states: ReadonlyMap<string, StoredState>,
  store: ResultStore,
  args: ScoreBatchArgs,
  patience: Patience,
): Promise<Recorded> {
  const { entries } = batch;
  const fresh = entries.filter((entry) => entry.fresh);
  const latest = latestEntries(batch, states, args);
  const { challengers } = latest;
  const record = ({ candidate }: Entry) => recordResult(candidate, latest, store, args);
  const laneOf = ({ candidate }: Entry) => (args.profile.stateful ? candidate.userToken : null);
  const outcomes = await mapPatiently(fresh, WRITES_AT_ONCE, record, patience, patience.mayWait, laneOf);
  if (outcomes.every((outcome, position) => outcome.kind === "done" && outcome.value === fresh[position]))
    return { entries, rejected: [], duplicates: [], indexes: [], challengers, error: undefined };

  const kept: Entry[] = [];
  const rejected: Rejected[] = [];
  const duplicates: Duplicate[] = [];
  const indexes: number[] = [];
  let error: unknown;
  let position = 0;
  for (const entry of entries) {
    const outcome = entry.fresh ? outcomes[position++] : undefined;
    if (outcome === undefined) kept.push(entry);
    else if (outcome.kind !== "done") {
      indexes.push(entry.candidate.index);
      error ??= outcome.kind === "failed" ? outcome.error : new OutOfTimeError();
    } else if ("stored" in outcome.value) duplicates.push(outcome.value);
    else if (isEntry(outcome.value)) kept.push(outcome.value);
    else rejected.push(outcome.value);
  }
  return { entries: kept, rejected, duplicates, indexes, challengers, error };
}

async function recordResult(
  candidate: Candidate,
  latest: LatestEntries,
  store: ResultStore,
  args: ScoreBatchArgs,
): Promise<Entry | Rejected | Duplicate> {
  const entry = latest.of(candidate);
  if (!isEntry(entry)) return entry;
  const stored = await store.create(entry.result);
  if (stored === "created") return entry;
  if (stored.sourcePosition === candidate.record.position) return storedEntry(candidate, stored, args);
  await latest.drop(candidate, stored);
  return stored.inputHash === candidate.inputHash ? { candidate, stored } : conflict(candidate);
}

/** The rest of the batch is left to the next invocation. */
export class OutOfTimeError extends Error {
  readonly code = "out_of_time";

  constructor() {
    super("The invocation's time was nearly over; the rest of the batch is left to the next one.");
    this.name = "OutOfTimeError";
  }
}
