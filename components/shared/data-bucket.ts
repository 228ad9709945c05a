/** The bucket of archive, labels and quarantine: how long each is kept, and which queues are notified of new objects. */
import { BucketNotification } from "@pulumi/aws/s3";
import type * as pulumi from "@pulumi/pulumi";
import { FAILED_DELIVERIES } from "../../functions/shared/object-keys";
import { type LifecycleRule, PrivateBucket } from "./bucket";
import type { PlatformContext } from "./context";
import type { EncryptedQueue } from "./queue";

export interface DataBucketArgs {
  readonly context: PlatformContext;
  /** Physical name. Default: chosen by Pulumi. */
  readonly bucketName?: pulumi.Input<string>;
  readonly retention: DataRetention;
  /** Prefixes of objects that are kept as long as quarantine. Default none. */
  readonly expiring?: readonly string[];
  /** Days for which records are kept that a delivery stream gave up, as they were sent. Default: there is no delivery stream. */
  readonly failedDays?: number;
}

/** How long objects are kept, in days. */
export interface DataRetention {
  /** Archive, high-risk copies, labels and decision generations; over 90, since cheaper storage classes start after 30 and 90 days. Default 730. */
  readonly archiveDays: number;
  /** Lines of quarantine, and manifests. Default 30. */
  readonly quarantineDays: number;
}

/** Two years of history for training and replays; a month to look into failures. */
export const DATA_RETENTION: DataRetention = { archiveDays: 730, quarantineDays: 30 };

/** A queue that is notified of new objects in a data bucket. */
export interface ObjectQueue {
  readonly id: string;
  readonly queue: EncryptedQueue;
  readonly prefix: string;
  readonly suffix: string;
}

export function createDataBucket(
  instance: string,
  { context, bucketName, retention, expiring = [], failedDays }: DataBucketArgs,
  parent: pulumi.Resource,
): PrivateBucket {
  return new PrivateBucket(
    `${instance}-data`,
    {
      ...(bucketName === undefined ? {} : { bucketName }),
      encryption: context.key,
      deletionProtection: context.deletionProtection,
      accessLogBucket: context.accessLogBucket,
      lifecycleRules: [...dataLifecycle(retention, expiring), ...(failedDays === undefined ? [] : [expiringRaw(failedDays)])],
    },
    { parent },
  );
}

function dataLifecycle({ archiveDays, quarantineDays }: DataRetention, prefixes: readonly string[]): LifecycleRule[] {
  const archive = (prefix: string): LifecycleRule => ({
    id: prefix.replace("/", ""),
    status: "Enabled",
    filter: { prefix },
    transitions: [
      { days: 30, storageClass: "STANDARD_IA" },
      { days: 90, storageClass: "GLACIER_IR" },
    ],
    expiration: { days: archiveDays },
  });
  const expiring = (prefix: string): LifecycleRule => ({
    id: prefix.replaceAll("/", "-").replace(/-$/, ""),
    status: "Enabled",
    filter: { prefix },
    expiration: { days: quarantineDays },
  });
  return [
    archive("archive/"),
    archive("high-risk/"),
    // As long as the events that they belong to.
    archive("labels/"),
    archive("generations/"),
    expiring("quarantine/"),
    expiring("manifests/"),
    ...prefixes.map(expiring),
  ];
}

/** Raw personal data: expired means gone, where other objects' old versions are kept for a month. */
const expiringRaw = (days: number): LifecycleRule => ({
  id: "failed",
  status: "Enabled",
  filter: { prefix: FAILED_DELIVERIES },
  expiration: { days },
  noncurrentVersionExpiration: { noncurrentDays: 1 },
});

/** A bucket has only one notification configuration, so all queues are declared here. */
export function announceObjects(
  instance: string,
  bucket: PrivateBucket,
  listeners: readonly ObjectQueue[],
  parent: pulumi.Resource,
): void {
  new BucketNotification(
    `${instance}-notifications`,
    {
      bucket: bucket.bucketName,
      queues: listeners.map(({ id, queue, prefix, suffix }) => ({
        id,
        queueArn: queue.arn,
        events: ["s3:ObjectCreated:*"],
        filterPrefix: prefix,
        ...(suffix === "" ? {} : { filterSuffix: suffix }),
      })),
    },
    // S3 sends a test message at once, so every queue has to accept messages by then.
    { parent, dependsOn: listeners.map(({ queue }) => queue.nodes.policy) },
  );
}
