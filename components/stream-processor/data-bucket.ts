/** The bucket of archive, labels, quarantine and failed batches: how long each lives, and who is told about new objects. */
import { BucketNotification } from "@pulumi/aws/s3";
import type * as pulumi from "@pulumi/pulumi";
import { type LifecycleRule, PrivateBucket } from "../shared/bucket";
import type { ObjectQueue, StreamProcessorArgs } from "./args";

export function createDataBucket(
  instance: string,
  bucketName: string,
  { context, archiveExpiryDays, quarantineExpiryDays }: StreamProcessorArgs,
  parent: pulumi.Resource,
): PrivateBucket {
  return new PrivateBucket(
    `${instance}-data`,
    {
      bucketName,
      encryption: context.key,
      deletionProtection: context.deletionProtection,
      accessLogBucket: context.accessLogBucket,
      lifecycleRules: dataLifecycle(archiveExpiryDays, quarantineExpiryDays),
    },
    { parent },
  );
}

function dataLifecycle(archiveExpiryDays: number, quarantineExpiryDays: number): LifecycleRule[] {
  const archive = (prefix: string): LifecycleRule => ({
    id: prefix.replace("/", ""),
    status: "Enabled",
    filter: { prefix },
    transitions: [
      { days: 30, storageClass: "STANDARD_IA" },
      { days: 90, storageClass: "GLACIER_IR" },
    ],
    expiration: { days: archiveExpiryDays },
  });
  const expiring = (prefix: string): LifecycleRule => ({
    id: prefix.replaceAll("/", "-").replace(/-$/, ""),
    status: "Enabled",
    filter: { prefix },
    expiration: { days: quarantineExpiryDays },
  });
  return [
    archive("archive/"),
    archive("high-risk/"),
    // As long as the events that they are about.
    archive("labels/"),
    expiring("quarantine/"),
    expiring("aws/lambda/"),
    expiring("manifests/"),
  ];
}

/** A bucket has one notification configuration, so all listeners are declared here. */
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
    // S3 sends a test message at once, so every queue has to accept it by then.
    { parent, dependsOn: listeners.map(({ queue }) => queue.nodes.policy) },
  );
}
