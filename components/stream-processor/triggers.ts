/** The ways in that the arguments name: each is a file of its own, and a new one is a member here. */
import type * as pulumi from "@pulumi/pulumi";
import { createRule, type EventBridgeNodes, senderOf, sendToQueue } from "./eventbridge-trigger";
import { createFirehoseTrigger, type FirehoseNodes } from "./firehose-trigger";
import { createKinesisTrigger, type KinesisNodes } from "./kinesis-trigger";
import { createQueueTrigger, type QueueNodes } from "./queue-trigger";
import { createS3Trigger, type S3Nodes } from "./s3-trigger";
import type { ScorerResources } from "./scorer";
import type { StreamSettings } from "./settings";

export interface TriggerNodes {
  readonly kinesis: KinesisNodes | undefined;
  readonly eventBridge: EventBridgeNodes | undefined;
  readonly firehose: FirehoseNodes | undefined;
  /** Of EventBridge and REST. */
  readonly queue: QueueNodes | undefined;
  readonly s3: S3Nodes | undefined;
}

export function createTriggers(
  instance: string,
  settings: StreamSettings,
  resources: ScorerResources,
  parent: pulumi.Resource,
): TriggerNodes {
  const { kinesis, eventBridge, firehose, rest, s3 } = settings.triggers;
  const stream = kinesis && createKinesisTrigger(instance, kinesis, settings, resources, parent);
  const rule = eventBridge && createRule(instance, eventBridge, settings, parent);
  const senders = rule === undefined ? [] : [senderOf(rule)];
  const queue = rule !== undefined || rest ? createQueueTrigger(instance, senders, settings, resources, parent) : undefined;
  if (rule !== undefined && queue !== undefined) sendToQueue(instance, rule, queue.queue, parent);
  const files = s3 && createS3Trigger(instance, s3, settings, resources, parent);
  const delivery = firehose && createFirehoseTrigger(instance, firehose, settings, resources, parent);
  return { kinesis: stream, eventBridge: rule, firehose: delivery, queue, s3: files };
}
