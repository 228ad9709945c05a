/** What an inference pipeline is made of. */
import type { JobArgs } from "@pulumi/aws/glue";
import type { StateMachineArgs } from "@pulumi/aws/sfn";
import type { DatasetDocument } from "../../functions/pipeline/dataset";
import type { PlatformContext } from "../shared/context";
import type { Naming } from "../shared/naming";
import type { GlueSize, WarehouseAccess } from "../shared/pipeline-glue-job";
import type { PipelineModels } from "../shared/pipeline-models";
import type { PipelineStore } from "../shared/pipeline-store";
import type { Transform } from "../shared/transform";

/** The machines that score a day. */
export interface TransformJob {
  /** Of a family with EBS volumes: `ml.m5.xlarge`. */
  readonly instanceType: string;
  /** Machines that share the files of a day, 1 to 100. */
  readonly instanceCount: number;
  /** Minutes that the jobs of one day may take. */
  readonly timeoutMinutes: number;
}

export interface InferencePipelineArgs {
  readonly context: PlatformContext;
  readonly naming: Naming;
  readonly region: string;
  readonly store: PipelineStore;
  /** One schedule each; those with files as their source have none, since somebody must name the file. */
  readonly datasets: readonly DatasetDocument[];
  /** The parameter of each dataset's profile: its champion scores the day. */
  readonly models: PipelineModels;
  /** Undefined: no dataset has the warehouse as its source or its sink. */
  readonly warehouse: WarehouseAccess | undefined;
  readonly bundles: { readonly plan: string; readonly batchGate: string };
  /** EventBridge's cron in UTC: `cron(0 3 * * ? *)`. */
  readonly schedule: string;
  /** False leaves the rules in place, disabled; executions by hand work as ever. */
  readonly scheduleEnabled: boolean;
  readonly glue: GlueSize;
  readonly transformJob: TransformJob;
  /** Days that one execution may score, 1 to 366. */
  readonly maxBackfillDays: number;
  /** Days of a backfill in work at once: bounds Glue workers and transform machines. */
  readonly mapConcurrency: number;
  /** Minutes after which an execution that has ended counts as late. */
  readonly lateMinutes: number;
  /** False in accounts that cannot set executions aside. */
  readonly reserveConcurrency: boolean;
  readonly transform?: {
    readonly extractJob?: Transform<JobArgs>;
    readonly loadJob?: Transform<JobArgs>;
    readonly machine?: Transform<StateMachineArgs>;
  };
}
