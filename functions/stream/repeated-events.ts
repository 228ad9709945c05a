import type { AdmitArgs } from "./admit";
import type { Duplicate } from "./plan-batch";
import { type Entry, storedEntry } from "./score-batch";
import { sourceOfPosition } from "./source-position";

/**
 * The duplicates as entries of the events that they repeat. Nothing of them is done unless the event isn't archived: then the delivery of
 * its first record was given up (or is still under way), and what sends it again is the only way to bring it to the warehouse. The entry's
 * line is that of the first record; the user's state counts it unless it has its mark.
 * @param duplicates in order
 * @param entries those of the batch: they are archived anyway
 */
export function repeatedEvents(duplicates: readonly Duplicate[], entries: readonly Entry[], args: AdmitArgs): readonly Entry[] {
  const found: Entry[] = [];
  if (duplicates.length === 0) return found;
  const known = new Set(entries.map(({ result }) => result.eventId));
  for (const { candidate, stored } of duplicates) {
    if (stored === null || known.has(stored.eventId)) continue;
    known.add(stored.eventId);
    const { sourcePosition, occurredAt } = stored;
    const first = { ...candidate, source: sourceOfPosition(sourcePosition), sourcePosition, occurredAt };
    found.push(storedEntry(first, stored, args));
  }
  return found;
}

/** Whether the entry is that of an event whose first record was another one. */
export const isRepeated = ({ candidate, result }: Entry): boolean => candidate.record.position !== result.sourcePosition;
