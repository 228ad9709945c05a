/** Whether AWS delivers what the stack wires: each pair of service and resource against the policies of the resource and its key. */
import type { GraphResource } from "../local/contracts.js";
import { type Policy, parsePolicy } from "../local/gateway/policy";
import { type Place, refusalOf, type ServiceDelivery } from "../local/gateway/service-access";
import type { TargetKind } from "../local/gateway/service-pairs";
import { parseJson } from "./documents";
import { at, isRecord, isText, listAt, type PolicyGraph, type Rule, refersTo } from "./rule";

const RULE = "aws:cloudwatch/eventRule:EventRule";
const TARGET = "aws:cloudwatch/eventTarget:EventTarget";
const ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm";
const BUS = "aws:cloudwatch/eventBus:EventBus";
const LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup";
const LOG_POLICY = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy";
const NOTIFICATION = "aws:s3/bucketNotification:BucketNotification";
const SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription";
const TOPIC = "aws:sns/topic:Topic";
const QUEUE = "aws:sqs/queue:Queue";
const FUNCTION = "aws:lambda/function:Function";
const MACHINE = "aws:sfn/stateMachine:StateMachine";
const KEY = "aws:kms/key:Key";

/** Where a target has its policies and its key. */
interface TargetType {
  readonly kind: TargetKind;
  readonly type: string;
  readonly keyPath: string;
  readonly documents: (target: GraphResource, graph: PolicyGraph) => readonly unknown[];
}

const policiesOf = (type: string, path: string): TargetType["documents"] => {
  return (target, graph) => [target, ...graph.referring(type, path, target)].map(({ inputs }) => inputs.policy);
};

/** By the service in the target's ARN. Targets that are reached with a role are the role's affair. */
const TARGETS: Readonly<Record<string, TargetType>> = {
  sns: { kind: "topic", type: TOPIC, keyPath: "kmsMasterKeyId", documents: policiesOf("aws:sns/topicPolicy:TopicPolicy", "arn") },
  sqs: {
    kind: "queue",
    type: QUEUE,
    keyPath: "kmsMasterKeyId",
    documents: policiesOf("aws:sqs/queuePolicy:QueuePolicy", "queueUrl"),
  },
  logs: {
    kind: "log group",
    type: LOG_GROUP,
    keyPath: "kmsKeyId",
    documents: (_, graph) => graph.ofType(LOG_POLICY).map(({ inputs }) => inputs.policyDocument),
  },
  lambda: {
    kind: "function",
    type: FUNCTION,
    keyPath: "kmsKeyArn",
    documents: (fn, graph) =>
      graph.referring("aws:lambda/permission:Permission", "function", fn).map(({ inputs }) => permissionDocument(inputs, fn)),
  },
};

/** A Lambda permission as the statement that it becomes. */
function permissionDocument(inputs: Readonly<Record<string, unknown>>, fn: GraphResource): object {
  const { principal, action, sourceArn, sourceAccount } = inputs;
  const Condition = {
    ...(isText(sourceArn) ? { ArnLike: { "aws:SourceArn": sourceArn } } : {}),
    ...(isText(sourceAccount) ? { StringEquals: { "aws:SourceAccount": sourceAccount } } : {}),
  };
  return {
    Statement: [{ Effect: "Allow", Principal: { Service: principal }, Action: action, Resource: fn.state.arn, Condition }],
  };
}

function merged(documents: readonly unknown[], name: string): Policy | undefined {
  const statements = documents
    .map((document) => (typeof document === "string" ? parseJson(document) : document))
    .filter(isRecord)
    .flatMap(({ Statement }) => (Array.isArray(Statement) ? Statement : [Statement]));
  return statements.length === 0 ? undefined : parsePolicy({ Statement: statements }, name);
}

function keyOf(keyId: unknown, graph: PolicyGraph): Pick<ServiceDelivery, "key"> {
  if (!isText(keyId)) return {};
  const key = graph.ofType(KEY).find((candidate) => refersTo(keyId, candidate));
  return { key: { arn: keyId, policy: key && merged([key.inputs.policy], `policy of the key ${key.name}`) } };
}

const placeOf = (arn: string): Place => {
  const [, , , region = "", accountId = ""] = arn.split(":");
  return { region, accountId };
};

/** A delivery to another resource: what stands in its way, and where the wiring names it. */
function refused(service: string, sourceArn: string, targetArn: unknown, path: string, graph: PolicyGraph): string[] {
  if (!isText(targetArn)) return [];
  const target = TARGETS[targetArn.split(":")[2] ?? ""];
  if (target === undefined) return [];
  const bare = targetArn.replace(/:\*$/, "");
  const resource = graph.ofType(target.type).find(({ state }) => state.arn === bare);
  if (resource === undefined)
    return [
      `${path} is ${targetArn}, which is no resource of the stack: its policies cannot be checked; name one of the stack's.`,
    ];
  const policy = merged(target.documents(resource, graph), `policy of ${resource.name}`);
  const key = keyOf(at(resource.inputs, target.keyPath), graph);
  const refusal = refusalOf({ service, target: target.kind, targetArn: bare, sourceArn, policy, ...key }, placeOf(bare));
  return refusal === undefined ? [] : [`${path}: ${refusal.message}`];
}

