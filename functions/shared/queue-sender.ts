import { SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { type Backoff, DEFAULT_BACKOFF } from "./backoff";
import { sendInBatches } from "./send-in-batches";

export interface QueueSender {
  /** Sends every message; returns the indexes of those that were refused after retries (empty: all accepted). */
  send(bodies: readonly string[]): Promise<readonly number[]>;
}

/** SendMessageBatch: at most ten messages, and 1 MiB for one of them as well as for all ("SendMessageBatch", API reference). */
const PER_CALL = { entries: 10, bytes: 1024 * 1024 };

export function createQueueSender(client: SQSClient, queueUrl: string, backoff: Backoff = DEFAULT_BACKOFF): QueueSender {
  return {
    send(bodies) {
      const sizes = bodies.map((body) => Buffer.byteLength(body));
      return sendInBatches(sizes, PER_CALL, backoff, async (indexes) => {
        const Entries = indexes.map((index) => ({ Id: String(index), MessageBody: bodies[index] as string }));
        try {
          const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
          return Failed.map(({ Id }) => Number(Id));
        } catch {
          // The SDK has retried the call already; the caller learns which messages weren't taken.
          return indexes;
        }
      });
    },
  };
}
