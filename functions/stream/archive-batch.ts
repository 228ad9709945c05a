import type { QuarantineRecord } from "../core/archive-record";
import { gzipLines } from "../shared/ndjson";
import { inArea } from "../shared/object-keys";
import type { ObjectStore } from "../shared/object-store";
import { mapPatiently, type Patience } from "../shared/patience";
import { fitBytes, storableText } from "../shared/storable";
import type { Rejected } from "./admit";
import { alternativeKey } from "./batch-key";
import type { ResultStore } from "./ports";
import type { Entry } from "./score-batch";

const MOVES_AT_ONCE = 32;

/**
 * The entries that no archive object holds yet. An object holds exactly the events whose results are recorded for it, and it
 * is written after them and after everything else of its range: so "the recorded object exists" means "all of it is done".
 */
export async function unarchived(entries: readonly Entry[], objects: ObjectStore): Promise<readonly Entry[]> {
  const keys = [...new Set(entries.filter((entry) => !entry.fresh).map((entry) => entry.result.archiveKey))];
  if (keys.length === 0) return entries;
  const existing = new Set<string>();
  await Promise.all(
    keys.map(async (key) => {
      if (await objects.exists(key)) existing.add(key);
    }),
  );
  return entries.filter((entry) => entry.fresh || !existing.has(entry.result.archiveKey));
}

/**
 * Writes the archive object of the pending entries. Results that are recorded for another object, one that was never
 * written, are moved to this one first; a crash in between leaves them recorded for an object that does not exist, which is
 * what the next delivery looks for.
 */
export async function archive(
  pending: readonly Entry[],
  key: string,
  redelivery: boolean,
  isAlert: (band: string) => boolean,
  objects: ObjectStore,
  results: ResultStore,
  patience: Patience,
): Promise<void> {
  if (pending.length === 0) return;
  const target = redelivery ? await freeKey(key, objects) : key;
  const moving = pending.filter((entry) => entry.result.archiveKey !== target);
  const move = ({ result }: Entry) => results.moveArchive(result.eventId, result.archiveKey, target);
  const moves = await mapPatiently(moving, MOVES_AT_ONCE, move, patience);
  for (const outcome of moves) if (outcome.kind === "failed") throw outcome.error;

  const alerts: string[] = [];
  const lines = pending.map((entry) => {
    const line = entry.line();
    if (isAlert(entry.result.decision.band)) alerts.push(line);
    return line;
  });
  // The archive object comes last: its existence says that the copies exist too. A crash in between and a bisected range
  // may copy an event twice; the copies are for people, only the archive is loaded.
  const [copies, body] = await Promise.all([alerts.length > 0 ? gzipLines(alerts) : null, gzipLines(lines)]);
  if (copies !== null) await objects.putIfAbsent(inArea(target, "high-risk"), copies);
  await objects.putIfAbsent(target, body);
}

async function freeKey(key: string, objects: ObjectStore): Promise<string> {
  let candidate = key;
  for (let number = 2; await objects.exists(candidate); number++) candidate = alternativeKey(key, number);
  return candidate;
}

/** Writes the quarantine object of a range; the warehouse tells lines apart by `source_position`. */
export async function quarantine(
  rejected: readonly Rejected[],
  key: string,
  profile: string,
  objects: ObjectStore,
): Promise<void> {
  if (rejected.length === 0) return;
  const lines = rejected.map(({ record, reason, detail, eventId, payload }) => {
    const line: QuarantineRecord = {
      source_position: record.position,
      source: "kinesis",
      profile,
      arrived_at: new Date(record.arrivedAtMs).toISOString(),
      reason,
      detail: fitBytes(detail),
      event_id: eventId,
      payload,
    };
    return storableText(JSON.stringify(line));
  });
  await objects.putIfAbsent(inArea(key, "quarantine"), await gzipLines(lines));
}
