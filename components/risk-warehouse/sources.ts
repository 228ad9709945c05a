import * as pulumi from "@pulumi/pulumi";
import type { Account } from "../shared/account";

/** Where the warehouse reads from. */
export interface ArchiveSources {
  readonly bucketArns: readonly pulumi.Output<string>[];
  /** Name of the bucket whose `manifests/` the loader writes and COPY reads. */
  readonly manifestBucket: string;
  /** ARN pattern of the manifests. */
  readonly manifests: pulumi.Output<string>;
}

/** From physical names, since a bucket that announces its objects to the warehouse is created after it. */
export function archiveSources(buckets: readonly [string, ...string[]], { partition }: Account): ArchiveSources {
  const arn = (bucket: string) => pulumi.interpolate`arn:${partition}:s3:::${bucket}`;
  return {
    bucketArns: buckets.map(arn),
    manifestBucket: buckets[0],
    manifests: pulumi.interpolate`${arn(buckets[0])}/manifests/*`,
  };
}
