/** Where the warehouse reads from: other components' data buckets, or a bucket of its own. */
import * as pulumi from "@pulumi/pulumi";
import { TARGETS } from "../../functions/loader/targets";
import { type Account, currentAccount } from "../shared/account";
import type { PrivateBucket } from "../shared/bucket";
import { createDataBucket, DATA_RETENTION } from "../shared/data-bucket";
import type { WarehouseSettings } from "./settings";

/** Folders of a data bucket whose objects are loaded: `archive`, `quarantine`, … */
export const LOADED_FOLDERS: readonly string[] = TARGETS.map(({ prefix }) => prefix.slice(0, -1));

export interface ArchiveSources {
  readonly bucketArns: readonly pulumi.Output<string>[];
  /** Name of the bucket whose `manifests/` the loader writes and COPY reads. */
  readonly manifestBucket: pulumi.Input<string>;
  /** ARN pattern of the manifests. */
  readonly manifests: pulumi.Output<string>;
  /** The warehouse's own bucket, whose notifications still have to be set up. */
  readonly own: PrivateBucket | undefined;
}

export function createSources(
  instance: string,
  names: readonly [string, ...string[]] | undefined,
  { context }: WarehouseSettings,
  parent: pulumi.Resource,
): ArchiveSources {
  if (names !== undefined) return { ...archiveSources(names, currentAccount(parent)), own: undefined };
  const own = createDataBucket(instance, { context, retention: DATA_RETENTION }, parent);
  return { ...archiveSources([own.bucketName], currentAccount(parent)), own };
}

/** Built from physical names, since a bucket that announces its objects to the warehouse is created after it. */
function archiveSources(
  buckets: readonly [pulumi.Input<string>, ...pulumi.Input<string>[]],
  { partition }: Account,
): Omit<ArchiveSources, "own"> {
  const arn = (bucket: pulumi.Input<string>) => pulumi.interpolate`arn:${partition}:s3:::${bucket}`;
  return {
    bucketArns: buckets.map(arn),
    manifestBucket: buckets[0],
    manifests: pulumi.interpolate`${arn(buckets[0])}/manifests/*`,
  };
}
