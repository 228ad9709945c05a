/** What a stream processor is made of. */
import type { StreamArgs } from "@pulumi/aws/kinesis";
import type { EventSourceMappingArgs } from "@pulumi/aws/lambda";
import type * as pulumi from "@pulumi/pulumi";
import type { PolicyDocument } from "../../functions/policy/document";
import type { PlatformContext } from "../shared/context";
import type { FunctionTransform } from "../shared/function";
import type { ProfileModels } from "../shared/models-parameter";
import type { Naming } from "../shared/naming";
import type { EncryptedQueue } from "../shared/queue";
import type { ScoreBus } from "../shared/score-bus";
import type { GeneratedSecret } from "../shared/secret";
import type { ProvisionedUnits } from "../shared/tables";
import type { Transform } from "../shared/transform";

/** Where events come from. One kind now; a second one is a member here and a branch in `createTrigger`. */
export type StreamTrigger = KinesisTrigger;

export interface KinesisTrigger {
  readonly kind: "kinesis";
  /** Hours an event stays in the stream: 24 to 8760. Beyond `maxAgeSeconds` they are paid for and of no use. */
  readonly retentionHours: number;
  /** Records of one invocation, 1 to 10,000. */
  readonly batchSize: number;
  /** Seconds to wait for a full batch, 0 to 300: latency against fewer invocations and larger archive objects. */
  readonly batchWindowSeconds: number;
  /** Batches of one shard in flight, 1 to 10; records of one key stay in order. */
  readonly parallelization: number;
  /**
   * Retries of a failing batch before it goes to the failure destination; -1 retries until its age ends. Batches that wait for a
   * throttled table are retried as well, so a limit sheds records whenever the table is slow for long.
   */
  readonly maxRetries: number;
  /** Seconds after which a record is given up to the failure destination, 60 to 604,800: how long the platform may be behind. */
  readonly maxAgeSeconds: number;
}

/**
 * One choice for the stream and the results table, since the slower of them decides: fixed shards (1 MB/s or 1,000 records/s each) and
 * units (a record a second each), or both following the load at a higher price.
 */
export type StreamCapacity =
  | { readonly mode: "provisioned"; readonly shards: number; readonly table: Omit<ProvisionedUnits, "mode"> }
  | { readonly mode: "onDemand" };

export interface StreamProcessorArgs {
  readonly context: PlatformContext;
  readonly naming: Naming;
  /** Region of the stack, part of the bucket's name. */
  readonly region: string;
  /** First part of the bucket's name, before the component's own name: `company` gives `company-fraud-data-…`. */
  readonly bucketPrefix: string;
  /** Path of the bundle of `stream-scoring`. */
  readonly bundle: string;
  readonly trigger: StreamTrigger;
  /** What a new stack decides by; see `functions/policy`. */
  readonly policy: PolicyDocument;
  /** What a new stack scores with. */
  readonly models: ProfileModels;
  /** Key of the tokens that stand for personal fields. */
  readonly tokenSecret: GeneratedSecret;
  /** Gets events of high-risk bands. */
  readonly bus: ScoreBus;
  /** MB. */
  readonly memoryMb: number;
  /** Seconds. */
  readonly timeoutSeconds: number;
  /** Mean seconds between two reads of policy and models by a warm container; 40 reads a second are all that an account makes. */
  readonly policyTtlSeconds: number;
  /** Executions set aside; default none. At least shards × parallelisation, or the stream waits. */
  readonly reservedConcurrency?: number;
  readonly capacity: StreamCapacity;
  /** Percent of invocations that may fail before an alarm. */
  readonly errorRateAlarmPercent: number;
  /** Days that an event may lie back, and … */
  readonly maxEventAgeDays: number;
  /** … minutes that it may lie ahead, or it goes to quarantine. */
  readonly maxEventFutureMinutes: number;
  /** Days a result stays in the table. */
  readonly resultTtlDays: number;
  /** Days an archive object lives; colder classes after 30 and 90 days. */
  readonly archiveExpiryDays: number;
  /** Days a quarantined record and a failed batch stay for inspection. */
  readonly quarantineExpiryDays: number;
  /** Who gets an e-mail for every event of an alerting band, from a topic of its own. Default: nobody. */
  readonly highRiskEmail?: pulumi.Input<string>;
  /** Kept as SecureString for systems beside this one that read the scores. */
  readonly connectionString: pulumi.Input<string>;
  /** Queues told about new objects; the warehouse's load queue, for one. */
  readonly objectQueues?: readonly ObjectQueue[];
  readonly transform?: {
    readonly stream?: Transform<StreamArgs>;
    readonly function?: FunctionTransform;
    readonly eventSource?: Transform<EventSourceMappingArgs>;
  };
}

/** A queue that is told about new objects of the data bucket. */
export interface ObjectQueue {
  readonly id: string;
  readonly queue: EncryptedQueue;
  readonly prefix: string;
  readonly suffix: string;
}
