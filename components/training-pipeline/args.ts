/** Arguments of a training pipeline. */
import type { JobArgs } from "@pulumi/aws/glue";
import type { StateMachineArgs } from "@pulumi/aws/sfn";
import type { FunctionTransform } from "../shared/function";
import type { PipelineArgs, Schedule } from "../shared/pipeline-args";
import type { PipelineStore } from "../shared/pipeline-store";
import type { Transform } from "../shared/transform";

/** The machine that a model is trained on. */
export interface TrainingJob {
  /** From a family with EBS volumes, since a local disk can't use a key. Default `ml.m5.xlarge`. */
  readonly instanceType: string;
  /** Size of the volume in GB, 1 to 16,384: three times the rows. Default 30. */
  readonly volumeGb: number;
  /** Minutes of work, after which SageMaker stops the job. Default 120. */
  readonly maxRuntimeMinutes: number;
  /**
   * Spot capacity at up to 90 % less: the job may be interrupted, continues from its checkpoint, and may wait for capacity.
   * `maxWaitMinutes` limits work and wait together. Default: not enabled.
   */
  readonly spot: { readonly enabled: false } | { readonly enabled: true; readonly maxWaitMinutes: number };
}

/** How a new model is tried out before it becomes champion. */
export interface Canary {
  /** Percentage of traffic that it answers meanwhile; 0 only scores in shadow. Default 10. */
  readonly percent: number;
  /** Minutes that it is watched. Default 30. */
  readonly minutes: number;
}

/**
 * Arguments of a {@link TrainingPipeline}.
 * @example
 * new TrainingPipeline("training", { datasets: [device], served: api.served });
 */
export interface TrainingPipelineArgs extends PipelineArgs {
  /**
   * The pipelines' bucket, the code in it and Glue's encryption; batch scoring needs the same one. Default: one of its own.
   * @example new PipelineStore("pipelines", { context, datasets })
   */
  readonly store?: PipelineStore;
  /**
   * When models are trained. Default: at 2 a.m. UTC on the 1st and 15th, `cron(0 2 1,15 * ? *)`.
   * @example { cron: "cron(0 2 ? * SUN *)" }
   */
  readonly schedule?: Partial<Schedule>;
  /**
   * The machine that a model is trained on. Default: an `ml.m5.xlarge` with 30 GB for at most two hours, without spot capacity.
   * @example { spot: { enabled: true, maxWaitMinutes: 240 } }
   */
  readonly training?: Partial<TrainingJob>;
  /**
   * The instance type that the registry lists for a version, in batch and behind an endpoint. Default: `ml.m5.xlarge`.
   * @example "ml.m5.large"
   */
  readonly servingInstanceType?: string;
  /**
   * How a new model is tried out before it becomes champion. Default: it answers 10 % for 30 minutes.
   * @example { percent: 0, minutes: 1440 }
   */
  readonly canary?: Partial<Canary>;
  /**
   * Minutes after which a training counts as late: when it ends, an alarm is raised. Default 360.
   * @example 120
   */
  readonly lateMinutes?: number;
  /**
   * Has the last word on the inputs of single resources, except those that keep data safe. Default: none.
   * @example { extractJob: () => ({ timeout: 30 }) }
   */
  readonly transform?: {
    readonly extractJob?: Transform<JobArgs>;
    readonly trainingMachine?: Transform<StateMachineArgs>;
    readonly promotionMachine?: Transform<StateMachineArgs>;
    readonly evaluationGate?: FunctionTransform;
  };
}
