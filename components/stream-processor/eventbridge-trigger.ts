/** Events of EventBridge: a rule with the user's own pattern, on a bus of the component's own or an existing one. */
import { type EventBus, EventRule, EventTarget } from "@pulumi/aws/cloudwatch";
import * as pulumi from "@pulumi/pulumi";
import { accountBus } from "../shared/account-bus";
import type { EncryptedQueue, QueueSender } from "../shared/queue";
import { DELIVERY_RETRIES } from "../shared/score-bus";
import type { EventBridgeTrigger } from "./args";
import type { StreamSettings } from "./settings";

export interface EventBridgeNodes {
  /** Undefined for an existing bus. */
  readonly bus: EventBus | undefined;
  readonly rule: EventRule;
  /** Name or ARN. */
  readonly busName: pulumi.Output<string>;
}

export function createRule(
  instance: string,
  { busName: given, pattern }: EventBridgeTrigger,
  { context, profile }: StreamSettings,
  parent: pulumi.Resource,
): EventBridgeNodes {
  const description = `Events that ${profile.id} scores`;
  const bus = given === undefined ? accountBus(`${instance}-incoming`, { description, key: context.key }, parent) : undefined;
  const busName = bus?.name ?? pulumi.output(given ?? "");
  const rule = new EventRule(
    `${instance}-incoming-rule`,
    { eventBusName: busName, description, eventPattern: JSON.stringify(pattern) },
    { parent },
  );
  return { bus, rule, busName };
}

export const senderOf = ({ rule }: EventBridgeNodes): QueueSender => ({
  service: "events.amazonaws.com",
  sourceArns: [rule.arn],
});

export function sendToQueue(
  instance: string,
  { rule, busName }: EventBridgeNodes,
  queue: EncryptedQueue,
  parent: pulumi.Resource,
): EventTarget {
  const undelivered = queue.deadLetterQueue;
  return new EventTarget(
    `${instance}-incoming-target`,
    {
      rule: rule.name,
      eventBusName: busName,
      arn: queue.arn,
      ...(undelivered ? { deadLetterConfig: { arn: undelivered.arn } } : {}),
      retryPolicy: DELIVERY_RETRIES,
    },
    { parent, dependsOn: [queue.nodes.policy, ...(undelivered ? [undelivered.nodes.policy] : [])] },
  );
}
