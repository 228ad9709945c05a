/** What a stream processor is made of. */
import type { StreamArgs } from "@pulumi/aws/kinesis";
import type { EventSourceMappingArgs } from "@pulumi/aws/lambda";
import type * as pulumi from "@pulumi/pulumi";
import type { PolicyDocument } from "../../functions/scoring/core/policy-document";
import type { AnyProfile } from "../../functions/scoring/core/profile";
import type { PlatformContext } from "../shared/context";
import type { DataRetention, ObjectQueue } from "../shared/data-bucket";
import type { FunctionTransform } from "../shared/function";
import type { ProfileModels } from "../shared/models-parameter";
import type { ScoreBus } from "../shared/score-bus";
import type { GeneratedSecret } from "../shared/secret";
import type { ProvisionedUnits } from "../shared/tables";
import type { Transform } from "../shared/transform";

/**
 * One choice for the stream and the results table, since the slower of them decides: fixed shards (1 MB/s or 1,000 records/s each) and
 * units (a record a second each), or both following the load at a higher price.
 */
export type StreamCapacity =
  | { readonly mode: "provisioned"; readonly shards: number; readonly table: Omit<ProvisionedUnits, "mode"> }
  | { readonly mode: "onDemand" };

/** How records come from the Kinesis stream to the function. */
export interface StreamTrigger {
  /** Hours an event stays in the stream, 24 to 8760; beyond `maxAgeSeconds` they are paid for and of no use. Default 168. */
  readonly retentionHours: number;
  /** Records of one invocation, 1 to 10,000. Default 1000. */
  readonly batchSize: number;
  /** Seconds to wait for a full batch, 0 to 300: latency against fewer invocations and larger archive objects. Default 1. */
  readonly batchWindowSeconds: number;
  /** Batches of one shard in flight, 1 to 10; records of one key stay in order. Default 1. */
  readonly parallelization: number;
  /**
   * Retries of a failing batch before it goes to the failure destination; -1 retries until its age ends. Batches that wait for a
   * throttled table are retried as well, so a limit sheds records whenever the table is slow for long. Default -1.
   */
  readonly maxRetries: number;
  /**
   * Seconds after which a record is given up to the failure destination, 60 to 604,800: how long the platform may be behind.
   * Default 604,800, a week.
   */
  readonly maxAgeSeconds: number;
}

/** The function that scores. */
export interface StreamFunction {
  /** MB, 128 to 10,240; CPU grows with it. Default 1024. */
  readonly memoryMb: number;
  /** Seconds that a batch may take, 10 to 900. Default 60. */
  readonly timeoutSeconds: number;
  /** Executions set aside; fewer than shards × parallelisation make the stream wait. Default 10. */
  readonly reservedConcurrency: number;
  /** Mean seconds between two reads of policy and models by a warm container; an account makes 40 reads a second in all. Default 60. */
  readonly policyTtlSeconds: number;
  /** Percent of invocations that may fail before an alarm. Default 5. */
  readonly errorRateAlarmPercent: number;
}

/** How far an event's own time may lie from its arrival, or it goes to quarantine. */
export interface EventTime {
  /** Days that it may lie back: histories are backfilled, and anything older is a clock fault. Default 7300. */
  readonly maxAgeDays: number;
  /** Minutes that it may lie ahead, for clocks that run fast. Default 60. */
  readonly maxFutureMinutes: number;
}

/** How long what was stored stays, days. */
export interface StreamRetention extends DataRetention {
  /** Results in the table; a replay of an older event scores it anew. Default 90. */
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
   * What a new stack decides by. A change touches one SSM parameter and no function. Default: the profile's own.
   * @example withOverrides(PROFILES.fraud.defaultPolicy, { thresholds: { high_amount: 800 } })
   */
  readonly policy?: PolicyDocument;
  /**
   * Champion, fallbacks and challengers that a new stack scores with. Default: the model that the policy names, and a model bucket of its own.
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
   * Gets the events of alerting bands. Default: a bus of its own.
   * @example api.bus
   */
  readonly bus?: ScoreBus;
  /**
   * Key of the tokens that stand for personal fields; components with the same key can be joined by user. Default: a key of its own.
   * @example api.tokenSecret
   */
  readonly tokenSecret?: GeneratedSecret;
  /**
   * How records come from the stream to the function. Default: batches of 1000, retried for a week.
   * @example { batchWindowSeconds: 5, parallelization: 2 }
   */
  readonly trigger?: Partial<StreamTrigger>;
  /**
   * Capacity of stream and results table. Default: both follow the load.
   * @example { mode: "provisioned", shards: 1, table: { readUnits: 5, maxReadUnits: 20, writeUnits: 5, maxWriteUnits: 20 } }
   */
  readonly capacity?: StreamCapacity;
  /**
   * Size and limits of the function. Default: 1024 MB, 60 s, 10 executions set aside.
   * @example { memoryMb: 2048 }
   */
  readonly function?: Partial<StreamFunction>;
  /**
   * How far an event's own time may lie from its arrival. Default: 20 years back, an hour ahead.
   * @example { maxAgeDays: 30 }
   */
  readonly eventTime?: Partial<EventTime>;
  /**
   * How long results, archive and quarantine stay, days. Default: 90, 730 and 30.
   * @example { archiveDays: 2555 }
   */
  readonly retention?: Partial<StreamRetention>;
  /**
   * Physical name of the data bucket; another one is another, empty bucket. Default: `company-<name>-data-<environment>-<region>-<suffix>`.
   * @example "acme-fraud-data-prod-eu-west-1"
   */
  readonly dataBucketName?: pulumi.Input<string>;
  /**
   * Who gets an e-mail for every event of an alerting band, from a topic of its own. Default: nobody; beside a bus of its own
   * there is the topic all the same.
   * @example "fraud-team@example.com"
   */
  readonly highRiskEmail?: pulumi.Input<string>;
  /**
   * Where the scores can be queried: kept as SecureString for systems beside this one. Default: `none`.
   * @example "redshift-data://us-east-1/warehouse-prod-a1/risk"
   */
  readonly connectionString?: pulumi.Input<string>;
  /**
   * Queues told about new objects of the data bucket. Default: none.
   * @example warehouse.objectQueues()
   */
  readonly objectQueues?: readonly ObjectQueue[];
  /**
   * Last word on inputs of single resources; what keeps data safe can't be changed by it. Default: none.
   * @example { stream: () => ({ shardLevelMetrics: ["IncomingBytes"] }) }
   */
  readonly transform?: {
    readonly stream?: Transform<StreamArgs>;
    readonly function?: FunctionTransform;
    readonly eventSource?: Transform<EventSourceMappingArgs>;
  };
}
