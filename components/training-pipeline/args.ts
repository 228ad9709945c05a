/** What a training pipeline is made of. */
import type { JobArgs } from "@pulumi/aws/glue";
import type { StateMachineArgs } from "@pulumi/aws/sfn";
import type { FunctionTransform } from "../shared/function";
import type { PipelineArgs, Schedule } from "../shared/pipeline-args";
import type { PipelineStore } from "../shared/pipeline-store";
import type { Transform } from "../shared/transform";

/** The machine that a model is trained on. */
export interface TrainingJob {
  /** Of a family with EBS volumes, since a local disk takes no key. Default `ml.m5.xlarge`. */
  readonly instanceType: string;
  /** Volume, GB, 1 to 16,384: the rows three times over. Default 30. */
  readonly volumeGb: number;
  /** Minutes of work; SageMaker stops the job then. Default 120. */
  readonly maxRuntimeMinutes: number;
  /**
   * Spare capacity at up to 90 % less: the job may be interrupted, goes on from its checkpoint, and may wait for capacity; `maxWaitMinutes`
   * is work and wait together. Default: not enabled.
   */
  readonly spot: { readonly enabled: false } | { readonly enabled: true; readonly maxWaitMinutes: number };
}

/** How a new model is tried before it becomes champion. */
export interface Canary {
  /** Share of traffic that it answers meanwhile, percent; 0 scores in shadow only. Default 10. */
  readonly percent: number;
  /** Minutes that it is watched. Default 30. */
  readonly minutes: number;
}

/**
 * Arguments of a {@link TrainingPipeline}.
 * @example
 * new TrainingPipeline("training", { datasets, served: [stream.served] });
 */
export interface TrainingPipelineArgs extends PipelineArgs {
  /**
   * The bucket of the pipelines, the code in it and how Glue encrypts; batch scoring needs the same. Default: one of its own.
   * @example new PipelineStore("pipelines", { context, datasets })
   */
  readonly store?: PipelineStore;
  /**
   * When models are trained. Default: at two in the night of the 1st and 15th, `cron(0 2 1,15 * ? *)`.
   * @example { cron: "cron(0 2 ? * SUN *)" }
   */
  readonly schedule?: Partial<Schedule>;
  /**
   * The machine that a model is trained on. Default: an `ml.m5.xlarge` with 30 GB, two hours at most, no spare capacity.
   * @example { spot: { enabled: true, maxWaitMinutes: 240 } }
   */
  readonly training?: Partial<TrainingJob>;
  /**
   * What the registry says that a version runs on, in batch and behind an endpoint. Default: `ml.m5.xlarge`.
   * @example "ml.m5.large"
   */
  readonly servingInstanceType?: string;
  /**
   * How a new model is tried before it becomes champion. Default: it answers 10 % for 30 minutes.
   * @example { percent: 0, minutes: 1440 }
   */
  readonly canary?: Partial<Canary>;
  /**
   * Minutes after which a training that has ended counts as late and raises an alarm. Default 360.
   * @example 120
   */
  readonly lateMinutes?: number;
  /**
   * Last word on inputs of single resources; what keeps data safe can't be changed by it. Default: none.
   * @example { extractJob: () => ({ timeout: 30 }) }
   */
  readonly transform?: {
    readonly extractJob?: Transform<JobArgs>;
    readonly trainingMachine?: Transform<StateMachineArgs>;
    readonly promotionMachine?: Transform<StateMachineArgs>;
    readonly evaluationGate?: FunctionTransform;
  };
}
