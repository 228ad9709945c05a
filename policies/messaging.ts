/** SNS topics and SQS queues. */
import type { GraphResource } from "../local/graph";
import { deniesPlainHttp, isPublic, type PolicyStatement, parseJson, statementsOf } from "./documents";
import { at, field, isText, type PolicyGraph, type Rule, refersTo, violation } from "./rule";

const TOPIC = "aws:sns/topic:Topic";
const QUEUE = "aws:sqs/queue:Queue";

function statementsFor(resource: GraphResource, graph: PolicyGraph): readonly PolicyStatement[] {
  const policies =
    resource.type === TOPIC
      ? graph.referring("aws:sns/topicPolicy:TopicPolicy", "arn", resource)
      : graph.referring("aws:sqs/queuePolicy:QueuePolicy", "queueUrl", resource);
  return [resource, ...policies].flatMap(({ inputs }) => statementsOf(inputs.policy) ?? []);
}

const checkPublic: Rule["check"] = (resource, graph) =>
  statementsFor(resource, graph)
    .filter(isPublic)
    .map(({ sid }) => `Access policy, ${sid}: anyone is let in; name a principal, or add a condition on aws:SourceAccount.`);

const checkTls =
  (action: string, written: string): Rule["check"] =>
  (resource, graph) =>
    deniesPlainHttp(statementsFor(resource, graph), action, [String(resource.state.arn)])
      ? []
      : [`The access policy allows plain HTTP; deny ${written} when aws:SecureTransport is "false".`];

/** Where queues are named as the last resort of something else. */
const LAST_RESORTS = [
  ["aws:cloudwatch/eventTarget:EventTarget", "deadLetterConfig.arn"],
  ["aws:lambda/function:Function", "deadLetterConfig.targetArn"],
  ["aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "destinationConfig.onFailure.destination"],
  ["aws:lambda/eventSourceMapping:EventSourceMapping", "destinationConfig.onFailure.destinationArn"],
] as const;

function isLastResort(queue: GraphResource, graph: PolicyGraph): boolean {
  const targets = graph.ofType(QUEUE).map(({ inputs }) => deadLetterTarget(inputs.redrivePolicy));
  return (
    targets.some((target) => refersTo(target, queue)) ||
    LAST_RESORTS.some(([type, path]) => graph.referring(type, path, queue).length > 0)
  );
}

const deadLetterTarget = (redrivePolicy: unknown): unknown =>
  typeof redrivePolicy === "string" ? at(parseJson(redrivePolicy), "deadLetterTargetArn") : undefined;

function checkDeadLetters(queue: GraphResource, graph: PolicyGraph): string[] {
  if (isText(deadLetterTarget(queue.inputs.redrivePolicy)) || isLastResort(queue, graph)) return [];
  return [violation("redrivePolicy", queue.inputs.redrivePolicy, "name a dead-letter queue and maxReceiveCount.")];
}

export const messagingRules: readonly Rule[] = [
  {
    control: "SNS.1",
    title: "Topics are encrypted with KMS",
    appliesTo: [TOPIC],
    check: field("kmsMasterKeyId", isText, "set it to the ARN of a customer-managed key."),
  },
  { control: "SNS.4", title: "Topics are not public", appliesTo: [TOPIC], check: checkPublic },
  { control: "SNS3", title: "Topics refuse plain HTTP", appliesTo: [TOPIC], check: checkTls("sns:publish", "sns:Publish") },
  {
    control: "SQS.1",
    alsoKnownAs: ["SQS2"],
    title: "Queues are encrypted",
    appliesTo: [QUEUE],
    check: (queue, graph) =>
      queue.inputs.sqsManagedSseEnabled === true
        ? []
        : field("kmsMasterKeyId", isText, "set it to the ARN of a key, or sqsManagedSseEnabled to true.")(queue, graph),
  },
  { control: "SQS.3", title: "Queues are not public", appliesTo: [QUEUE], check: checkPublic },
  {
    control: "SQS3",
    title: "Queues have a dead-letter queue, or are one",
    appliesTo: [QUEUE],
    check: checkDeadLetters,
  },
  { control: "SQS4", title: "Queues refuse plain HTTP", appliesTo: [QUEUE], check: checkTls("sqs:sendmessage", "sqs:*") },
];
