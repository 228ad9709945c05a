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

/** Other names for a range whose object exists but lacks an event that was accepted only at a later delivery. */
export const alternativeKey = (key: string, number: number): string => suffixedKey(key, number);
