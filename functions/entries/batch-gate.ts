/**
 * Lambda `batch-gate`: checks a day's extract, and sums up the days of an inference execution.
 * Event: `{action: "inspect", day}` or `{action: "summary", dataset, modelName, days}`. Returns: {@link Inspection} or {@link Summary}.
 * Environment: PIPELINE_BUCKET; optional LOG_LEVEL (info).
 *
 * IAM actions of its role:
 *   s3:GetObject  on <PIPELINE_BUCKET>/config/datasets/* and inference/input/*
 *   s3:ListBucket on <PIPELINE_BUCKET>, so that a missing object is distinguished from a forbidden one
 *   kms:Decrypt   on the bucket's key
 */

import { type BatchHandler, createBatchHandler } from "../gates/batch/handler";
import { createObjects } from "../gates/common/adapters";
import { EnvReader } from "../shared/env";
import { createLog } from "../shared/log";
import { createS3 } from "../shared/s3-client";

function wire(): BatchHandler {
  const env = new EnvReader("batch-gate", process.env);
  const bucket = env.text("PIPELINE_BUCKET");
  env.done();
  return createBatchHandler({
    objects: createObjects(createS3(), bucket),
    log: createLog(env.optional("LOG_LEVEL", "info"), { function: "batch-gate" }),
  });
}

export const handler: BatchHandler = wire();
