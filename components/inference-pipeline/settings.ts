/** The complete settings of an inference pipeline: defaults are filled in, values checked, and missing parts created. */
import type * as pulumi from "@pulumi/pulumi";
import { currentAccount } from "../shared/account";
import { platformContext } from "../shared/context";
import { checkSources, GLUE, type Schedule } from "../shared/pipeline-args";
import { modelsOf } from "../shared/pipeline-models";
import type { Backfill, InferencePipelineArgs, TransformJob } from "./args";

const SCHEDULE: Schedule = { cron: "cron(0 3 * * ? *)", enabled: true };
const TRANSFORM_JOB: TransformJob = { instanceType: "ml.m5.xlarge", instanceCount: 1, timeoutMinutes: 120 };
const BACKFILL: Backfill = { maxDays: 31, concurrency: 3 };
const LATE_MINUTES = 180;

export type InferenceSettings = ReturnType<typeof inferenceSettings>;

export function inferenceSettings(instance: string, args: InferencePipelineArgs, parent: pulumi.Resource) {
  const { datasets, served, store } = args;
  checkSources(`InferencePipeline "${instance}"`, args);
  const models = modelsOf(`InferencePipeline "${instance}"`, datasets, served);
  const backfill = { ...BACKFILL, ...args.backfill };
  checkBackfill(instance, backfill);
  return {
    context: platformContext(instance, args.context, parent),
    account: currentAccount(parent),
    datasets,
    models,
    store,
    warehouse: args.warehouse,
    glue: { ...GLUE, ...args.glue },
    schedule: { ...SCHEDULE, ...args.schedule },
    transformJob: { ...TRANSFORM_JOB, ...args.transformJob },
    backfill,
    lateMinutes: args.lateMinutes ?? LATE_MINUTES,
    transform: args.transform ?? {},
  };
}

function checkBackfill(instance: string, { maxDays, concurrency }: Backfill): void {
  const bad = [
    ...(concurrency < 1 || concurrency > 40
      ? [`args.backfill.concurrency: expected 1 to 40 (what an inline Map runs at once), got ${concurrency}`]
      : []),
    // The history of one execution holds at most 25,000 events; a day takes about fifty.
    ...(maxDays < 1 || maxDays > 366 ? [`args.backfill.maxDays: expected 1 to 366, got ${maxDays}`] : []),
  ];
  if (bad.length > 0) throw new Error(`InferencePipeline "${instance}": ${bad.join("; ")}.`);
}
