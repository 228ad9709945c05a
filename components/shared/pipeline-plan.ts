/** The function that turns an execution's input into names, dates and prefixes; each pipeline has its own, with its own permissions. */
import type * as pulumi from "@pulumi/pulumi";
import type { Account } from "./account";
import type { PlatformContext } from "./context";
import { PlatformFunction } from "./function";
import type { Statement } from "./iam";
import { modelsParametersJson, type PipelineModels, parameterStatement } from "./pipeline-models";
import type { PipelineStore } from "./pipeline-store";

/** A second for each of a few objects and parameters. */
export const PLAN_TIMEOUT_SECONDS = 30;

export interface PlanFunctionArgs {
  readonly context: PlatformContext;
  readonly account: Account;
  readonly store: PipelineStore;
  readonly models: PipelineModels;
  readonly description: string;
  /** Largest number of days of a backfill; unused in training. */
  readonly maxBackfillDays?: number;
  /** Prefixes that it reads besides the dataset documents and uploaded files. */
  readonly reads: readonly string[];
  readonly reservedConcurrency: number;
}

export function planFunction(name: string, args: PlanFunctionArgs, parent: pulumi.Resource): PlatformFunction {
  const { context, account, store, models, description, maxBackfillDays, reads, reservedConcurrency } = args;
  const permissions: Statement[] = [
    ...store.bucket.readStatements(["config/datasets/", "training/source/", ...reads]),
    parameterStatement("ReadModels", ["ssm:GetParameter"], models, account),
  ];
  return new PlatformFunction(
    name,
    {
      ...context,
      description,
      entry: "pipeline-plan",
      callbackFactory: () => require("./bundles/pipeline-plan/index.js").handler,
      memoryMb: 256,
      timeoutSeconds: PLAN_TIMEOUT_SECONDS,
      reservedConcurrency,
      environment: {
        PIPELINE_BUCKET: store.bucketName,
        MODELS_PARAMETERS: modelsParametersJson(models),
        ...(maxBackfillDays === undefined ? {} : { MAX_BACKFILL_DAYS: String(maxBackfillDays) }),
        LOG_LEVEL: "info",
      },
      permissions,
    },
    { parent },
  );
}
