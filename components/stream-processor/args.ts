/** Arguments of a stream processor. */

import type { StreamArgs } from "@pulumi/aws/kinesis";
import type { EventSourceMappingArgs } from "@pulumi/aws/lambda";
import type * as pulumi from "@pulumi/pulumi";
import type { PolicyDocument } from "../../functions/scoring/core/policy-document";
import type { AnyProfile } from "../../functions/scoring/core/profile";
import type { RateDocument } from "../../functions/scoring/core/rates";
import type { PlatformContext } from "../shared/context";
import type { DataRetention, ObjectQueue } from "../shared/data-bucket";
import type { FunctionTransform } from "../shared/function";
import type { ProfileModels } from "../shared/models-parameter";
import type { RawRecords } from "../shared/raw-records";
import type { ScoreBus } from "../shared/score-bus";
import type { GeneratedSecret } from "../shared/secret";
import type { ProvisionedUnits } from "../shared/tables";
import type { Transform } from "../shared/transform";

/**
 * One choice for the stream, where there is one, and the results table, since the slower of the two decides: fixed shards (1 MB/s or 1,000 records/s each)
 * and units (one record per second each), or both following the load at a higher price.
 */
export type StreamCapacity =
  | { readonly mode: "provisioned"; readonly shards: number; readonly table: Omit<ProvisionedUnits, "mode"> }
  | { readonly mode: "onDemand" };

/** How records come from the Kinesis stream to the function. */
export interface KinesisTrigger {
  /** Hours that an event stays in the stream, 24 to 8760; hours beyond `maxAgeSeconds` cost money and are of no use. Default 168. */
  readonly retentionHours: number;
  /** Records per invocation, 1 to 10,000. Default 1000. */
  readonly batchSize: number;
  /** Seconds to wait for a full batch, 0 to 300: trades latency for fewer invocations and larger archive objects. Default 1. */
  readonly batchWindowSeconds: number;
  /** Batches of one shard in flight, 1 to 10; records of one key stay in order. Default 1. */
  readonly parallelization: number;
  /**
   * Retries of a failing batch before it goes to the failure destination; -1 retries until its age ends. Batches that wait for a
   * throttled table are retried as well, so with a limit a slow table loses records to that destination. Default -1.
   */
  readonly maxRetries: number;
  /**
   * Seconds after which a record is given up to the failure destination, 60 to 604,800: how far the platform may fall behind.
   * Default 604,800, a week.
   */
  readonly maxAgeSeconds: number;
}

/** Which events of which bus are scored: the `detail` of each is one record. */
export interface EventBridgeTrigger {
  /** Name or ARN of an existing bus in the same account and region. Default: a bus of the component's own. */
  readonly busName?: pulumi.Input<string>;
  /** EventBridge's pattern. Default: all events whose source is `<profile>.events`. */
  readonly pattern: Readonly<Record<string, unknown>>;
}

/** Files under `incoming/` of the data bucket. */
export interface S3Trigger {
  /** Files that are read at the same time, 2 to 1000. Default 5. */
  readonly maxConcurrency: number;
}

/** How records come through a delivery stream of Data Firehose: its transformation scores them, and it writes the archive itself. */
export interface FirehoseTrigger {
  /**
   * Seconds, 0 to 900, for which records wait for others: first for their transformation, then for their archive object. Fewer give more
   * invocations and smaller objects. Default 60.
   */
  readonly bufferSeconds: number;
}

/** The ways in. A trigger that isn't named doesn't exist, nor does anything that only it needs. */
export interface StreamTriggers {
  /** A stream of the component's own; the records of a partition key are scored in their order. */
  readonly kinesis?: Partial<KinesisTrigger>;
  /** Events of a bus, through the queue. */
  readonly eventBridge?: Partial<EventBridgeTrigger>;
  /** A delivery stream of the component's own. */
  readonly firehose?: Partial<FirehoseTrigger>;
  /** Events of a ScoringApi whose `events` is this component's `intake()`, through the queue. */
  readonly rest?: true;
  /** CSV, NDJSON, JSON and Avro files, plain or gzip. */
  readonly s3?: Partial<S3Trigger>;
}

/** How records come from the queue of the triggers without an order, EventBridge and REST, to their function. */
export interface QueueDelivery {
  /** Messages per invocation, 1 to 10,000; more than ten need a window. Default 1000. */
  readonly batchSize: number;
  /** Seconds to wait for a full batch, 0 to 300. Default 1. */
  readonly batchWindowSeconds: number;
  /** Invocations at the same time, 2 to 1000. Default 10. */
  readonly maxConcurrency: number;
  /**
   * Seconds for which a message that fails is delivered again, at least; then it goes to the dead-letter queue. SQS counts deliveries, of
   * which it allows 1000, one every six time limits of the function. Default 86,400, a day.
   */
  readonly maxAgeSeconds: number;
}

/** The functions that score: one for the stream, one for the queue. */
export interface StreamFunction {
  /** MB, 128 to 10,240; CPU grows with it. Default 1024. */
  readonly memoryMb: number;
  /** Seconds that a batch may take, 10 to 900. Default 60. */
  readonly timeoutSeconds: number;
  /**
   * Executions reserved for the stream's function, and as many for the delivery stream's. With fewer than shards × parallelisation the
   * stream waits; a delivery stream invokes about once at a time for each MB/s, and gives up what is refused. Default 10.
   */
  readonly reservedConcurrency: number;
  /** Mean seconds between two reads of policy, models and rates by a warm container; an account has 40 reads per second in total. Default 60. */
  readonly policyTtlSeconds: number;
  /** Percentage of invocations that may fail before an alarm is raised. Default 5. */
  readonly errorRateAlarmPercent: number;
}

