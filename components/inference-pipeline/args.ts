/** Arguments of an inference pipeline. */
import type { JobArgs } from "@pulumi/aws/glue";
import type { StateMachineArgs } from "@pulumi/aws/sfn";
import type { PipelineArgs, Schedule } from "../shared/pipeline-args";
import type { PipelineStore } from "../shared/pipeline-store";
import type { Transform } from "../shared/transform";

/** The machines that score a day. */
export interface TransformJob {
  /** From a family with EBS volumes. Default `ml.m5.xlarge`. */
  readonly instanceType: string;
  /** Machines that share a day's files, 1 to 100. Default 1. */
  readonly instanceCount: number;
  /** Minutes that one day's jobs may take. Default 120. */
  readonly timeoutMinutes: number;
}

/** How many days one execution may score. */
export interface Backfill {
  /** Total number of days, 1 to 366. Default 31. */
  readonly maxDays: number;
  /** Days processed at once, 1 to 40: limits Glue workers and transform machines. Default 3. */
  readonly concurrency: number;
}

/**
 * Arguments of an {@link InferencePipeline}.
 * @example
 * new InferencePipeline("inference", { datasets: [device], served: api.served, store: training.store });
 */
export interface InferencePipelineArgs extends PipelineArgs {
  /**
   * The bucket of the training pipeline, which holds the models that score in batch.
   * @example training.store
   */
  readonly store: PipelineStore;
  /**
   * When yesterday is scored. Default: at three every night, `cron(0 3 * * ? *)`.
   * @example { enabled: false }
   */
  readonly schedule?: Partial<Schedule>;
  /**
   * The machines that score a day. Default: one `ml.m5.xlarge`, two hours at most.
   * @example { instanceCount: 4 }
   */
  readonly transformJob?: Partial<TransformJob>;
  /**
   * How many days one execution may score. Default: 31, three at once.
   * @example { maxDays: 366, concurrency: 10 }
   */
  readonly backfill?: Partial<Backfill>;
  /**
   * Minutes after which an execution counts as late: when it ends, an alarm is raised. Default 180.
   * @example 60
   */
  readonly lateMinutes?: number;
  /**
   * Has the last word on the inputs of single resources, except those that keep data safe. Default: none.
   * @example { machine: () => ({ name: "nightly-scores" }) }
   */
  readonly transform?: {
    readonly extractJob?: Transform<JobArgs>;
    readonly loadJob?: Transform<JobArgs>;
    readonly machine?: Transform<StateMachineArgs>;
  };
}
