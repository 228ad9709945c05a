/** The functions of batch scoring: the plan, and the gate that checks each day and sums up. */
import type * as pulumi from "@pulumi/pulumi";
import { PlatformFunction } from "../shared/function";
import { planFunction } from "../shared/pipeline-plan";
import type { InferenceSettings } from "./settings";

/** A manifest and a list of days. */
export const GATE_TIMEOUT_SECONDS = 60;

export interface InferenceFunctions {
  readonly plan: PlatformFunction;
  readonly batchGate: PlatformFunction;
}

export function createFunctions(instance: string, settings: InferenceSettings, parent: pulumi.Resource): InferenceFunctions {
  return { plan: createPlan(instance, settings, parent), batchGate: createBatchGate(instance, settings, parent) };
}

function createPlan(
  instance: string,
  { context, account, store, models, backfill, datasets }: InferenceSettings,
  parent: pulumi.Resource,
): PlatformFunction {
  return planFunction(
    `${instance}-plan`,
    {
      context,
      account,
      store,
      models,
      description: "Plans batch scoring: days, model and prefixes",
      maxBackfillDays: backfill.maxDays,
      // Finds out whether the champion has an archive that a transform can run.
      reads: ["models/"],
      reservedConcurrency: Math.max(2, datasets.length),
    },
    parent,
  );
}

function createBatchGate(
  instance: string,
  { context, store, backfill, datasets }: InferenceSettings,
  parent: pulumi.Resource,
): PlatformFunction {
  return new PlatformFunction(
    `${instance}-batch-gate`,
    {
      ...context,
      description: "Looks at what a day's extract found, and sums up an execution",
      entry: "batch-gate",
      callbackFactory: () => require("./bundles/batch-gate/index.js").handler,
      memoryMb: 256,
      timeoutSeconds: GATE_TIMEOUT_SECONDS,
      reservedConcurrency: backfill.concurrency * datasets.length,
      environment: { PIPELINE_BUCKET: store.bucketName, LOG_LEVEL: "info" },
      permissions: store.bucket.readStatements(["config/datasets/", "inference/input/"]),
    },
    { parent },
  );
}
