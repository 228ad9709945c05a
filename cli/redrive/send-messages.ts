/** Puts raw records into the event queue again: those of EventBridge and of POST /events, and rows of files where there is no stream. */
import type { SQSClient } from "@aws-sdk/client-sqs";
import { sha256 } from "../../functions/scoring/core/hash";
import { DEFAULT_BACKOFF } from "../../functions/shared/backoff";
import { createQueueSender } from "../../functions/shared/queue-sender";
import { fromPosition, messageBody, positionOf, type QueueMessage } from "../../functions/stream/queue-message";
import type { RedriveClock } from "./clock";
import { RedriveFailure } from "./failure";
import type { Put } from "./put-records";
import type { RawRecord } from "./raw-records";

/** How often a message is offered. */
const MAX_ATTEMPTS = 8;

export const isOfQueue = ({ position }: RawRecord): boolean => fromPosition(position) !== null;

/**
 * @param runId becomes part of each record's position, so that it can be told from the one that was quarantined
 * @throws RedriveFailure if the queue keeps refusing; then some may have been sent, and all are sent again by the next redrive
 */
export async function sendMessages(
  sqs: SQSClient,
  queueUrl: string,
  records: readonly RawRecord[],
  runId: string,
  clock: RedriveClock,
): Promise<Put[]> {
  const messages = records.map((record) => messageOf(record, runId));
  const sleep = async (milliseconds: number) => {
    await clock.pause(milliseconds);
  };
  const sender = createQueueSender(sqs, queueUrl, { ...DEFAULT_BACKOFF, attempts: MAX_ATTEMPTS, capMs: 5_000, sleep });
  const refused = await sender.send(messages.map(messageBody));
  if (refused.length > 0) throw new RedriveFailure(`The event queue refused ${refused.length} records ${MAX_ATTEMPTS} times.`);
  return records.map((record, index) => ({ record, position: positionOf(messages[index] as QueueMessage) }));
}

/** With the id that it came with, which an earlier redrive may have added to. Rows of files get one made of their position. */
export function messageOf({ position, data }: Pick<RawRecord, "position" | "data">, runId: string): QueueMessage {
  const { source, id } = fromPosition(position) ?? { source: "eventbridge" as const, id: sha256(position).slice(0, 32) };
  const text = Buffer.from(data).toString();
  const [original = id] = id.split("/");
  return { source, id: `${original}/${runId}`, event: isJson(text) ? text : JSON.stringify(text) };
}

/** What arrived without an envelope may be no JSON; as text it is refused by the schema instead. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
