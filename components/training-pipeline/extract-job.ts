import type * as pulumi from "@pulumi/pulumi";
import { GlueJob } from "../shared/pipeline-glue-job";
import type { TrainingSettings } from "./settings";

/** The Glue job that extracts a training set. */
export function createExtractJob(
  instance: string,
  { context, account, store, glue, datasets, warehouse, transform }: TrainingSettings,
  parent: pulumi.Resource,
): GlueJob {
  return new GlueJob(
    `${instance}-extract`,
    {
      context,
      account,
      store,
      description: "Extracts a training set",
      script: "extract_training_data.py",
      size: glue,
      maxConcurrentRuns: Math.max(2, datasets.length),
      reads: ["training/source/"],
      replaces: ["training/data/", "temp/"],
      warehouse,
      ...(transform.extractJob ? { transform: transform.extractJob } : {}),
    },
    { parent },
  );
}
