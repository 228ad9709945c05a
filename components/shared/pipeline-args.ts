/** Arguments that training and batch scoring have in common. */
import type { DatasetDocument } from "../../functions/gates/dataset";
import type { PlatformContext } from "./context";
import type { ServedProfile } from "./models-parameter";
import type { GlueSize, WarehouseAccess } from "./pipeline-glue-job";

export interface Schedule {
  /** EventBridge's cron expression in UTC. Default: see the argument. */
  readonly cron: string;
  /** False leaves the rules in place but disabled; executions on demand still work. Default true. */
  readonly enabled: boolean;
}

export interface PipelineArgs {
  /**
   * What models learn from and score in batch, at least one. Each gets a schedule, except those with files as their source, since
   * somebody must name the file.
   * @example [datasets({ fraudMaturityDays: 30, device: null }).fraud]
   */
  readonly datasets: readonly DatasetDocument[];
  /**
   * How the profiles of the datasets are scored in real time: batch scoring uses the same champion, and a promotion changes it.
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
   * Needed for datasets whose source or sink is the warehouse. Default: there are none.
   * @example warehouse.batchAccess()
   */
  readonly warehouse?: WarehouseAccess;
  /**
   * Machines of the Glue jobs. Default: two G.1X workers ($0.88 an hour) for at most an hour.
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

/** Two workers with 4 vCPU and 16 GB each, for at most an hour. */
export const GLUE: GlueSize = { workerType: "G.1X", workers: 2, timeoutMinutes: 60 };
