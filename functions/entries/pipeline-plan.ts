/**
 * Lambda `pipeline-plan`: checks what an execution was asked to do, and names everything that its states work on.
 * Event: `{pipeline, input, execution: {name, startTime}}`. Returns: {@link TrainingPlan} or {@link InferencePlan}.
 * Environment: PIPELINE_BUCKET, MODELS_PARAMETERS (JSON: SSM parameter by dataset); optional MAX_BACKFILL_DAYS (31), LOG_LEVEL (info).
 *
 * IAM actions of its role:
 *   s3:GetObject     on <PIPELINE_BUCKET>/config/datasets/*, training/source/* and models/*  (the latter two for HEAD only)
 *   s3:ListBucket    on <PIPELINE_BUCKET>, so that a missing object is distinguished from a forbidden one
 *   ssm:GetParameter on the models parameters
 *   kms:Decrypt      on the bucket's key
 */
import { models as validateModels } from "#validators";
import { createObjects, createParameters } from "../gates/common/adapters";
import { createPlanHandler, type PlanHandler } from "../gates/plan/handler";
import { createSsm, PATIENT } from "../shared/clients";
import { EnvReader } from "../shared/env";
import { createLog } from "../shared/log";
import { createS3 } from "../shared/s3-client";

function wire(): PlanHandler {
  const env = new EnvReader("pipeline-plan", process.env);
  const bucket = env.text("PIPELINE_BUCKET");
  const names = env.texts("MODELS_PARAMETERS");
  const maxDays = env.number("MAX_BACKFILL_DAYS", 31, 1, 1000);
  env.done();
  return createPlanHandler({
    objects: createObjects(createS3(), bucket),
    models: { parameters: createParameters(createSsm(PATIENT)), names, validateModels },
    maxDays,
    log: createLog(env.optional("LOG_LEVEL", "info"), { function: "pipeline-plan" }),
  });
}

export const handler: PlanHandler = wire();
