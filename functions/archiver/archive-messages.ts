import type { ArchiveRecord, QuarantineRecord } from "../scoring/core/archive-record";
import { sha256 } from "../scoring/core/hash";
import { keyProblem } from "../scoring/core/key-text";
import { dateOf, objectKey } from "../shared/object-keys";
import { base64Payload, storableText } from "../shared/storable";

/** One message of the queue: an EventBridge envelope as text. */
export interface Message {
  readonly id: string;
  readonly body: string;
  /** When the queue received it, in ms. */
  readonly sentAtMs: number;
}

/** One object to write, and the messages that are done once it has been written. */
export interface PlannedObject {
  readonly key: string;
  readonly lines: readonly string[];
  readonly messageIds: readonly string[];
}

/**
 * Groups messages into one archive object per profile and day, and one quarantine object for messages that hold no score. Keys
 * are hashes of the events in the object: the same batch always gives the same objects. When messages come back in a different
 * batch, lines are repeated, and the warehouse merges them by `event_id`.
 */
export function planObjects(messages: readonly Message[]): readonly PlannedObject[] {
  const groups = new Map<
    string,
    { area: "archive" | "quarantine"; profile: string; date: string; entries: [string, string, string][] }
  >();
  const add = (area: "archive" | "quarantine", profile: string, date: string, entry: [string, string, string]): void => {
    const name = `${area}/${profile}/${date}`;
    const group = groups.get(name) ?? { area, profile, date, entries: [] };
    group.entries.push(entry);
    groups.set(name, group);
  };
  for (const message of messages) {
    const record = readRecord(message.body);
    if (typeof record === "string") {
      const line = storableText(JSON.stringify(quarantined(message, record)));
      add("quarantine", "rest", dateOf(message.sentAtMs), [message.id, message.id, line]);
    } else {
      add("archive", record.profile, record.scored_at.slice(0, 10), [
        record.event_id,
        message.id,
        storableText(JSON.stringify(record)),
      ]);
    }
  }
  return [...groups.values()].map(({ area, profile, date, entries }) => {
    const sorted = entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
    const distinct = sorted.filter(([id], index) => index === 0 || sorted[index - 1]?.[0] !== id);
    const name = `scores_${sha256(distinct.map(([id]) => id).join("\n")).slice(0, 32)}`;
    return {
      key: objectKey(area, profile, date, name),
      lines: distinct.map(([, , line]) => line),
      messageIds: entries.map(([, messageId]) => messageId),
    };
  });
}

/** The archive record in an envelope's detail, or a sentence about what is wrong with it. */
function readRecord(body: string): ArchiveRecord | string {
  let envelope: unknown;
  try {
    envelope = JSON.parse(body);
  } catch {
    return "Expected an EventBridge event as JSON, got text that does not parse.";
  }
  const record = member(member(envelope, "detail"), "record");
  for (const name of ["event_id", "profile", "scored_at"]) {
    const value = member(record, name);
    if (typeof value !== "string" || value === "") return `Expected text at detail.record.${name}, got none.`;
  }
  const unfit = keyProblem(String(member(record, "event_id")));
  if (unfit !== null) return `detail.record.event_id: ${unfit}`;
  if (!/^[a-z][a-z0-9_]*$/.test(String(member(record, "profile")))) return "Expected a profile's id at detail.record.profile.";
  if (!/^\d{4}-\d{2}-\d{2}T/.test(String(member(record, "scored_at"))))
    return "Expected an ISO 8601 time at detail.record.scored_at.";
  // Only the scoring function may publish to the bus, and it writes ArchiveRecord; the members used here were just checked.
  return record as ArchiveRecord;
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function quarantined(message: Message, detail: string): QuarantineRecord {
  return {
    source_position: `rest:${message.id}`,
    source: "rest",
    profile: "rest",
    arrived_at: new Date(message.sentAtMs).toISOString(),
    reason: "invalid_envelope",
    detail,
    event_id: null,
    payload: base64Payload(Buffer.from(message.body)),
  };
}
