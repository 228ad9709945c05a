import { mapBounded } from "../shared/concurrency";
import type { Rejected } from "./admit";
import type { ResultStore, StoredResult } from "./ports";
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
 * Writes fresh results, each under the condition that the event has none. Where one exists it is read back: our own
 * earlier try (the SDK retries a request whose answer got lost), another delivery of the record, or another record of the id.
 */
export async function recordResults(
  entries: readonly Entry[],
  store: ResultStore,
  args: ScoreBatchArgs,
  mayStart: () => boolean,
): Promise<Recorded> {
  const fresh = entries.filter((entry) => entry.fresh);
  const outcomes = await mapBounded(fresh, WRITES_AT_ONCE, (entry) => store.create(entry.result), mayStart);
  const lost = new Map<Entry, "exists" | "unresolved">();
  let error: unknown;
  for (const [position, outcome] of outcomes.entries()) {
    if (outcome.kind === "done" && outcome.value === "created") continue;
    lost.set(fresh[position] as Entry, outcome.kind === "done" ? "exists" : "unresolved");
    if (outcome.kind === "failed") error ??= outcome.error;
    if (outcome.kind === "not_started")
      error ??= new Error("The invocation's time was nearly over; the rest of the batch is left to the next one.");
  }
  if (lost.size === 0) return { entries, rejected: [], duplicates: [], unresolved: [], error };

  const existing = [...lost].filter(([, why]) => why === "exists").map(([entry]) => entry.candidate.eventId);
  const stored: ReadonlyMap<string, StoredResult> = existing.length === 0 ? new Map() : await store.read(existing);
  const kept: Entry[] = [];
  const rejected: Rejected[] = [];
  const duplicates: number[] = [];
  const unresolved: number[] = [];
  for (const entry of entries) {
    const why = lost.get(entry);
    const { candidate } = entry;
    const result = why === "exists" ? stored.get(candidate.eventId) : undefined;
    if (why === undefined) kept.push(entry);
    else if (result === undefined) unresolved.push(candidate.index);
    else if (result.sourcePosition === candidate.record.position) kept.push(storedEntry(candidate, result, args));
    else if (result.inputHash !== candidate.inputHash) rejected.push(conflict(candidate, args));
    else duplicates.push(candidate.index);
  }
  return { entries: kept, rejected, duplicates, unresolved, error };
}
