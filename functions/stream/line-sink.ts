import { type ArchiveArgs, type Archived, archive } from "./archive-batch";
import { batchKey } from "./batch-key";
import type { Entry } from "./score-batch";
import type { SourceRecord } from "./source-record";

/** Where the lines of scored events go. */
export interface LineSink {
  /** The archive key that fresh results of these records are recorded for. */
  keyOf(profile: string, records: readonly SourceRecord[]): string;
  /** Takes the pending entries, which are those of the records before `done`. */
  take(pending: readonly Entry[], done: number, args: ArchiveArgs): Promise<Archived>;
}

/** Into an archive object of the batch. */
export const ARCHIVE: LineSink = { keyOf: (profile, records) => batchKey(profile, records), take: archive };
