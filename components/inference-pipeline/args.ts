/** What an inference pipeline is made of. */
import type { JobArgs } from "@pulumi/aws/glue";
import type { StateMachineArgs } from "@pulumi/aws/sfn";
import type { PipelineArgs, Schedule } from "../shared/pipeline-args";
import type { PipelineStore } from "../shared/pipeline-store";
import type { Transform } from "../shared/transform";

/** The machines that score a day. */
export interface TransformJob {
  /** Of a family with EBS volumes. Default `ml.m5.xlarge`. */
  readonly instanceType: string;
  /** Machines that share the files of a day, 1 to 100. Default 1. */
  readonly instanceCount: number;
  /** Minutes that the jobs of one day may take. Default 120. */
  readonly timeoutMinutes: number;
}

/** How many days one execution may score. */
export interface Backfill {
  /** Days in all, 1 to 366. Default 31. */
  readonly maxDays: number;
  /** Days in work at once, 1 to 40: bounds Glue workers and transform machines. Default 3. */
  readonly concurrency: number;
}

/**
 * Arguments of an {@link InferencePipeline}.
 * @example
 * new InferencePipeline("inference", { datasets, served: [stream.served], store: training.store });
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
   * Minutes after which an execution that has ended counts as late and raises an alarm. Default 180.
   * @example 60
   */
  readonly lateMinutes?: number;
  /**
   * Last word on inputs of single resources; what keeps data safe can't be changed by it. Default: none.
   * @example { machine: () => ({ name: "nightly-scores" }) }
   */
  readonly transform?: {
    readonly extractJob?: Transform<JobArgs>;
    readonly loadJob?: Transform<JobArgs>;
    readonly machine?: Transform<StateMachineArgs>;
  };
}
