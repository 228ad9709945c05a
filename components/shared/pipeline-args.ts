/** What training and batch scoring are told alike. */
import type { DatasetDocument } from "../../functions/gates/dataset";
import type { PlatformContext } from "./context";
import type { ServedProfile } from "./models-parameter";
import type { GlueSize, WarehouseAccess } from "./pipeline-glue-job";

export interface Schedule {
  /** EventBridge's cron in UTC. Default: the one named above. */
  readonly cron: string;
  /** False leaves the rules in place, disabled; executions by hand work as ever. Default true. */
  readonly enabled: boolean;
}

export interface PipelineArgs {
  /**
   * What models learn from and score in batch, at least one. Each gets a schedule, but for those with files as their source, since
   * somebody must name the file.
   * @example [datasets({ fraudMaturityDays: 30, device: null }).fraud]
   */
  readonly datasets: readonly DatasetDocument[];
  /**
   * How the profiles of the datasets are scored in real time: the same champion scores in batch, and is what a promotion changes.
   * @example [...api.served, stream.served]
   */
  readonly served: readonly ServedProfile[];
  /**
   * What is shared with other components: names, key, alarm topic, logs, protection. Default: each part that isn't
   * given is the component's own.
   * @example stream.context
   */
  readonly context?: Partial<PlatformContext>;
  /**
   * For datasets with the warehouse as their source or sink. Default: there are none.
   * @example warehouse.batchAccess()
   */
  readonly warehouse?: WarehouseAccess;
  /**
   * Machines of the Glue jobs. Default: two G.1X workers ($0.88 an hour), an hour at most.
   * @example { workers: 4 }
   */
  readonly glue?: Partial<GlueSize>;
}

/**
 * @param pipeline for messages: `TrainingPipeline "training"`
 * @throws Error when a dataset reads the warehouse and there is none
 */
export function checkSources(pipeline: string, { datasets, warehouse }: PipelineArgs): void {
  const names = datasets.filter(({ source }) => source.kind === "warehouse").map(({ name }) => name);
  if (warehouse !== undefined || names.length === 0) return;
  throw new Error(
    `${pipeline}: args.warehouse must be there for ${names.join(", ")}, whose source is the warehouse. Pass warehouse.batchAccess() of a ` +
      "RiskWarehouse with an exchangeBucket.",
  );
}

/** Two workers of 4 vCPU and 16 GB, an hour at most. */
export const GLUE: GlueSize = { workerType: "G.1X", workers: 2, timeoutMinutes: 60 };
