/** Checks one delivery: a service, the resource that it acts for, and the resource that it reaches, against every policy that decides. */
import {
  findPair,
  type Place,
  type Policy,
  parsePolicy,
  refusalOf,
  type ServiceDelivery,
  type TargetKind,
  unknownPair,
} from "@risk/local-aws/permissions";
import type { GraphResource } from "@risk/program-graph";
import { isObject } from "../functions/scoring/core/json";
import { at, isText, type ResourceGraph, refersTo } from "./control";
import { parseJson } from "./documents";
import { roleFor, roleOf } from "./roles";

const LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup";
const KEY = "aws:kms/key:Key";

/** Where a target has its policies and its key. */
interface TargetType {
  readonly kind: TargetKind;
  readonly type: string;
  readonly keyPath?: string;
  /** The resource's ARN, given the one that a service delivers to: an alias or object is cut off. Default: unchanged. */
  readonly base?: (arn: string) => string;
  /** Absent where a role decides. */
  readonly documents?: (target: GraphResource, graph: ResourceGraph) => readonly unknown[];
}

const policiesOf = (type: string, path: string): NonNullable<TargetType["documents"]> => {
  return (target, graph) => [target, ...graph.referring(type, path, target)].map(({ inputs }) => inputs.policy);
};

/** By the service in the target's ARN. */
const TARGETS: Readonly<Record<string, TargetType>> = {
  sns: {
    kind: "topic",
    type: "aws:sns/topic:Topic",
    keyPath: "kmsMasterKeyId",
    documents: policiesOf("aws:sns/topicPolicy:TopicPolicy", "arn"),
  },
  sqs: {
    kind: "queue",
    type: "aws:sqs/queue:Queue",
    keyPath: "kmsMasterKeyId",
    documents: policiesOf("aws:sqs/queuePolicy:QueuePolicy", "queueUrl"),
  },
  logs: {
    kind: "log group",
    type: LOG_GROUP,
    keyPath: "kmsKeyId",
    documents: (_, graph) =>
      graph.ofType("aws:cloudwatch/logResourcePolicy:LogResourcePolicy").map(({ inputs }) => inputs.policyDocument),
  },
  lambda: {
    kind: "function",
    type: "aws:lambda/function:Function",
    keyPath: "kmsKeyArn",
    base: withoutQualifier,
    documents: (fn, graph) =>
      graph
        .ofType("aws:lambda/permission:Permission")
        .filter(({ inputs }) => refersTo(withoutQualifier(String(inputs.function)), fn))
        .map(({ inputs }) => permissionDocument(inputs, fn)),
  },
  s3: {
    kind: "bucket",
    type: "aws:s3/bucket:Bucket",
    base: (arn) => arn.replace(/\/.*$/, ""),
    documents: policiesOf("aws:s3/bucketPolicy:BucketPolicy", "bucket"),
  },
  states: { kind: "state machine", type: "aws:sfn/stateMachine:StateMachine" },
  kinesis: { kind: "stream", type: "aws:kinesis/stream:Stream" },
};

/** Without the alias or version: `…function:scores` of `…function:scores:live`, and `scores` of `scores:live`. */
export function withoutQualifier(fn: string): string {
  return fn.replace(/^((?:arn:[^:]*:lambda:[^:]*:[^:]*:function:)?[^:]+):[^:]+$/, "$1");
}

/** A Lambda permission as a policy statement about the function, or about one alias or version of it. */
function permissionDocument(inputs: Readonly<Record<string, unknown>>, fn: GraphResource): object {
  const { principal, action, sourceArn, sourceAccount } = inputs;
  const named = String(inputs.function);
  const qualifier = isText(inputs.qualifier) ? inputs.qualifier : named.slice(withoutQualifier(named).length + 1);
  const Condition = {
    ...(isText(sourceArn) ? { ArnLike: { "aws:SourceArn": sourceArn } } : {}),
    ...(isText(sourceAccount) ? { StringEquals: { "aws:SourceAccount": sourceAccount } } : {}),
  };
  const Resource = qualifier === "" ? fn.state.arn : `${String(fn.state.arn)}:${qualifier}`;
  return { Statement: [{ Effect: "Allow", Principal: { Service: principal }, Action: action, Resource, Condition }] };
}

