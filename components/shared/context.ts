import type * as pulumi from "@pulumi/pulumi";
import { accessLogBucket } from "./access-log-bucket";
import type { PrivateBucket } from "./bucket";
import { EncryptionKey } from "./encryption-key";
import type { FunctionDefaults } from "./function";
import { type Naming, stackNaming } from "./naming";
import { NotificationTopic } from "./topic";

/** What the components of one stack share. */
export interface PlatformContext extends FunctionDefaults {
  /** What makes physical names unique. Default: the stack's name, and six characters derived from organisation, project and stack. */
  readonly naming: Naming;
  /** Topic of all alarms. Default: a topic of the component's own, without subscribers. */
  readonly alarmTopicArn: pulumi.Input<string>;
  /** Bucket of all other buckets' server access logs. Default: a bucket of the component's own that keeps them for 90 days. */
  readonly accessLogBucket: PrivateBucket;
  /** Protects everything that holds data or decrypts it (tables, buckets, stream, warehouse, key, secrets) from `pulumi destroy`. Default true. */
  readonly deletionProtection: boolean;
  /** Continuous backups of tables for 35 days, about $0.20 per GB and month. Default true. */
  readonly pointInTimeRecovery: boolean;
}

/** Days that access logs are kept: long enough to look back after an incident. */
export const ACCESS_LOG_DAYS = 90;

/** The given parts, and the component's own for the missing ones. */
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
