/**
 * Lambda `data-quality-gate`: judges the statistics of an extracted training set.
 * Event: the training plan. Returns: {@link QualityResult}. Environment: PIPELINE_BUCKET; optional LOG_LEVEL (info).
 *
 * IAM actions of its role:
 *   s3:GetObject  on <PIPELINE_BUCKET>/config/datasets/* and training/data/*
 *   s3:ListBucket on <PIPELINE_BUCKET>, so that a missing object is distinguished from a forbidden one
 *   kms:Decrypt   on the bucket's key
 */
import { createObjects } from "../gates/common/adapters";
import { createQualityHandler, type QualityHandler } from "../gates/quality/handler";
import { EnvReader } from "../shared/env";
import { createLog } from "../shared/log";
import { createS3 } from "../shared/s3-client";

function wire(): QualityHandler {
  const env = new EnvReader("data-quality-gate", process.env);
  const bucket = env.text("PIPELINE_BUCKET");
  env.done();
  return createQualityHandler({
    objects: createObjects(createS3(), bucket),
    log: createLog(env.optional("LOG_LEVEL", "info"), { function: "data-quality-gate" }),
  });
}

export const handler: QualityHandler = wire();
