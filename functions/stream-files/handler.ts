import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { describeError, type Log } from "../shared/log";
import type { InvocationContext } from "../stream/score-records";
import { readMessage } from "./message";
import { type ProcessFileArgs, processFile } from "./process-file";

export interface FileHandlerArgs extends ProcessFileArgs {
  readonly log: Log;
}

export type FileHandler = (event: SQSEvent, context: InvocationContext) => Promise<SQSBatchResponse>;

/**
 * Messages of the queue of files → `ReportBatchItemFailures`. A message is S3's notification of a new object, or the rest of a file. A
 * message that fails is delivered again, and goes on from the file's checkpoint.
 */
export function createFileHandler({ log, ...args }: FileHandlerArgs): FileHandler {
  return async (event, context) => {
    const failed: string[] = [];
    for (const { messageId, body } of event.Records) {
      try {
        for (const file of readMessage(body)) {
          const progress = await processFile(file, context, args);
          log.info("file", { key: file.key, progress });
          if (progress === "stuck") failed.push(messageId);
        }
      } catch (error) {
        log.error("file_failed", { messageId, ...describeError(error) });
        failed.push(messageId);
      }
    }
    return { batchItemFailures: [...new Set(failed)].map((itemIdentifier) => ({ itemIdentifier })) };
  };
}
