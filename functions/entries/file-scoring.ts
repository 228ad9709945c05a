/**
 * Objects under incoming/ → fraud scores. Environment: FILE_QUEUE_URL, and that of `functions/stream/wire-scorer.ts`, with its permissions; besides,
 * - sqs:ReceiveMessage, DeleteMessage, ChangeMessageVisibility, GetQueueAttributes and SendMessage on the queue
 * - s3:GetObject and GetObjectVersion on DATA_BUCKET/incoming/*, GetObject on DATA_BUCKET/files/*, PutObject on DATA_BUCKET/{files,results}/*
 */
import { createSqs } from "../shared/clients";
import { EnvReader } from "../shared/env";
import { createS3 } from "../shared/s3-client";
import { createRecordScorer } from "../stream/score-records";
import { wireScorer } from "../stream/wire-scorer";
import { createAnnouncements, createContinuation, createIncomingFiles, createJournal } from "../stream-files/adapters";
import { createFileHandler, type FileHandler } from "../stream-files/handler";

/** As many as a stream's batch has by default. */
const ROWS_PER_BATCH = 1000;
/** For reading the next rows, and for the checkpoint. */
const RESERVE_MS = 30_000;
const CHECKPOINT_EVERY_MS = 30_000;

function wire(): FileHandler {
  const env = new EnvReader("file-scoring", process.env);
  const values = { queue: env.text("FILE_QUEUE_URL"), bucket: env.text("DATA_BUCKET") };
  env.done();
  const args = wireScorer("file-scoring");
  const s3 = createS3();
  return createFileHandler({
    profile: args.profile,
    score: createRecordScorer(args),
    files: createIncomingFiles(s3, values.bucket),
    journal: createJournal(s3, values.bucket),
    continuation: createContinuation(createSqs(), values.queue),
    announcements: createAnnouncements(args.ports.alerts, args.clock),
    clock: args.clock,
    log: args.log,
    rowsPerBatch: ROWS_PER_BATCH,
    reserveMs: args.reserveMs + RESERVE_MS,
    checkpointEveryMs: CHECKPOINT_EVERY_MS,
  });
}

export const handler: FileHandler = wire();
