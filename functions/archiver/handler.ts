import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { describeError, type Log } from "../shared/log";
import { packLines } from "../shared/ndjson";
import { type QuarantineStores, quarantine } from "../shared/quarantine";
import { type PlannedObject, planObjects } from "./archive-messages";

export interface ArchiverArgs extends QuarantineStores {
  readonly log: Log;
}

export type ArchiverHandler = (event: SQSEvent) => Promise<SQSBatchResponse>;

/** SQS batch of scores → archive objects. Messages whose object could not be written are reported and delivered again. */
export function createArchiverHandler({ log, ...stores }: ArchiverArgs): ArchiverHandler {
  return async (event) => {
    const planned = planObjects(
      event.Records.map(({ messageId, body, attributes }) => ({
        id: messageId,
        body,
        sentAtMs: Number(attributes.SentTimestamp),
      })),
    );
    const failed = await Promise.all(
      planned.map(async (object) => {
        const { key, messageIds } = object;
        try {
          await write(object, stores);
          log.info("archived", { key, messages: messageIds.length });
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

async function write(planned: PlannedObject, stores: QuarantineStores): Promise<void> {
  if ("records" in planned) await quarantine(planned.records, planned.key, stores);
  else await stores.objects.putIfAbsent(planned.key, packLines(planned.lines));
}
