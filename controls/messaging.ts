/** SNS topics and SQS queues. */
import type { GraphResource } from "@risk/program-graph";
import { at, type Control, field, isText, type ResourceGraph, refersTo, violation } from "./control";
import { deniesPlainHttp, type IamStatement, isPublic, parseJson, statementsOf } from "./documents";

const TOPIC = "aws:sns/topic:Topic";
const QUEUE = "aws:sqs/queue:Queue";

function statementsFor(resource: GraphResource, graph: ResourceGraph): readonly IamStatement[] {
  const policies =
    resource.type === TOPIC
      ? graph.referring("aws:sns/topicPolicy:TopicPolicy", "arn", resource)
      : graph.referring("aws:sqs/queuePolicy:QueuePolicy", "queueUrl", resource);
  return [resource, ...policies].flatMap(({ inputs }) => statementsOf(inputs.policy) ?? []);
}

const checkPublic: Control["check"] = (resource, graph) =>
  statementsFor(resource, graph)
    .filter(isPublic)
    .map(({ sid }) => `Access policy, ${sid}: anyone is allowed; name a principal, or add a condition on aws:SourceAccount.`);

const checkTls =
  (action: string, written: string): Control["check"] =>
  (resource, graph) =>
    deniesPlainHttp(statementsFor(resource, graph), action, [String(resource.state.arn)])
      ? []
      : [`The access policy allows plain HTTP; deny ${written} when aws:SecureTransport is "false".`];

/** Inputs of other resources that name a queue as their dead-letter queue. */
const LAST_RESORTS = [
  ["aws:cloudwatch/eventTarget:EventTarget", "deadLetterConfig.arn"],
  ["aws:lambda/function:Function", "deadLetterConfig.targetArn"],
  ["aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "destinationConfig.onFailure.destination"],
  ["aws:lambda/eventSourceMapping:EventSourceMapping", "destinationConfig.onFailure.destinationArn"],
] as const;

function isLastResort(queue: GraphResource, graph: ResourceGraph): boolean {
  const targets = graph.ofType(QUEUE).map(({ inputs }) => deadLetterTarget(inputs.redrivePolicy));
  return (
    targets.some((target) => refersTo(target, queue)) ||
    LAST_RESORTS.some(([type, path]) => graph.referring(type, path, queue).length > 0)
  );
}

const deadLetterTarget = (redrivePolicy: unknown): unknown =>
  typeof redrivePolicy === "string" ? at(parseJson(redrivePolicy), "deadLetterTargetArn") : undefined;

function checkDeadLetters(queue: GraphResource, graph: ResourceGraph): string[] {
  if (isText(deadLetterTarget(queue.inputs.redrivePolicy)) || isLastResort(queue, graph)) return [];
  return [violation("redrivePolicy", queue.inputs.redrivePolicy, "name a dead-letter queue and maxReceiveCount.")];
}

export const messagingControls: readonly Control[] = [
  {
    id: "SNS.1",
    title: "Topics are encrypted with KMS",
    appliesTo: [TOPIC],
    check: field("kmsMasterKeyId", isText, "set it to the ARN of a customer-managed key."),
  },
  { id: "SNS.4", title: "Topics are not public", appliesTo: [TOPIC], check: checkPublic },
  { id: "SNS3", title: "Topics refuse plain HTTP", appliesTo: [TOPIC], check: checkTls("sns:publish", "sns:Publish") },
  {
    id: "SQS.1",
    alsoKnownAs: ["SQS2"],
    title: "Queues are encrypted",
    appliesTo: [QUEUE],
    check: (queue, graph) =>
      queue.inputs.sqsManagedSseEnabled === true
        ? []
        : field("kmsMasterKeyId", isText, "set it to the ARN of a key, or sqsManagedSseEnabled to true.")(queue, graph),
  },
  { id: "SQS.3", title: "Queues are not public", appliesTo: [QUEUE], check: checkPublic },
  {
    id: "SQS3",
    title: "Queues have a dead-letter queue, or are one",
    appliesTo: [QUEUE],
    check: checkDeadLetters,
  },
  { id: "SQS4", title: "Queues refuse plain HTTP", appliesTo: [QUEUE], check: checkTls("sqs:sendmessage", "sqs:*") },
];
