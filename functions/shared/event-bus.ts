import { type EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { type Backoff, DEFAULT_BACKOFF } from "./backoff";
import { sendInBatches } from "./send-in-batches";

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
const PER_CALL = { entries: 10, bytes: 256 * 1024 };
/** The time of an entry counts 14 bytes (EventBridge user guide, "Calculating PutEvents event entry size"). */
const TIME_BYTES = 14;

export function createEventBus(
  client: EventBridgeClient,
  busName: string,
  source: string,
  backoff: Backoff = DEFAULT_BACKOFF,
): EventBus {
  const sizeOf = ({ detail, detailType }: BusEvent): number =>
    TIME_BYTES + Buffer.byteLength(source) + Buffer.byteLength(detailType) + Buffer.byteLength(detail);
  return {
    publish: (events) =>
      sendInBatches(events.map(sizeOf), PER_CALL, backoff, async (indexes) => {
        const Entries = indexes.map((index) => {
          const { detail, detailType, time } = events[index] as BusEvent;
          return { EventBusName: busName, Source: source, DetailType: detailType, Detail: detail, Time: time };
        });
        try {
          const answer = await client.send(new PutEventsCommand({ Entries }));
          return indexes.filter((_, position) => answer.Entries?.[position]?.ErrorCode !== undefined);
        } catch {
          // The SDK has retried the call already; the entries stay pending, and the caller learns which.
          return indexes;
        }
      }),
  };
}
