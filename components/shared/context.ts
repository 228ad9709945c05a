import type * as pulumi from "@pulumi/pulumi";
import type { PrivateBucket } from "./bucket";
import type { FunctionDefaults } from "./function";

/** What the components of one stack share. */
export interface PlatformContext extends FunctionDefaults {
  /** Gets every alarm. */
  readonly alarmTopicArn: pulumi.Input<string>;
  /** Gets the server access logs of every bucket. */
  readonly accessLogBucket: PrivateBucket;
  /** Protects whatever holds data, or opens it (tables, buckets, stream, warehouse, key, secrets), from `pulumi destroy`. */
  readonly deletionProtection: boolean;
  /** Continuous backups of tables for 35 days, about $0.20 per GB and month. */
  readonly pointInTimeRecovery: boolean;
}
