import { type EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { type Backoff, DEFAULT_BACKOFF, pause } from "./backoff";

export interface BusEvent {
  /** JSON text of the detail. */
  readonly detail: string;
  readonly detailType: string;
  readonly time: Date;
}

export interface EventBus {
  /** Publishes every event; returns the indexes of those that were refused after retries (empty: all accepted). */
  publish(events: readonly BusEvent[]): Promise<readonly number[]>;
}

/** PutEvents: at most ten entries and 256 KB together. */
const ENTRIES_PER_CALL = 10;
const BYTES_PER_CALL = 256 * 1024;
/** The time of an entry counts 14 bytes (EventBridge user guide, "Calculating PutEvents event entry size"). */
const TIME_BYTES = 14;

interface Pending {
  readonly index: number;
  readonly bytes: number;
}

export function createEventBus(
  client: EventBridgeClient,
  busName: string,
  source: string,
  backoff: Backoff = DEFAULT_BACKOFF,
): EventBus {
  const send = async (events: readonly BusEvent[], batch: readonly Pending[]): Promise<Pending[]> => {
    const Entries = batch.map(({ index }) => {
      const event = events[index] as BusEvent;
      return { EventBusName: busName, Source: source, DetailType: event.detailType, Detail: event.detail, Time: event.time };
    });
    try {
      const answer = await client.send(new PutEventsCommand({ Entries }));
      return batch.filter((_, position) => answer.Entries?.[position]?.ErrorCode !== undefined);
    } catch {
      // The SDK has retried the call already; the entries stay pending, and the caller learns which.
      return [...batch];
    }
  };

  return {
    async publish(events) {
      let pending: Pending[] = events.map((event, index) => ({
        index,
        bytes: TIME_BYTES + Buffer.byteLength(source) + Buffer.byteLength(event.detailType) + Buffer.byteLength(event.detail),
      }));
      for (let attempt = 1; pending.length > 0; attempt++) {
        const refused = await Promise.all(chunk(pending).map((batch) => send(events, batch)));
        pending = refused.flat();
        if (attempt >= backoff.attempts) break;
        if (pending.length > 0) await pause(backoff, attempt);
      }
      return pending.map(({ index }) => index);
    },
  };
}

function chunk(pending: readonly Pending[]): Pending[][] {
  const chunks: Pending[][] = [];
  let current: Pending[] = [];
  let bytes = 0;
  for (const entry of pending) {
    if (current.length === ENTRIES_PER_CALL || (current.length > 0 && bytes + entry.bytes > BYTES_PER_CALL)) {
      chunks.push(current);
      current = [];
      bytes = 0;
    }
    current.push(entry);
    bytes += entry.bytes;
  }
  if (current.length > 0) chunks.push(current);
  return chunks;
}
