import { sha256 } from "../scoring/core/hash";
import { dateOf, objectKey, suffixedKey } from "../shared/object-keys";
import type { SourceRecord } from "./source-record";

/**
 * Archive object of a range of records: shard, first and last sequence number, day of the first arrival. The same range gives the same
 * key at every delivery; two different ranges never share a key, because they differ at one end.
 */
export function batchKey(profile: string, records: readonly SourceRecord[], end: number = records.length): string {
  const first = records[0] as SourceRecord;
  const last = records[end - 1] as SourceRecord;
  return objectKey("archive", profile, dateOf(first.arrivedAtMs), `${first.shard}_${first.sequence}_${last.sequence}`);
}

/**
 * Archive object of events whose first records are elsewhere. The name is that of exactly these events: a name by range could be given by
 * two deliveries to different events, of which the first to write would leave the other's out.
 */
export function repeatedKey(profile: string, record: SourceRecord, eventIds: readonly string[]): string {
  const name = `${record.shard}_repeated_${sha256(JSON.stringify(eventIds)).slice(0, 32)}`;
  return objectKey("archive", profile, dateOf(record.arrivedAtMs), name);
}

/** Other names for a range whose object exists but lacks an event that was accepted only at a later delivery. */
export const alternativeKey = (key: string, number: number): string => suffixedKey(key, number);
