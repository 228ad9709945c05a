/** The stream, and the mapping that passes its records to the function. */
import { Stream, type StreamArgs } from "@pulumi/aws/kinesis";
import { EventSourceMapping, type EventSourceMappingArgs } from "@pulumi/aws/lambda";
import type * as pulumi from "@pulumi/pulumi";
import type { PlatformFunction } from "../shared/function";
import { withTransform } from "../shared/transform";
import type { StreamSettings } from "./settings";

export function createStream(
  instance: string,
  { context, names, capacity, trigger, transform }: StreamSettings,
  parent: pulumi.Resource,
): Stream {
  return new Stream(
    `${instance}-stream`,
    withTransform<StreamArgs, StreamArgs>(
      {
        name: names.stream,
        retentionPeriod: trigger.retentionHours,
        ...(capacity.mode === "provisioned"
          ? { shardCount: capacity.shards, streamModeDetails: { streamMode: "PROVISIONED" } }
          : { streamModeDetails: { streamMode: "ON_DEMAND" } }),
      },
      transform.stream,
      { encryptionType: "KMS", kmsKeyId: context.key.arn },
    ),
    { parent, protect: context.deletionProtection },
  );
}

export function createTrigger(
  instance: string,
  { trigger, raw, transform }: StreamSettings,
  stream: Stream,
  scorer: PlatformFunction,
  parent: pulumi.Resource,
): EventSourceMapping {
  return new EventSourceMapping(
    `${instance}-source`,
    withTransform<EventSourceMappingArgs, EventSourceMappingArgs>(
      {
        functionName: scorer.functionName,
        eventSourceArn: stream.arn,
        startingPosition: "TRIM_HORIZON",
        batchSize: trigger.batchSize,
        maximumBatchingWindowInSeconds: trigger.batchWindowSeconds,
        parallelizationFactor: trigger.parallelization,
        maximumRetryAttempts: trigger.maxRetries,
        maximumRecordAgeInSeconds: trigger.maxAgeSeconds,
      },
      transform.eventSource,
      {
        functionName: scorer.functionName,
        // One bad record never takes its batch with it, and a failed batch never disappears: S3 keeps the whole records.
        bisectBatchOnFunctionError: true,
        functionResponseTypes: ["ReportBatchItemFailures"],
        destinationConfig: { onFailure: { destinationArn: raw.bucketArn } },
        metricsConfig: { metrics: ["EventCount"] },
      },
    ),
    { parent, dependsOn: [scorer.policy] },
  );
}
