import type { Candidate, Rejected } from "./admit";
import type { StoredResult, StoredState } from "./ports";
import { type Entry, type ScoreBatchArgs, type ScoredBatch, scoreBatch } from "./score-batch";

export interface LatestEntries {
  /** The state of a candidate according to everything known so far. */
  of(candidate: Candidate): Entry | Rejected;
  /**
   * Records that the event of `candidate` belongs to another record, whose result is `stored`, and doesn't count here: the user's later
   * events, none of which has been written, are scored again without it.
   */
  drop(candidate: Candidate, stored: StoredResult): Promise<void>;
  /** Remote challengers still running, including those of the first scoring. */
  readonly challengers: readonly Promise<void>[];
}

/** The entries of a batch, which change while its results are written. */
export function latestEntries(
  { entries, challengers }: Pick<ScoredBatch, "entries" | "challengers">,
  states: ReadonlyMap<string, StoredState>,
  args: ScoreBatchArgs,
): LatestEntries {
  const latest = new Map<number, Entry | Rejected>(entries.map((entry) => [entry.candidate.index, entry]));
  const dropped = new Map<string, StoredResult>();
  const settling = challengers === null ? [] : [challengers];
  return {
    of: ({ index }) => latest.get(index) as Entry | Rejected,
    async drop({ eventId, userToken, index }, stored) {
      dropped.set(eventId, stored);
      if (userToken === null || !args.profile.stateful) return;
      const mine = entries.filter(({ candidate }) => candidate.userToken === userToken && isEntry(latest.get(candidate.index)));
      const written = mine.filter(({ candidate, fresh }) => !fresh || candidate.index < index);
      const known = new Map([...written.map(({ result }) => [result.eventId, result] as const), ...dropped]);
      const candidates = mine.map(({ candidate }) => candidate);
      const again = await scoreBatch(candidates, known, states, args);
      for (const entry of again.entries) if (entry.fresh) latest.set(entry.candidate.index, entry);
      for (const rejected of again.rejected) if (rejected.index > index) latest.set(rejected.index, rejected);
      if (again.challengers !== null) settling.push(again.challengers);
    },
    challengers: settling,
  };
}

export const isEntry = (latest: Entry | Rejected | undefined): latest is Entry => latest !== undefined && "candidate" in latest;
