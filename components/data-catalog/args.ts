/** Arguments of a data catalog. */
import type { WorkgroupArgs } from "@pulumi/aws/athena";
import type { DatasetDocument } from "../../functions/gates/dataset";
import type { AnyProfile } from "../../functions/scoring/core/profile";
import type { PrivateBucket } from "../shared/bucket";
import type { PlatformContext } from "../shared/context";
import type { DataRetention } from "../shared/data-bucket";
import type { PipelineRetention } from "../shared/pipeline-store";
import type { Transform } from "../shared/transform";

/** What batch scoring reads and writes. */
export interface BatchFiles {
  /** Bucket of the pipelines. */
  readonly bucket: PrivateBucket;
  /** Each becomes a table of inputs, with its features as columns. */
  readonly datasets: readonly DatasetDocument[];
  /** Days that inputs and scores are kept. */
  readonly retentionDays: PipelineRetention["inferenceDataDays"];
}

/**
 * Arguments of a {@link DataCatalog}.
 * @example
 * new DataCatalog("catalog", { bucket: stream.dataBucket, profiles: [PROFILES.fraud] });
 */
export interface DataCatalogArgs {
  /**
   * Bucket of archive, labels and quarantine.
   * @example stream.dataBucket
   */
  readonly bucket: PrivateBucket;
  /**
   * Each becomes a table of its archived events: features differ from profile to profile.
   * @example [PROFILES.fraud, PROFILES.lead]
   */
  readonly profiles: readonly AnyProfile[];
  /**
   * How long the bucket keeps its objects; the tables have the days since then. Default: those of a stream processor's bucket.
   * @example { archiveDays: 2555 }
   */
  readonly retention?: Partial<DataRetention>;
  /**
   * Adds tables over the inputs and scores of batch scoring. Default: none.
   * @example { bucket: store.bucket, datasets, retentionDays: 90 }
   */
  readonly batch?: BatchFiles;
  /**
   * Megabytes (2^20 bytes) that one query may read before Athena cancels it, from 10 on; a terabyte costs $5. Default 10240.
   * @example 1024
   */
  readonly scanLimitMb?: number;
  /**
   * Days that results of queries are kept. Default 7.
   * @example 30
   */
  readonly resultDays?: number;
  /**
   * What is shared with other components: names, key, alarm topic, logs, protection. Default: each part that isn't
   * given is the component's own.
   * @example stream.context
   */
  readonly context?: Partial<PlatformContext>;
  /**
   * Has the last word on the inputs of single resources, except those that keep data safe. Default: none.
   * @example { workgroup: () => ({ state: "DISABLED" }) }
   */
  readonly transform?: {
    readonly workgroup?: Transform<WorkgroupArgs>;
  };
}