/** What a service keeps for itself under a key of the stack. */
function keyRefused(
  service: string,
  target: TargetKind,
  arn: string,
  keyId: unknown,
  path: string,
  graph: PolicyGraph,
): string[] {
  if (!isText(keyId)) return [];
  const delivery = { service, target, targetArn: arn, sourceArn: arn, policy: undefined, ...keyOf(keyId, graph) };
  const refusal = refusalOf(delivery, placeOf(arn));
  return refusal === undefined ? [] : [`${path}: ${refusal.message}`];
}

const checkTarget: Rule["check"] = ({ inputs }, graph) => {
  const rule = graph.ofType(RULE).find((candidate) => refersTo(inputs.rule, candidate));
  const source = String(rule?.state.arn ?? inputs.rule);
  const service = "events.amazonaws.com";
  // With a role of its own EventBridge delivers as the role.
  const direct = isText(inputs.roleArn) ? [] : refused(service, source, inputs.arn, "arn", graph);
  return [...direct, ...refused(service, source, at(inputs, "deadLetterConfig.arn"), "deadLetterConfig.arn", graph)];
};

const checkAlarm: Rule["check"] = ({ inputs, state }, graph) =>
  ["alarmActions", "okActions", "insufficientDataActions"].flatMap((path) =>
    listAt(inputs, path).flatMap((arn) => refused("cloudwatch.amazonaws.com", String(state.arn), arn, path, graph)),
  );

const checkNotification: Rule["check"] = ({ inputs }, graph) =>
  [
    ["queues", "queueArn"],
    ["topics", "topicArn"],
  ].flatMap(([list = "", field = ""]) =>
    listAt(inputs, list).flatMap((entry) =>
      refused("s3.amazonaws.com", `arn:aws:s3:::${String(inputs.bucket)}`, at(entry, field), `${list}.${field}`, graph),
    ),
  );

const checkSubscription: Rule["check"] = ({ inputs }, graph) => {
  const redrive = isText(inputs.redrivePolicy) ? at(parseJson(inputs.redrivePolicy), "deadLetterTargetArn") : undefined;
  const endpoint = inputs.protocol === "sqs" ? inputs.endpoint : undefined;
  const send = (arn: unknown, path: string) => refused("sns.amazonaws.com", String(inputs.topic), arn, path, graph);
  return [...send(endpoint, "endpoint"), ...send(redrive, "redrivePolicy.deadLetterTargetArn")];
};

const checkBus: Rule["check"] = ({ inputs, state }, graph) =>
  keyRefused("events.amazonaws.com", "event bus", String(state.arn), inputs.kmsKeyIdentifier, "kmsKeyIdentifier", graph);

const checkLogGroup: Rule["check"] = ({ inputs, state }, graph) => {
  const arn = String(state.arn);
  return keyRefused(`logs.${placeOf(arn).region}.amazonaws.com`, "log group", arn, inputs.kmsKeyId, "kmsKeyId", graph);
};

const checkMachine: Rule["check"] = ({ inputs, state }, graph) => {
  const level = at(inputs, "loggingConfiguration.level");
  if (level === undefined || level === "OFF") return [];
  const path = "encryptionConfiguration.kmsKeyId";
  return keyRefused("delivery.logs.amazonaws.com", "state machine", String(state.arn), at(inputs, path), path, graph);
};

const rule = (id: string, title: string, type: string, check: Rule["check"]): Rule => ({
  control: `Delivery.${id}`,
  title,
  appliesTo: [type],
  check,
});

export const serviceDeliveryRules: readonly Rule[] = [
  rule("targets", "Targets and their dead-letter queues let EventBridge in, and so do their keys", TARGET, checkTarget),
  rule("alarms", "Topics of alarms let CloudWatch in, and so do their keys", ALARM, checkAlarm),
  rule("notifications", "Queues and topics of buckets let S3 in, and so do their keys", NOTIFICATION, checkNotification),
  rule("subscriptions", "Subscribed queues let SNS in, and so do their keys", SUBSCRIPTION, checkSubscription),
  rule("buses", "The keys of buses let EventBridge in", BUS, checkBus),
  rule("logs", "The keys of log groups let CloudWatch Logs in", LOG_GROUP, checkLogGroup),
  rule("machines", "The keys of state machines let the delivery of their logs in", MACHINE, checkMachine),
];
