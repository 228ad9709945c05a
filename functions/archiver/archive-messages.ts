import type { ArchiveRecord } from "../scoring/core/archive-record";
import { sha256 } from "../scoring/core/hash";
import { keyProblem } from "../scoring/core/key-text";
import { dateOf, objectKey } from "../shared/object-keys";
import type { QuarantinedRecord } from "../shared/quarantine";
import { storableText } from "../shared/storable";

/** One message of the queue: an EventBridge envelope as text. */
export interface Message {
  readonly id: string;
  readonly body: string;
  /** When the queue received it, in ms. */
  readonly sentAtMs: number;
}

/** One object to write, and the messages that are done once it has been written. */
export type PlannedObject = PlannedScores | PlannedQuarantine;

interface Planned {
  readonly key: string;
  readonly messageIds: readonly string[];
}

export interface PlannedScores extends Planned {
  readonly lines: readonly string[];
}

/** Messages that hold no score. */
export interface PlannedQuarantine extends Planned {
  readonly records: readonly QuarantinedRecord[];
}

/** What each message adds to one object, with the id that is unique there. */
type Group<T> = { readonly id: string; readonly messageId: string; readonly content: T }[];

/**
 * Groups messages into one archive object per profile and day, and one quarantine object per day for messages that hold no score. Keys
 * are hashes of the events in the object: the same batch always gives the same objects. When messages come back in a different
 * batch, lines are repeated, and the warehouse merges them by `event_id`.
 */
export function planObjects(messages: readonly Message[]): readonly PlannedObject[] {
  const scores = new Map<string, Group<string>>();
  const unreadable = new Map<string, Group<QuarantinedRecord>>();
  for (const message of messages) {
    const { id: messageId } = message;
    const record = readRecord(message.body);
    if (typeof record === "string") {
      addTo(unreadable, dateOf(message.sentAtMs), { id: messageId, messageId, content: quarantined(message, record) });
    } else {
      const content = storableText(JSON.stringify(record));
      addTo(scores, `${record.profile}/${record.scored_at.slice(0, 10)}`, { id: record.event_id, messageId, content });
    }
  }
  return [
    ...[...scores].map(([name, group]): PlannedScores => {
      const [profile, date] = name.split("/") as [string, string];
      const { contents, ...object } = planned("archive", profile, date, group);
      return { ...object, lines: contents };
    }),
    ...[...unreadable].map(([date, group]): PlannedQuarantine => {
      const { contents, ...object } = planned("quarantine", "rest", date, group);
      return { ...object, records: contents };
    }),
  ];
}

function addTo<T>(groups: Map<string, Group<T>>, name: string, entry: Group<T>[number]): void {
  const group = groups.get(name);
  if (group === undefined) groups.set(name, [entry]);
  else group.push(entry);
}

/** Each event once, in an order that doesn't depend on that of the messages. */
function planned<T>(area: "archive" | "quarantine", profile: string, date: string, group: Group<T>) {
  const sorted = group.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const distinct = sorted.filter(({ id }, index) => index === 0 || sorted[index - 1]?.id !== id);
  const name = `scores_${sha256(distinct.map(({ id }) => id).join("\n")).slice(0, 32)}`;
  return {
    key: objectKey(area, profile, date, name),
    contents: distinct.map(({ content }) => content),
    messageIds: group.map(({ messageId }) => messageId),
  };
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

function quarantined({ id, body, sentAtMs }: Message, detail: string): QuarantinedRecord {
  return {
    position: `rest:${id}`,
    source: "rest",
    profile: "rest",
    arrivedAtMs: sentAtMs,
    reason: "invalid_envelope",
    detail,
    eventId: null,
    bytes: Buffer.from(body),
    partitionKey: null,
  };
}
