/**
 * Lambda `evaluation-gate`: judges a trained model and writes its report.
 * Event: the training plan. Returns: {@link EvaluationResult}.
 * Environment: PIPELINE_BUCKET, MODEL_BUCKET, MODELS_PARAMETERS (JSON: SSM parameter by dataset); optional LOG_LEVEL (info).
 *
 * IAM actions of its role:
 *   s3:GetObject     on <PIPELINE_BUCKET>/config/datasets/* and models/*, and on <MODEL_BUCKET>/models/*
 *   s3:PutObject     on <PIPELINE_BUCKET>/models/* (report/ below a model's name)
 *   s3:ListBucket    on both buckets, so that a missing object is distinguished from a forbidden one
 *   ssm:GetParameter on the models parameters
 *   kms:Decrypt      on the keys of both buckets; kms:GenerateDataKey on that of PIPELINE_BUCKET
 */
import { models as validateModels } from "#validators";
import { createObjects, createParameters } from "../gates/common/adapters";
import { createEvaluationHandler, type EvaluationHandler } from "../gates/evaluation/handler";
import { createSsm, PATIENT } from "../shared/clients";
import { EnvReader } from "../shared/env";
import { createLog } from "../shared/log";
import { createS3 } from "../shared/s3-client";

function wire(): EvaluationHandler {
  const env = new EnvReader("evaluation-gate", process.env);
  const bucket = env.text("PIPELINE_BUCKET");
  const modelBucket = env.text("MODEL_BUCKET");
  const names = env.texts("MODELS_PARAMETERS");
  env.done();
  const s3 = createS3();
  return createEvaluationHandler({
    objects: createObjects(s3, bucket),
    modelObjects: createObjects(s3, modelBucket),
    models: { parameters: createParameters(createSsm(PATIENT)), names, validateModels },
    log: createLog(env.optional("LOG_LEVEL", "info"), { function: "evaluation-gate" }),
  });
}

export const handler: EvaluationHandler = wire();
