import type * as pulumi from "@pulumi/pulumi";
import { accessLogBucket } from "./access-log-bucket";
import type { PrivateBucket } from "./bucket";
import { EncryptionKey } from "./encryption-key";
import type { FunctionDefaults } from "./function";
import { type Naming, stackNaming } from "./naming";
import { NotificationTopic } from "./topic";

/** What the components of one stack share. */
export interface PlatformContext extends FunctionDefaults {
  /** What makes physical names unique. Default: the stack's name, and six characters made from organisation, project and stack. */
  readonly naming: Naming;
  /** Gets every alarm. Default: a topic of the component's own, which nobody has subscribed to yet. */
  readonly alarmTopicArn: pulumi.Input<string>;
  /** Gets the server access logs of every bucket. Default: a bucket of the component's own that keeps them for 90 days. */
  readonly accessLogBucket: PrivateBucket;
  /** Protects whatever holds data, or opens it (tables, buckets, stream, warehouse, key, secrets), from `pulumi destroy`. Default true. */
  readonly deletionProtection: boolean;
  /** Continuous backups of tables for 35 days, about $0.20 per GB and month. Default true. */
  readonly pointInTimeRecovery: boolean;
}

/** Days that access logs stay: long enough to look back after an incident. */
export const ACCESS_LOG_DAYS = 90;

/** The parts that were given, and the component's own for the others. */
export function platformContext(
  instance: string,
  given: Partial<PlatformContext> | undefined,
  parent: pulumi.Resource,
): PlatformContext {
  const deletionProtection = given?.deletionProtection ?? true;
  const key = given?.key ?? new EncryptionKey(instance, { description: `Data of ${instance}`, deletionProtection }, { parent });
  return {
    naming: given?.naming ?? stackNaming(),
    key,
    logRetentionDays: given?.logRetentionDays ?? 30,
    tracing: given?.tracing ?? true,
    reserveConcurrency: given?.reserveConcurrency ?? true,
    pointInTimeRecovery: given?.pointInTimeRecovery ?? true,
    deletionProtection,
    alarmTopicArn:
      given?.alarmTopicArn ??
      new NotificationTopic(
        `${instance}-alarms`,
        { key, displayName: `Alarms of ${instance}`, publishers: ["cloudwatch.amazonaws.com"] },
        { parent },
      ).arn,
    accessLogBucket:
      given?.accessLogBucket ??
      accessLogBucket(`${instance}-access-logs`, { retentionDays: ACCESS_LOG_DAYS, deletionProtection }, { parent }),
  };
}
