import { mapBounded } from "../shared/concurrency";
import { packLines } from "../shared/ndjson";
import { inArea } from "../shared/object-keys";
import type { ObjectStore } from "../shared/object-store";
import { mapPatiently, type Patience } from "../shared/patience";
import { type QuarantinedRecord, type QuarantineStores, quarantine } from "../shared/quarantine";
import type { Rejected } from "./admit";
import { closeKey, freeKey, InOtherHandsError, keyState } from "./archive-key";
import { batchKey, repeatedKey } from "./batch-key";
import type { ResultStore } from "./ports";
import { type Unfinished, unfinishedAll } from "./progress";
import { ofRecord } from "./record-fault";
import { isRepeated } from "./repeated-events";
import type { Entry } from "./score-batch";
import type { SourceRecord } from "./source-record";

const LOOKUPS_AT_ONCE = 32;
const MOVES_AT_ONCE = 32;
/** Number of moves in one object: if the time runs out in the middle, they are lost, and the next delivery moves the entries again. */
const LARGEST_PART = 16;

/** Entries that are in no archive object yet; those for which that could not be found out count as unfinished. */
export interface Unarchived extends Unfinished {
  readonly entries: readonly Entry[];
}

/**
 * The entries that are in no archive object yet. An object holds exactly the events whose results are recorded for it, and it is written
 * after them and everything else of its range: so "the recorded object has lines" means "all of it is done".
 */
export async function unarchived(entries: readonly Entry[], objects: ObjectStore): Promise<Unarchived> {
  const keys = [...new Set(entries.filter((entry) => !entry.fresh).map((entry) => entry.result.archiveKey))];
  const archived = new Set<string>();
  const states = await mapBounded(keys, LOOKUPS_AT_ONCE, (key) => keyState(key, objects));
  for (const [index, state] of states.entries()) {
    if (state.kind === "failed") return { entries: [], ...unfinishedAll(entries, state.error) };
    if (state.kind === "done" && state.value === "archived") archived.add(keys[index] as string);
  }
  const pending =
    archived.size === 0 ? entries : entries.filter(({ fresh, result }) => fresh || !archived.has(result.archiveKey));
  return { entries: pending, indexes: [], error: undefined };
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

export interface Archived extends Unfinished {
  /** Events in the objects that were written. */
  readonly count: number;
}

/**
 * Archives the pending entries, which are those of the records before `done`. If all their results are recorded for the object of the
 * whole range, they go into one object. Otherwise each entry has to be moved, which takes a write: then they go into several objects,
 * small ones first, so that a table that has no units for all of them still finishes the first ones. Events of other records go into objects
 * of their own: in that of the range they would make every entry move.
 * @returns unfinished: the first entry of each object that failed
 */
export async function archive(pending: readonly Entry[], done: number, args: ArchiveArgs): Promise<Archived> {
  const { profile, records } = args;
  const own = pending.filter((entry) => !isRepeated(entry));
  const repeated = pending.filter(isRepeated);
  const whole = batchKey(profile, records);
  const isWhole = done === records.length && own.every(({ result }) => result.archiveKey === whole);
  const rangeKey = (start: number, end: number): string => {
    const from = start === 0 ? 0 : (own[start] as Entry).candidate.index;
    return batchKey(profile, records.slice(from, own[end]?.candidate.index ?? done));
  };
  const keyOfRepeated = (start: number, end: number): string => {
    const part = repeated.slice(start, end);
    return repeatedKey(
      profile,
      (part[0] as Entry).candidate.record,
      part.map(({ result }) => result.eventId),
    );
  };
  const first = await archiveParts(repeated, 1, keyOfRepeated, { ...args, redelivery: true });
  const second = await archiveParts(own, isWhole ? own.length : 1, rangeKey, args);
  return {
    indexes: [...first.indexes, ...second.indexes],
    error: first.error ?? second.error,
    count: first.count + second.count,
  };
}

async function archiveParts(
  entries: readonly Entry[],
  firstSize: number,
  keyOf: (start: number, end: number) => string,
  args: ArchiveArgs,
): Promise<Archived> {
  for (let start = 0, size = firstSize; start < entries.length; ) {
    const part = entries.slice(start, start + size);
    try {
      await archiveObject(part, keyOf(start, start + size), args);
    } catch (error) {
      return { ...unfinishedAll(part.slice(0, 1), error), count: start };
    }
    start += size;
    size = Math.min(LARGEST_PART, size * 2);
  }
  return { indexes: [], error: undefined, count: entries.length };
}

/**
 * Writes one object. Results that are recorded for another object, one that was never written, are first moved to this one; a crash in
 * between leaves them recorded for an object that doesn't exist, which the next delivery notices.
 */
async function archiveObject(entries: readonly Entry[], key: string, args: ArchiveArgs): Promise<void> {
  const { redelivery, objects } = args;
  const target = redelivery ? await freeKey(key, objects) : key;
  await moveTo(target, entries, args);

  const lines = entries.map(({ line }) => ofRecord(line));
  // The archive object comes last: its existence implies that the copies exist. A crash in between, or a bisected range, may copy
  // an event twice; the copies are for people, and only the archive is loaded.
  await copyAlerts(entries, lines, () => target, args);
  const written = await objects.putIfAbsent(target, packLines(lines));
  // Usually an earlier attempt of ours, whose answer was lost.
  if (written === "exists" && (await keyState(target, objects)) === "closed") throw new InOtherHandsError(target);
}

/** @param keyOf the archive object beside which they are copied, of the ids of the events in alerting bands */
export async function copyAlerts(
  entries: readonly Entry[],
  lines: readonly string[],
  keyOf: (eventIds: readonly string[]) => string,
  { isAlert, objects }: Pick<ArchiveArgs, "isAlert" | "objects">,
): Promise<void> {
  const copies: string[] = [];
  const eventIds: string[] = [];
  for (const [index, { result }] of entries.entries()) {
    if (!isAlert(result.decision.band)) continue;
    copies.push(lines[index] as string);
    eventIds.push(result.eventId);
  }
  if (copies.length > 0) await objects.putIfAbsent(inArea(keyOf(eventIds), "high-risk"), packLines(copies));
}

/** Records the entries for the object `target`. */
async function moveTo(target: string, entries: readonly Entry[], { objects, results, patience }: ArchiveArgs): Promise<void> {
  const moving = entries.filter(({ result }) => result.archiveKey !== target);
  // Fresh results were recorded by this invocation: nobody else writes them.
  const sources = new Set(moving.filter(({ fresh }) => !fresh).map(({ result }) => result.archiveKey));
  for (const source of sources) if ((await closeKey(source, objects)) === "archived") throw new InOtherHandsError(source);
  const move = ({ result }: Entry) => results.moveArchive(result.eventId, result.archiveKey, target);
  const moves = await mapPatiently(moving, MOVES_AT_ONCE, move, patience);
  for (const [index, outcome] of moves.entries()) {
    if (outcome.kind === "failed") throw outcome.error;
    if (outcome.kind === "done" && !outcome.value) throw new InOtherHandsError((moving[index] as Entry).result.archiveKey);
  }
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
      source: record.source,
      profile,
      arrivedAtMs: record.arrivedAtMs,
      reason,
      detail,
      eventId,
      bytes: record.bytes,
      partitionKey: record.partitionKey,
    }),
  );
  return quarantine(records, inArea(batchKey(profile, range), "quarantine"), stores);
}
