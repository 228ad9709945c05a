/** What a training pipeline is made of. */
import type { JobArgs } from "@pulumi/aws/glue";
import type { StateMachineArgs } from "@pulumi/aws/sfn";
import type { DatasetDocument } from "../../functions/pipeline/dataset";
import type { PlatformContext } from "../shared/context";
import type { FunctionTransform } from "../shared/function";
import type { ModelStore } from "../shared/model-store";
import type { Naming } from "../shared/naming";
import type { GlueSize, WarehouseAccess } from "../shared/pipeline-glue-job";
import type { PipelineModels } from "../shared/pipeline-models";
import type { PipelineStore } from "../shared/pipeline-store";
import type { Transform } from "../shared/transform";

/** The machine that a model is trained on. */
export interface TrainingJob {
  /** Of a family with EBS volumes, since a local disk takes no key: `ml.m5.xlarge`. */
  readonly instanceType: string;
  /** Volume, GB, 1 to 16,384: the rows three times over. */
  readonly volumeGb: number;
  /** Minutes of work; SageMaker stops the job then. */
  readonly maxRuntimeMinutes: number;
  /** Spare capacity at up to 90 % less: the job may be interrupted, goes on from its checkpoint, and may wait for capacity. */
  readonly spot: { readonly enabled: false } | { readonly enabled: true; readonly maxWaitMinutes: number };
}

export interface TrainingPipelineArgs {
  readonly context: PlatformContext;
  readonly naming: Naming;
  readonly region: string;
  /** The bucket, the code in it and how Glue encrypts. */
  readonly store: PipelineStore;
  /** The platform's models: where a promotion puts the compiled model. */
  readonly modelStore: ModelStore;
  /** One group in the registry each, and one schedule but for those with files as their source, since somebody must name the file. */
  readonly datasets: readonly DatasetDocument[];
  /** The parameter of each dataset's profile. */
  readonly models: PipelineModels;
  /** Undefined: no dataset has the warehouse as its source. */
  readonly warehouse: WarehouseAccess | undefined;
  readonly bundles: {
    readonly plan: string;
    readonly qualityGate: string;
    readonly evaluationGate: string;
    readonly promotion: string;
  };
  /** EventBridge's cron in UTC: `cron(0 2 1,15 * ? *)`. */
  readonly schedule: string;
  /** False leaves the rules in place, disabled; executions by hand work as ever. */
  readonly scheduleEnabled: boolean;
  readonly glue: GlueSize;
  readonly training: TrainingJob;
  /** What the registry says that a version runs on, in batch and behind an endpoint. */
  readonly servingInstanceType: string;
  /** Share of traffic that a new model answers before it becomes champion, and for how long. 0 % scores in shadow only. */
  readonly canary: { readonly percent: number; readonly minutes: number };
  /** Namespace of the CloudWatch metrics of each profile, which the canary is judged by. */
  readonly metricNamespaces: Readonly<Record<string, string>>;
  /** Minutes after which a training that has ended counts as late. */
  readonly lateMinutes: number;
  /** False in accounts that cannot set executions aside. */
  readonly reserveConcurrency: boolean;
  readonly transform?: {
    readonly extractJob?: Transform<JobArgs>;
    readonly trainingMachine?: Transform<StateMachineArgs>;
    readonly promotionMachine?: Transform<StateMachineArgs>;
    readonly evaluationGate?: FunctionTransform;
  };
}
