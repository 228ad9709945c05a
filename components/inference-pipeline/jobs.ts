/** The Glue jobs of batch scoring: one extracts a day's rows, the other loads its scores. */
import type * as pulumi from "@pulumi/pulumi";
import { GlueJob, type GlueJobArgs } from "../shared/pipeline-glue-job";
import type { InferenceSettings } from "./settings";

export interface InferenceJobs {
  readonly extractJob: GlueJob;
  readonly loadJob: GlueJob;
}

export function createJobs(instance: string, settings: InferenceSettings, parent: pulumi.Resource): InferenceJobs {
  const { context, account, store, glue, warehouse, backfill, datasets, transform } = settings;
  const maxConcurrentRuns = backfill.concurrency * datasets.length;
  const common = { context, account, store, size: glue, warehouse, maxConcurrentRuns };
  const job = (name: string, args: Omit<GlueJobArgs, keyof typeof common>) =>
    new GlueJob(`${instance}-${name}`, { ...common, ...args }, { parent });
  return {
    extractJob: job("extract", {
      description: "Extracts a day's rows for batch scoring",
      script: "extract_inference_data.py",
      reads: ["training/source/"],
      replaces: ["inference/input/", "temp/"],
      ...(transform.extractJob ? { transform: transform.extractJob } : {}),
    }),
    loadJob: job("load", {
      description: "Loads a day's scores",
      script: "load_scores.py",
      reads: ["inference/input/", "inference/output/"],
      replaces: ["inference/scores/", "temp/"],
      ...(transform.loadJob ? { transform: transform.loadJob } : {}),
    }),
  };
}