/** How far an event's own time may lie from its arrival before it goes to quarantine. */
export interface EventTime {
  /** Days in the past: histories are backfilled, and anything older is a clock fault. Default 7300. */
  readonly maxAgeDays: number;
  /** Minutes in the future, for clocks that run fast. Default 60. */
  readonly maxFutureMinutes: number;
}

/** How long stored data is kept, in days. */
export interface StreamRetention extends DataRetention {
  /** Results in the table; a redelivery of an older event scores it again. Default 90. */
  readonly resultDays: number;
}

/**
 * Arguments of a {@link StreamProcessor}.
 * @example
 * new StreamProcessor("fraud", { profile: PROFILES.fraud });
 */
export interface StreamProcessorArgs {
  /**
   * What is scored: schema, features and default policy.
   * @example PROFILES.fraud
   */
  readonly profile: AnyProfile;
  /**
   * The policy of a new stack. Changing it only touches one SSM parameter and no function. Default: the profile's own.
   * @example withOverrides(PROFILES.fraud.defaultPolicy, { thresholds: { high_amount: 800 } })
   */
  readonly policy?: PolicyDocument;
  /**
   * The reference currency and what one unit of it (or of the base) buys of others. Changing them only touches one SSM parameter. Default:
   * US dollars, with rounded rates of June 2025.
   * @example { reference: "EUR", as_of: "2026-03-01", rates: { USD: 1.08, JPY: 162 } }
   */
  readonly rates?: RateDocument;
  /**
   * Days after which exchange rates that are still used raise an alarm. Default: 35.
   * @example 7
   */
  readonly rateMaxAgeDays?: number;
  /**
   * Champion, fallbacks and challengers of a new stack. Default: the model that the policy names, and a model bucket of its own.
   * @example { store, initial: { chain: [{ kind: "rules-only" }] } }
   */
  readonly models?: ProfileModels;
  /**
   * What is shared with other components: names, key, alarm topic, logs, protection. Default: each part that isn't
   * given is the component's own.
   * @example { logRetentionDays: 7, deletionProtection: false }
   */
  readonly context?: Partial<PlatformContext>;
  /**
   * The bus that events of alerting bands are published to. Default: a bus of its own.
   * @example api.bus
   */
  readonly bus?: ScoreBus;
  /**
   * Key of the tokens that replace personal fields; the data of components with the same key can be joined by user. Default: a key of its own.
   * @example api.tokenSecret
   */
  readonly tokenSecret?: GeneratedSecret;
  /**
   * The ways in, at least one. Default: a Kinesis stream, in batches of 1000, retried for a week.
   * @example { kinesis: { parallelization: 2 }, eventBridge: { pattern: { source: ["shop.payments"] } }, rest: true }
   */
  readonly triggers?: StreamTriggers;
  /**
   * How records come from the queue of EventBridge and REST to their function. Default: batches of 1000, ten at once, retried for a day.
   * @example { batchSize: 100, maxConcurrency: 50 }
   */
  readonly queue?: Partial<QueueDelivery>;
  /**
   * Capacity of stream and results table. Default: both follow the load.
   * @example { mode: "provisioned", shards: 1, table: { readUnits: 5, maxReadUnits: 20, writeUnits: 5, maxWriteUnits: 20 } }
   */
  readonly capacity?: StreamCapacity;
  /**
   * Size and limits of the functions. Default: 1024 MB, 60 s, 10 reserved executions for the stream's.
   * @example { memoryMb: 2048 }
   */
  readonly function?: Partial<StreamFunction>;
  /**
   * How far an event's own time may lie from its arrival. Default: 20 years in the past, an hour in the future.
   * @example { maxAgeDays: 30 }
   */
  readonly eventTime?: Partial<EventTime>;
  /**
   * How long results, archive and quarantine are kept, in days. Default: 90, 730 and 30.
   * @example { archiveDays: 2555 }
   */
  readonly retention?: Partial<StreamRetention>;
  /**
   * Physical name of the data bucket; changing it creates a new, empty bucket. Default: `company-<name>-data-<environment>-<region>-<suffix>`.
   * @example "acme-fraud-data-prod-eu-west-1"
   */
  readonly dataBucketName?: pulumi.Input<string>;
  /**
   * Where records that can't be scored, and batches that Lambda gives up, are kept whole. Default: of the component's own, for 30 days.
   * @example new RawRecords("raw", { context, retentionDays: 7 })
   */
  readonly raw?: RawRecords;
  /**
   * Who gets an e-mail for every event of an alerting band, from a topic of its own. Default: nobody; a component with a bus of its own
   * has the topic all the same.
   * @example "fraud-team@example.com"
   */
  readonly highRiskEmail?: pulumi.Input<string>;
  /**
   * Where the scores can be queried; stored as a SecureString for other systems. Default: `none`.
   * @example "redshift-data://us-east-1/warehouse-prod-a1/risk"
   */
  readonly connectionString?: pulumi.Input<string>;
  /**
   * Queues that are notified of new objects in the data bucket. Default: none.
   * @example warehouse.objectQueues()
   */
  readonly objectQueues?: readonly ObjectQueue[];
  /**
   * Has the last word on the inputs of single resources, except those that keep data safe. Default: none.
   * @example { stream: () => ({ shardLevelMetrics: ["IncomingBytes"] }) }
   */
  readonly transform?: {
    readonly stream?: Transform<StreamArgs>;
    readonly function?: FunctionTransform;
    readonly eventSource?: Transform<EventSourceMappingArgs>;
    readonly queueFunction?: FunctionTransform;
    readonly fileFunction?: FunctionTransform;
    readonly firehoseFunction?: FunctionTransform;
  };
}
