/** What delivery streams need of the other local services, as their roles. */
import { AwsError, type LocalContext, type Permission } from "../contracts";
import { roleNameOf } from "../endpoint/credentials";
import type { InvokeResult } from "../lambda/function-config";
import { systemTimers } from "../lambda/ports";
import type { Iam } from "../permissions/iam";
import type { FirehosePorts } from "../services/firehose";
import type { LogsService } from "../services/logs";
import type { S3Service } from "../services/s3";
import type { MetricSink } from "../services/sqs";

const PRINCIPAL = "firehose.amazonaws.com";

export function firehosePorts(services: {
  readonly clock: LocalContext["clock"];
  readonly iam: Iam;
  readonly s3: S3Service;
  readonly logs: LogsService;
  /** Invokes a function without asking who may. */
  readonly invoke: (functionArn: string, payload: string) => Promise<InvokeResult>;
  readonly metrics: MetricSink;
  /** Wraps writes that a full disk may lose. */
  readonly bestEffort: <T extends unknown[]>(write: (...values: T) => void) => (...values: T) => void;
}): FirehosePorts {
  const { clock, iam, s3, logs, invoke, metrics, bestEffort } = services;
  const refusal = (roleArn: string, permission: Permission): string | undefined => {
    const decision = iam.authorize({ kind: "role", arn: roleArn, roleName: roleNameOf(roleArn) }, permission);
    return decision.allowed ? undefined : decision.reason;
  };
  const requireOfRole = (roleArn: string, needed: readonly Permission[]): void => {
    if (!iam.assumableBy(roleNameOf(roleArn), PRINCIPAL))
      throw new AwsError(
        "AccessDenied",
        `The role ${roleArn} cannot be assumed by ${PRINCIPAL}; allow it in its assumeRolePolicy.`,
        403,
      );
    for (const permission of needed) {
      const reason = refusal(roleArn, permission);
      if (reason !== undefined) throw new AwsError("AccessDenied", reason, 403);
    }
  };
  return {
    after: systemTimers.after,
    invoke: async (roleArn, functionArn, payload) => {
      requireOfRole(roleArn, [{ action: "lambda:InvokeFunction", resource: functionArn }]);
      const { payload: answer, functionError } = await invoke(functionArn, payload);
      return { payload: answer, isError: functionError !== undefined };
    },
    putObject: async ({ roleArn, bucket, keyArn }, key, data) => {
      const resource = `arn:aws:s3:::${bucket}/${key}`;
      const headers = {
        "content-type": "application/octet-stream",
        ...(keyArn === undefined
          ? {}
          : { "x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": keyArn }),
      };
      requireOfRole(roleArn, [{ action: "s3:PutObject", resource }, ...s3.keyUse("PutObject", resource)]);
      await s3.put(bucket, key, data, { headers });
    },
    report: bestEffort(({ name, log, roleArn }, code, message) => {
      // As on AWS: without the group or the permission there is no log, and the delivery goes on.
      if (log === undefined || !logs.groups().some((group) => group.name === log.group)) return;
      const resource = `${logs.arnOf(log.group)}:log-stream:${log.stream}`;
      if (refusal(roleArn, { action: "logs:PutLogEvents", resource }) !== undefined) return;
      const line = { deliveryStreamName: name, errorCode: code, message };
      logs.append(log.group, log.stream, [{ timestamp: clock.now(), message: JSON.stringify(line) }]);
    }),
    metric: (stream, name, value, unit) => metrics("AWS/Firehose", name, { DeliveryStreamName: stream }, value, unit),
  };
}
