import { gzipLines } from "../shared/ndjson";
import { inArea } from "../shared/object-keys";
import type { ObjectStore } from "../shared/object-store";
import { mapPatiently, type Patience } from "../shared/patience";
import { type QuarantinedRecord, type QuarantineStores, quarantine } from "../shared/quarantine";
import type { Rejected } from "./admit";
import { alternativeKey, batchKey } from "./batch-key";
import { decodeBase64 } from "./decode";
import type { ResultStore } from "./ports";
import { type Unfinished, unfinishedAll } from "./progress";
import { ofRecord } from "./record-fault";
import type { Entry } from "./score-batch";
import type { SourceRecord } from "./source-record";

const MOVES_AT_ONCE = 32;
/** Number of moves in one object: if the time runs out in the middle, they are lost, and the next delivery moves the entries again. */
const LARGEST_PART = 16;

/** Entries that are in no archive object yet; those for which that could not be found out count as unfinished. */
export interface Unarchived extends Unfinished {
  readonly entries: readonly Entry[];
}

/**
 * The entries that are in no archive object yet. An object holds exactly the events whose results are recorded for it, and it is written
 * after them and everything else of its range: so "the recorded object exists" means "all of it is done".
 */
export async function unarchived(entries: readonly Entry[], objects: ObjectStore): Promise<Unarchived> {
  const keys = [...new Set(entries.filter((entry) => !entry.fresh).map((entry) => entry.result.archiveKey))];
  try {
    const exist = await Promise.all(keys.map((key) => objects.exists(key)));
    const existing = new Set(keys.filter((_, index) => exist[index]));
    const pending =
      existing.size === 0 ? entries : entries.filter((entry) => entry.fresh || !existing.has(entry.result.archiveKey));
    return { entries: pending, indexes: [], error: undefined };
  } catch (error) {
    return { entries: [], ...unfinishedAll(entries, error) };
  }
}

export interface ArchiveArgs {
  readonly profile: string;
  /** The range that fresh results are recorded for. */
  readonly records: readonly SourceRecord[];
  /** Whether an earlier delivery may have written objects of the same range. */
  readonly redelivery: boolean;
  readonly isAlert: (band: string) => boolean;
  readonly objects: ObjectStore;
  readonly results: ResultStore;
  readonly patience: Patience;
}

/**
 * Archives the pending entries, which are those of the records before `done`. If all their results are recorded for the object of the
 * whole range, they go into one object. Otherwise each entry has to be moved, which takes a write: then they go into several objects,
 * small ones first, so that a table that has no units for all of them still finishes the first ones.
 * @returns unfinished: the first entry of the object that failed
 */
export async function archive(pending: readonly Entry[], done: number, args: ArchiveArgs): Promise<Unfinished> {
  const whole = batchKey(args.profile, args.records);
  const isWhole = done === args.records.length && pending.every(({ result }) => result.archiveKey === whole);
  let from = 0;
  for (let start = 0, size = isWhole ? pending.length : 1; start < pending.length; ) {
    const end = pending[start + size]?.candidate.index ?? done;
    try {
      await archiveObject(pending.slice(start, start + size), batchKey(args.profile, args.records.slice(from, end)), args);
    } catch (error) {
      return unfinishedAll(pending.slice(start, start + 1), error);
    }
    from = end;
    start += size;
    size = Math.min(LARGEST_PART, size * 2);
  }
  return { indexes: [], error: undefined };
}

/**
 * Writes one object. Results that are recorded for another object, one that was never written, are first moved to this one; a crash in
 * between leaves them recorded for an object that doesn't exist, which the next delivery notices.
 */
async function archiveObject(
  entries: readonly Entry[],
  key: string,
  { redelivery, isAlert, objects, results, patience }: ArchiveArgs,
): Promise<void> {
  const target = redelivery ? await freeKey(key, objects) : key;
  const moving = entries.filter((entry) => entry.result.archiveKey !== target);
  const move = ({ result }: Entry) => results.moveArchive(result.eventId, result.archiveKey, target);
  const moves = await mapPatiently(moving, MOVES_AT_ONCE, move, patience);
  for (const outcome of moves) if (outcome.kind === "failed") throw outcome.error;

  const alerts: string[] = [];
  const lines = entries.map((entry) => {
    const line = ofRecord(entry.line);
    if (isAlert(entry.result.decision.band)) alerts.push(line);
    return line;
  });
  // The archive object comes last: its existence implies that the copies exist. A crash in between, or a bisected range, may copy
  // an event twice; the copies are for people, and only the archive is loaded.
  const [copies, body] = await Promise.all([alerts.length > 0 ? gzipLines(alerts) : null, gzipLines(lines)]);
  if (copies !== null) await objects.putIfAbsent(inArea(target, "high-risk"), copies);
  await objects.putIfAbsent(target, body);
}

async function freeKey(key: string, objects: ObjectStore): Promise<string> {
  let candidate = key;
  for (let number = 2; await objects.exists(candidate); number++) candidate = alternativeKey(key, number);
  return candidate;
}

/** Quarantines the unfit records of a range. */
export function quarantineRange(
  rejected: readonly Rejected[],
  range: readonly SourceRecord[],
  profile: string,
  stores: QuarantineStores,
): Promise<void> {
  const records = rejected.map(
    ({ record, reason, detail, eventId }): QuarantinedRecord => ({
      position: record.position,
      source: "kinesis",
      profile,
      arrivedAtMs: record.arrivedAtMs,
      reason,
      detail,
      eventId,
      // What isn't base64 is no record of Kinesis; then the text is what arrived.
      bytes: decodeBase64(record.data) ?? Buffer.from(String(record.data)),
      partitionKey: record.partitionKey,
    }),
  );
  return quarantine(records, inArea(batchKey(profile, range), "quarantine"), stores);
}
