import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { describeError, type Log } from "../shared/log";
import { packLines } from "../shared/ndjson";
import type { ObjectStore } from "../shared/object-store";
import { planObjects } from "./archive-messages";

export interface ArchiverArgs {
  readonly objects: ObjectStore;
  readonly log: Log;
}

export type ArchiverHandler = (event: SQSEvent) => Promise<SQSBatchResponse>;

/** SQS batch of scores → archive objects. Messages whose object could not be written are reported and delivered again. */
export function createArchiverHandler({ objects, log }: ArchiverArgs): ArchiverHandler {
  return async (event) => {
    const planned = planObjects(
      event.Records.map(({ messageId, body, attributes }) => ({
        id: messageId,
        body,
        sentAtMs: Number(attributes.SentTimestamp),
      })),
    );
    const failed = await Promise.all(
      planned.map(async ({ key, lines, messageIds }) => {
        try {
          const outcome = await objects.putIfAbsent(key, await packLines(lines));
          log.info("archived", { key, lines: lines.length, outcome });
          return [];
        } catch (error) {
          log.error("archive_failed", { key, messages: messageIds.length, ...describeError(error) });
          return messageIds;
        }
      }),
    );
    return { batchItemFailures: failed.flat().map((itemIdentifier) => ({ itemIdentifier })) };
  };
}
