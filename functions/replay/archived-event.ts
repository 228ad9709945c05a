/** An event as the archive has it, ready to be scored again. */
import type { ArchiveRecord } from "../scoring/core/archive-record";
import type { AnyProfile } from "../scoring/core/profile";

export interface ArchivedEvent {
  readonly record: ArchiveRecord;
  /** The vector that its decision was made from; NaN means not known. */
  readonly features: Float64Array;
}

/** Reads a line of the profile's archive. Features that the profile did not have yet are not known. */
export function readArchived(line: string, { features }: AnyProfile): ArchivedEvent {
  // Only the platform's functions write to the archive, and they write ArchiveRecord.
  const record = JSON.parse(line) as ArchiveRecord;
  const vector = new Float64Array(features.size);
  for (let slot = 0; slot < features.size; slot++) {
    vector[slot] = record.features[features.definitions[slot]!.name] ?? Number.NaN;
  }
  return { record, features: vector };
}
