/**
 * SQS batch of score events → archive objects. Environment: ARCHIVE_BUCKET, RAW_BUCKET; optional LOG_LEVEL (info).
 *
 * The role needs, besides writing its own log group and reading its queue (sqs:ReceiveMessage, DeleteMessage,
 * GetQueueAttributes):
 * - s3:PutObject on ARCHIVE_BUCKET/archive/* and ARCHIVE_BUCKET/quarantine/*
 * - kms:GenerateDataKey and kms:Decrypt on the bucket's key, where it has its own
 * - s3:PutObject on RAW_BUCKET/quarantine/*, and kms:GenerateDataKey on its key
 */
import { type ArchiverHandler, createArchiverHandler } from "../archiver/handler";
import { EnvReader } from "../shared/env";
import { createLog } from "../shared/log";
import { createObjectStore } from "../shared/object-store";
import { createS3 } from "../shared/s3-client";

function wire(): ArchiverHandler {
  const env = new EnvReader("score-archiver", process.env);
  const bucket = env.text("ARCHIVE_BUCKET");
  const rawBucket = env.text("RAW_BUCKET");
  env.done();
  const s3 = createS3();
  return createArchiverHandler({
    objects: createObjectStore(s3, bucket),
    raw: createObjectStore(s3, rawBucket),
    log: createLog(env.optional("LOG_LEVEL", "info"), { function: "score-archiver" }),
  });
}

export const handler: ArchiverHandler = wire();