function merged(documents: readonly unknown[], name: string): Policy | undefined {
  const statements = documents
    .map((document) => (typeof document === "string" ? parseJson(document) : document))
    .filter(isObject)
    .flatMap((document) => parsePolicy(document, name, "resource").statements);
  return statements.length === 0 ? undefined : { name, statements };
}

function keyOf(keyId: unknown, graph: ResourceGraph): Pick<ServiceDelivery, "key"> {
  if (!isText(keyId)) return {};
  const key = graph.ofType(KEY).find((candidate) => refersTo(keyId, candidate));
  return { key: { arn: keyId, policy: key && merged([key.inputs.policy], `policy of the key ${key.name}`) } };
}

/** ARNs of buckets have neither region nor account. */
function placeOf(arn: string, graph: ResourceGraph): Place {
  const [, , , region = "", accountId = ""] = arn.split(":");
  return { region, accountId: accountId === "" ? (graph.accountId ?? "") : accountId };
}

/** A service, what it acts for, and where the wiring names the target. */
export interface Wiring {
  readonly service: string;
  readonly sourceArn: string;
  readonly targetArn: unknown;
  readonly path: string;
  /** Default: taken from the ARN. */
  readonly kind?: TargetKind;
  /** The role that the service is given. */
  readonly roleArn?: unknown;
}

/** Everything that prevents a delivery to another resource; a pair that nobody has looked up does so too. */
export function refused({ service, sourceArn, targetArn, path, roleArn, ...wiring }: Wiring, graph: ResourceGraph): string[] {
  if (!isText(targetArn)) return [];
  const target = TARGETS[targetArn.split(":")[2] ?? ""];
  const place = placeOf(targetArn, graph);
  const kind = wiring.kind ?? target?.kind;
  const pair = kind === undefined ? undefined : findPair(service, kind, place);
  if (target === undefined || kind === undefined || pair === undefined)
    return [`${path}: ${unknownPair(service, kind === undefined ? targetArn : `a ${kind}`)}`];
  const bare = targetArn.replace(/:\*$/, "");
  const base = target.base?.(bare) ?? bare;
  const resource = graph.ofType(target.type).find(({ state }) => state.arn === base);
  if (resource === undefined)
    return [
      `${path} is ${targetArn}, which is not a resource of the stack, so its policies cannot be checked; name one of the stack's.`,
    ];
  const needsRole = pair.role !== undefined;
  const role = isText(roleArn) ? roleOf(roleArn, graph) : undefined;
  // For queues, topics, functions and log groups: EventBridge User Guide, "IAM roles for sending events to targets in Amazon EventBridge".
  if (isText(roleArn) && !needsRole)
    return [`${path}: ${service} does not use ${roleArn} for a ${kind}, whose own policy decides; remove the role.`];
  if (isText(roleArn) && role === undefined)
    return [`${path}: ${roleArn} is not a role of the stack, so its policies cannot be checked; name one of the stack's.`];
  const delivery: ServiceDelivery = {
    service,
    target: kind,
    targetArn: bare,
    sourceArn,
    policy: merged(target.documents?.(resource, graph) ?? [], `policy of ${resource.name}`),
    ...keyOf(target.keyPath === undefined ? undefined : at(resource.inputs, target.keyPath), graph),
    ...(role === undefined ? {} : { role: roleFor(role, graph) }),
  };
  const refusal = refusalOf(delivery, place);
  return refusal === undefined ? [] : [`${path}: ${refusal.message}`];
}

/** Checks data that a service stores encrypted with a key of the stack. `REGION` in the service stands for the stack's region. */
export function keyRefused(
  service: string,
  target: TargetKind,
  arn: string,
  keyId: unknown,
  path: string,
  graph: ResourceGraph,
): string[] {
  if (!isText(keyId)) return [];
  const place = placeOf(arn, graph);
  const principal = service.replace("REGION", place.region);
  const delivery = { service: principal, target, targetArn: arn, sourceArn: arn, policy: undefined, ...keyOf(keyId, graph) };
  const refusal = refusalOf(delivery, place);
  return refusal === undefined ? [] : [`${path}: ${refusal.message}`];
}
