/**
 * The messages of the event queue. EventBridge sends its envelope; POST /events and a redrive send a form of their own, which a producer of
 * EventBridge can't imitate: of an envelope it only decides what is inside the members.
 */
import type { EventSource } from "../shared/archive-line";
import { memberTexts } from "../shared/json-members";

export type QueueSource = Extract<EventSource, "eventbridge" | "rest">;

/** What one message holds. */
export interface QueueMessage {
  readonly source: QueueSource;
  /** Of EventBridge the envelope's id, which is the same when EventBridge delivers an event twice. */
  readonly id: string;
  /** The event's own JSON text, as its sender wrote it. */
  readonly event: string;
}

/** Names of positions: `rest:…` are messages of the archiver. */
const POSITIONS: Readonly<Record<QueueSource, string>> = { eventbridge: "eventbridge", rest: "events" };

/** Visible ASCII, so that a position can be an event's id. */
const ID = /^[!-~]{1,128}$/;

export const positionOf = ({ source, id }: Pick<QueueMessage, "source" | "id">): string => `${POSITIONS[source]}:${id}`;

/** Source and id of a position of the queue; null for the positions of other triggers. */
export function fromPosition(position: string): Pick<QueueMessage, "source" | "id"> | null {
  const colon = position.indexOf(":");
  const name = position.slice(0, colon);
  const id = position.slice(colon + 1);
  if (name === POSITIONS.eventbridge) return { source: "eventbridge", id };
  return name === POSITIONS.rest ? { source: "rest", id } : null;
}

/** The message for an event. @param message `event` must be JSON */
export const messageBody = ({ source, id, event }: QueueMessage): string =>
  `{"source":${JSON.stringify(source)},"id":${JSON.stringify(id)},"event":${carried(event)}}`;

/** With escapes for the two characters of JSON text that SQS refuses ("SendMessage", API reference); they only occur in strings. */
const carried = (json: string): string =>
  json.replace(/[\ufffe\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);

/** What a message holds, or null when it is neither form. */
export function readMessage(body: string): QueueMessage | null {
  const members = memberTexts(body);
  if (members === null) return null;
  const id = textOf(members.get("id"));
  if (id === null || !ID.test(id)) return null;
  const own = members.get("event");
  if (own !== undefined) {
    const source = textOf(members.get("source"));
    return source === "rest" || source === "eventbridge" ? { source, id, event: own } : null;
  }
  const detail = members.get("detail");
  return detail === undefined ? null : { source: "eventbridge", id, event: detail };
}

/** Value of JSON text that is a string. */
const textOf = (json: string | undefined): string | null => (json?.startsWith('"') ? String(JSON.parse(json)) : null);
