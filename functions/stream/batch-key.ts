import { sha256 } from "../scoring/core/hash";
import { NDJSON } from "../shared/ndjson";
import { dateOf, objectKey, suffixedKey } from "../shared/object-keys";
import type { SourceRecord } from "./source-record";

/**
 * Archive object of some records of one origin: the origin, which records, day of the first arrival. The same records give the same key at
 * every delivery, and two different lots never share a key. Where every delivery has the same order, first and last sequence number say
 * which records (two ranges differ at one end); otherwise a digest of all positions does.
 */
export function batchKey(profile: string, records: readonly SourceRecord[], end: number = records.length): string {
  const first = records[0] as SourceRecord;
  const last = records[end - 1] as SourceRecord;
  const which = first.ordered
    ? `${first.sequence}_${last.sequence}`
    : digest(records.slice(0, end).map(({ position }) => position));
  return objectKey("archive", profile, dateOf(first.arrivedAtMs), `${first.origin}_${which}`);
}

/**
 * Archive object of events whose first records are elsewhere. The name is that of exactly these events: a name by range could be given by
 * two deliveries to different events, of which the first to write would leave the other's out.
 */
export function repeatedKey(profile: string, record: SourceRecord, eventIds: readonly string[]): string {
  return objectKey("archive", profile, dateOf(record.arrivedAtMs), `${record.origin}_repeated_${digest(eventIds)}`);
}

/**
 * What events are recorded for whose lines the function doesn't archive itself. No object of this name ever holds a line; an empty one
 * closes it, when another delivery moves such an event to an object of its own.
 */
export const answeredKey = (profile: string, records: readonly SourceRecord[]): string =>
  `archive/${profile}/${(records[0] as SourceRecord).source}${NDJSON}`;

const digest = (names: readonly string[]): string => sha256(JSON.stringify(names)).slice(0, 32);

/** Other names for a lot whose object exists but lacks an event that was accepted only at a later delivery. */
export const alternativeKey = (key: string, number: number): string => suffixedKey(key, number);
