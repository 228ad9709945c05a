import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { positionOf, readMessage } from "./queue-message";
import { createRecordScorer, type InvocationContext, type RecordScorer, type RecordScorerArgs } from "./score-records";
import type { RecordProblem, SourceRecord } from "./source-record";

export type QueueHandler = (event: SQSEvent, context: InvocationContext) => Promise<SQSBatchResponse>;

/** One event, and the messages that hold it: more than one when EventBridge, or a redrive, sent it twice. */
interface Delivered {
  readonly record: SourceRecord;
  readonly messageIds: string[];
}

/**
 * SQS batch → `ReportBatchItemFailures`: the messages from the first unfinished record on are delivered again. SQS doesn't halve batches,
 * so when a record makes the code fail, the batch is halved here until that record is alone.
 */
export function createQueueHandler(args: RecordScorerArgs): QueueHandler {
  const score = createRecordScorer(args);
  return async (event, context) => {
    const delivered = distinct(event.Records);
    const unfinished = await scoreHalves(delivered, score, context);
    return {
      batchItemFailures: unfinished.flatMap(({ messageIds }) => messageIds).map((itemIdentifier) => ({ itemIdentifier })),
    };
  };
}

/** @returns what isn't finished */
async function scoreHalves(
  delivered: readonly Delivered[],
  score: RecordScorer,
  context: InvocationContext,
): Promise<readonly Delivered[]> {
  const { done, fault } = await score(
    delivered.map(({ record }) => record),
    context,
  );
  if (fault === null) return delivered.slice(done);
  if (done > 0) return scoreHalves(delivered.slice(done), score, context);
  const middle = Math.ceil(delivered.length / 2);
  const first = await scoreHalves(delivered.slice(0, middle), score, context);
  return [...first, ...(await scoreHalves(delivered.slice(middle), score, context))];
}

/** Each event once: a batch holds no record twice. */
function distinct(messages: readonly SQSRecord[]): Delivered[] {
  const delivered = new Map<string, Delivered>();
  for (const message of messages) {
    const record = fromQueue(message);
    const known = delivered.get(record.position);
    if (known === undefined) delivered.set(record.position, { record, messageIds: [message.messageId] });
    else known.messageIds.push(message.messageId);
  }
  return [...delivered.values()];
}

export function fromQueue({ messageId, body, attributes, eventSourceARN }: SQSRecord): SourceRecord {
  const message = readMessage(body);
  const { source, id } = message ?? { source: "eventbridge" as const, id: messageId };
  return {
    source,
    position: positionOf({ source, id }),
    origin: eventSourceARN.slice(eventSourceARN.lastIndexOf(":") + 1),
    sequence: id,
    ordered: false,
    // The same at every delivery of the message. The envelope's own time is whatever its sender says.
    arrivedAtMs: Number(attributes.SentTimestamp),
    partitionKey: null,
    bytes: Buffer.from(message?.event ?? body),
    fault: message === null ? NO_ENVELOPE : null,
  };
}

const NO_ENVELOPE: RecordProblem = {
  reason: "invalid_envelope",
  detail: "Expected an EventBridge event as JSON, with an id and a detail, got something else.",
};
