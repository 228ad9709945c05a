import { mapPatiently, type Patience } from "../shared/patience";
import type { Rejected } from "./admit";
import type { ResultStore } from "./ports";
import { conflict, type Entry, type ScoreBatchArgs, storedEntry } from "./score-batch";

export interface Recorded {
  /** Entries whose result is in the table for sure, in order. */
  readonly entries: readonly Entry[];
  readonly rejected: readonly Rejected[];
  readonly duplicates: readonly number[];
  /** Indexes of entries whose result may or may not be in the table. */
  readonly unresolved: readonly number[];
  /** The first thing that went wrong, for the log. */
  readonly error: unknown;
}

/** Writes under way at once: enough to hide a round trip of 5 ms behind a thousand items, few enough for the connection pool. */
const WRITES_AT_ONCE = 48;

/**
 * Writes fresh results, each under the condition that the event has none. Where one exists it decides what the record is: our own
 * earlier try (a request is repeated whose answer got lost), another delivery of the record, or another record of the id.
 */
export async function recordResults(
  entries: readonly Entry[],
  store: ResultStore,
  args: ScoreBatchArgs,
  patience: Patience,
): Promise<Recorded> {
  const fresh = entries.filter((entry) => entry.fresh);
  const outcomes = await mapPatiently(fresh, WRITES_AT_ONCE, ({ result }) => store.create(result), patience, patience.mayWait);
  if (outcomes.every((outcome) => outcome.kind === "done" && outcome.value === "created"))
    return { entries, rejected: [], duplicates: [], unresolved: [], error: undefined };

  const kept: Entry[] = [];
  const rejected: Rejected[] = [];
  const duplicates: number[] = [];
  const unresolved: number[] = [];
  let error: unknown;
  let position = 0;
  for (const entry of entries) {
    const { candidate } = entry;
    const outcome = entry.fresh ? outcomes[position++] : undefined;
    if (outcome === undefined) kept.push(entry);
    else if (outcome.kind !== "done") {
      unresolved.push(candidate.index);
      error ??= outcome.kind === "failed" ? outcome.error : new OutOfTimeError();
    } else if (outcome.value === "created") kept.push(entry);
    else if (outcome.value.sourcePosition === candidate.record.position) kept.push(storedEntry(candidate, outcome.value, args));
    else if (outcome.value.inputHash !== candidate.inputHash) rejected.push(conflict(candidate, args));
    else duplicates.push(candidate.index);
  }
  return { entries: kept, rejected, duplicates, unresolved, error };
}

/** The rest of the batch is left to the next invocation. */
export class OutOfTimeError extends Error {
  readonly code = "out_of_time";

  constructor() {
    super("The invocation's time was nearly over; the rest of the batch is left to the next one.");
    this.name = "OutOfTimeError";
  }
}
