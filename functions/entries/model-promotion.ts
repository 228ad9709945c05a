/**
 * Lambda `model-promotion`: compiles an approved model, runs it as a canary, checks its health, and makes it the champion.
 * Event: `{action: "convert" | "canary" | "check" | "flip", dataset, modelName, convert?}`. Returns: {@link PromotionResult}.
 * Environment: PIPELINE_BUCKET, MODEL_BUCKET, MODELS_PARAMETERS (JSON: SSM parameter by dataset), CANARY_PERCENT (0 to 100);
 * optional METRIC_NAMESPACES (JSON: CloudWatch namespace by profile; without it metrics are not checked) with ENVIRONMENT (the
 * dimension `Environment` of the stack's metrics), LOG_LEVEL (info).
 *
 * IAM actions of its role:
 *   s3:GetObject     on <PIPELINE_BUCKET>/config/datasets/* and models/*, and on <MODEL_BUCKET>/models/*
 *   s3:PutObject     on <MODEL_BUCKET>/models/*
 *   s3:ListBucket    on both buckets, so that a missing object is distinguished from a forbidden one
 *   ssm:GetParameter, ssm:PutParameter on the models parameters
 *   cloudwatch:GetMetricData on * (it has no resources), with METRIC_NAMESPACES
 *   kms:Decrypt      on the keys of both buckets; kms:GenerateDataKey on that of MODEL_BUCKET
 */
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { models as validateModels } from "#validators";
import { createObjects, createParameters } from "../gates/common/adapters";
import { createPromotionHandler, type PromotionHandler } from "../gates/promotion/handler";
import { createHealthReader } from "../gates/promotion/health";
import { BULK, clientConfig, createSsm, PATIENT } from "../shared/clients";
import { EnvReader } from "../shared/env";
import { createLog } from "../shared/log";
import { createS3 } from "../shared/s3-client";

function wire(): PromotionHandler {
  const env = new EnvReader("model-promotion", process.env);
  const bucket = env.text("PIPELINE_BUCKET");
  const modelBucket = env.text("MODEL_BUCKET");
  const names = env.texts("MODELS_PARAMETERS");
  // No default: the stack decides how much traffic a new model may answer on its own.
  env.text("CANARY_PERCENT");
  const canaryPercent = env.number("CANARY_PERCENT", 0, 0, 100);
  const reported =
    env.optional("METRIC_NAMESPACES", "") === ""
      ? undefined
      : { environment: env.text("ENVIRONMENT"), namespaces: env.texts("METRIC_NAMESPACES") };
  env.done();
  const s3 = createS3();
  return createPromotionHandler({
    objects: createObjects(s3, bucket),
    modelObjects: createObjects(s3, modelBucket),
    models: { parameters: createParameters(createSsm(PATIENT)), names, validateModels },
    canaryPercent,
    health: createHealthReader(() => new CloudWatchClient(clientConfig(BULK)), reported, Date.now),
    log: createLog(env.optional("LOG_LEVEL", "info"), { function: "model-promotion" }),
  });
}

export const handler: PromotionHandler = wire();
