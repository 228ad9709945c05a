/**
 * POST /feedback → labels object. Environment: LABEL_BUCKET, METRIC_NAMESPACE, ENVIRONMENT; optional LOG_LEVEL (info).
 *
 * The role needs, besides writing its own log group:
 * - s3:PutObject on LABEL_BUCKET/labels/*
 * - kms:GenerateDataKey and kms:Decrypt on the bucket's key, where it has its own
 */
import { feedback } from "#validators";
import { createFeedbackHandler } from "../rest/feedback";
import type { RestHandler } from "../rest/route";
import { FAST } from "../shared/clients";
import { systemClock } from "../shared/clock";
import { EnvReader } from "../shared/env";
import { createLog } from "../shared/log";
import { createMetrics } from "../shared/metrics";
import { createObjectStore } from "../shared/object-store";
import { createS3 } from "../shared/s3-client";

function wire(): RestHandler {
  const env = new EnvReader("feedback", process.env);
  const bucket = env.text("LABEL_BUCKET");
  const namespace = env.text("METRIC_NAMESPACE");
  const environment = env.text("ENVIRONMENT");
  env.done();
  return createFeedbackHandler({
    validate: feedback,
    objects: createObjectStore(createS3(FAST), bucket),
    clock: systemClock,
    log: createLog(env.optional("LOG_LEVEL", "info"), { function: "feedback" }),
    metrics: createMetrics(namespace, { Environment: environment, Route: "feedback" }, systemClock),
  });
}

export const handler: RestHandler = wire();
