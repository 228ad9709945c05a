/** The function runtime's ports over the local services. */
import { AwsError, type LocalContext, type Permission } from "../contracts";
import { type CredentialStore, roleNameOf } from "../endpoint/credentials";
import type { LambdaPorts } from "../lambda/ports";
import type { Iam } from "../permissions/iam";
import type { DeliverRegistry } from "../services/deliver";
import type { KinesisService } from "../services/kinesis";
import type { LogsService } from "../services/logs";
import type { S3Service } from "../services/s3";
import type { MetricSink, SqsService } from "../services/sqs";
import { md5, systemAttributes } from "../services/sqs/operations";

export function lambdaPorts(services: {
  readonly context: LocalContext;
  readonly iam: Iam;
  readonly credentials: CredentialStore;
  readonly registry: DeliverRegistry;
  readonly kinesis: KinesisService;
  readonly sqs: SqsService;
  readonly s3: S3Service;
  readonly logs: LogsService;
  readonly metrics: MetricSink;
  /** Wraps writes that a full disk may lose. */
  readonly bestEffort: <T extends unknown[]>(write: (...values: T) => void) => (...values: T) => void;
}): LambdaPorts {
  const { iam, credentials, registry, kinesis, sqs, s3, logs, metrics, bestEffort } = services;
  /** Permissions that the action needs on the resource, and on the key that encrypts it. */
  const needs = (action: string, resource: string): readonly Permission[] => {
    const owner = { sqs, kinesis, s3 }[resource.split(":")[2] ?? ""];
    return [{ action, resource }, ...(owner?.keyUse(action.slice(action.indexOf(":") + 1), resource) ?? [])];
  };
  const decisions = (roleArn: string, action: string, resource: string) =>
    needs(action, resource).map((permission) => ({
      action: permission.action,
      decision: iam.authorize({ kind: "role", arn: roleArn, roleName: roleNameOf(roleArn) }, permission),
    }));
  const requireOfRole = (roleArn: string, action: string, resource: string): void => {
    for (const { decision } of decisions(roleArn, action, resource))
      if (!decision.allowed) throw new AwsError("AccessDenied", decision.reason, 403);
  };
  return {
    writeLogs: bestEffort((group, stream, lines) => {
      ensureGroup(logs, group);
      logs.append(group, stream, lines);
    }),
    metric: (name, value, unit, dimensions) => metrics("AWS/Lambda", name, dimensions, value, unit),
    credentials: (roleArn, sessionName) => {
      if (!iam.assumableBy(roleNameOf(roleArn), "lambda.amazonaws.com")) {
        throw new AwsError(
          "AccessDeniedException",
          `The role ${roleArn} cannot be assumed by lambda.amazonaws.com; allow it in its assumeRolePolicy.`,
          403,
        );
      }
      return credentials.issue(roleArn, sessionName);
    },
    missingActions: (roleArn, action, resource) =>
      decisions(roleArn, action, resource).flatMap((one) => (one.decision.allowed ? [] : [one.action])),
    deliver: async (targetArn, payload, roleArn) => {
      requireOfRole(roleArn, "sqs:SendMessage", targetArn);
      await registry.deliver(targetArn, payload);
    },
    putObject: async (bucketArn, key, body, roleArn) => {
      requireOfRole(roleArn, "s3:PutObject", `${bucketArn}/${key}`);
      await s3.put(bucketArn.replace("arn:aws:s3:::", ""), key, body, { headers: { "content-type": "application/json" } });
    },
    streams: {
      shards: (stream) =>
        kinesis
          .shardsOf(stream)
          .map((shard) => ({ id: shard.id, parents: [shard.parent, shard.adjacentParent].filter((id) => id !== undefined) })),
      read: (stream, shardId, after, limit) => {
        const { records, closed } = kinesis.readShard(stream, shardId, after, limit);
        return {
          records: records.map(({ arrivalMs, ...record }) => ({ ...record, arrivedAt: arrivalMs })),
          ended: closed,
        };
      },
      onRecords: (stream, listener) => kinesis.onRecords(stream, listener),
    },
    queues: queueSource(sqs),
  };
}

export const queueSource = (sqs: SqsService): LambdaPorts["queues"] => ({
  receive: (queue, limit) =>
    sqs.receive(queue, limit).map((message) => ({
      messageId: message.messageId,
      receiptHandle: message.receiptHandle,
      body: message.body,
      md5OfBody: md5(message.body),
      attributes: systemAttributes(message),
      messageAttributes: Object.fromEntries(Object.entries(message.attributes).map(([name, value]) => [name, lowerFirst(value)])),
    })),
  delete: (queue, handles) => sqs.deleteMessages(queue, handles),
  release: (queue, handles) => sqs.releaseMessages(queue, handles),
  nextVisibleMs: (queue) => sqs.store.nextVisibleMs(sqs.nameOf(queue)),
  visibilityTimeoutSeconds: (queue) => Number(sqs.store.queue(sqs.nameOf(queue)).attributes.VisibilityTimeout),
  onMessages: (queue, listener) => sqs.onMessages(queue, listener),
});

function ensureGroup(logs: LogsService, group: string): void {
  try {
    logs.requireGroup(group);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    // Lambda makes the group of a function that has none; it never expires.
    logs.saveGroup(group, undefined);
  }
}

/** Lambda events spell the members of an attribute in lower camel case. */
const lowerFirst = (value: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).map(([key, item]) => [`${key.charAt(0).toLowerCase()}${key.slice(1)}`, item]));
