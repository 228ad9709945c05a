/** The complete settings of a stream processor: defaults are filled in and missing parts created. */

import type * as pulumi from "@pulumi/pulumi";
import { DEFAULT_RATES } from "../../functions/scoring/core/default-rates";
import { currentAccount } from "../shared/account";
import { platformContext } from "../shared/context";
import { DATA_RETENTION } from "../shared/data-bucket";
import { ModelStore } from "../shared/model-store";
import { builtInModels } from "../shared/models-parameter";
import { dataBucketName, streamNames } from "../shared/naming";
import { RawRecords } from "../shared/raw-records";
import { ScoreBus } from "../shared/score-bus";
import { tokenKey } from "../shared/secret";
import type {
  EventBridgeTrigger,
  EventTime,
  FirehoseTrigger,
  KinesisTrigger,
  QueueDelivery,
  S3Trigger,
  StreamCapacity,
  StreamFunction,
  StreamProcessorArgs,
  StreamRetention,
} from "./args";

const KINESIS: KinesisTrigger = {
  retentionHours: 168,
  batchSize: 1000,
  batchWindowSeconds: 1,
  parallelization: 1,
  maxRetries: -1,
  maxAgeSeconds: 604_800,
};
const FIREHOSE: FirehoseTrigger = { bufferSeconds: 60 };
/** Firehose waits no longer for a transformation: "Understand data transformation flow", Data Firehose Developer Guide. */
const MAX_TRANSFORMATION_SECONDS = 300;
const QUEUE: QueueDelivery = { batchSize: 1000, batchWindowSeconds: 1, maxConcurrency: 10, maxAgeSeconds: 86_400 };
const S3: S3Trigger = { maxConcurrency: 5 };
const CAPACITY: StreamCapacity = { mode: "onDemand" };
const FUNCTION: StreamFunction = {
  memoryMb: 1024,
  timeoutSeconds: 60,
  reservedConcurrency: 10,
  policyTtlSeconds: 60,
  errorRateAlarmPercent: 5,
};
const EVENT_TIME: EventTime = { maxAgeDays: 7300, maxFutureMinutes: 60 };
const RETENTION: StreamRetention = { ...DATA_RETENTION, resultDays: 90 };

/** Currencies of trading partners move by a few per cent in a month, which no threshold notices. */
const RATE_MAX_AGE_DAYS = 35;

export type StreamSettings = ReturnType<typeof streamSettings>;

export function streamSettings(instance: string, args: StreamProcessorArgs, parent: pulumi.Resource) {
  const { profile } = args;
  const size = { ...FUNCTION, ...args.function };
  const context = platformContext(instance, args.context, parent);
  const { key, alarmTopicArn, naming } = context;
  return {
    profile,
    context,
    policy: args.policy ?? profile.defaultPolicy,
    rates: args.rates ?? DEFAULT_RATES,
    rateMaxAgeDays: args.rateMaxAgeDays ?? RATE_MAX_AGE_DAYS,
    models: args.models ?? builtInModels(new ModelStore(`${instance}-models`, { context, shipped: [] }, { parent }), profile),
    bus: args.bus ?? new ScoreBus(`${instance}-scores`, { key, alarmTopicArn }, { parent }),
    tokenSecret: args.tokenSecret ?? tokenKey(`${instance}-token-key`, context, { parent }),
    triggers: triggersOf(instance, args, size),
    queue: { ...QUEUE, ...args.queue },
    capacity: args.capacity ?? CAPACITY,
    function: size,
    eventTime: { ...EVENT_TIME, ...args.eventTime },
    retention: { ...RETENTION, ...args.retention },
    names: streamNames(instance, naming),
    dataBucketName:
      args.dataBucketName ?? currentAccount(parent).region.apply((region) => dataBucketName(instance, naming, region)),
    raw: args.raw ?? new RawRecords(`${instance}-raw`, { context }, { parent }),
    connectionString: args.connectionString ?? "none",
    objectQueues: args.objectQueues ?? [],
    highRiskEmail: args.highRiskEmail,
    // A bus of its own has no other listener.
    announcesHighRisks: args.highRiskEmail !== undefined || args.bus === undefined,
    transform: args.transform ?? {},
  };
}

/** Source of the events that the bus of an EventBridge trigger takes by default. */
export const incomingSource = (profile: string): string => `${profile}.events`;

interface Triggers {
  readonly kinesis: KinesisTrigger | undefined;
  readonly eventBridge: EventBridgeTrigger | undefined;
  readonly firehose: FirehoseTrigger | undefined;
  readonly rest: boolean;
  readonly s3: S3Trigger | undefined;
}

function triggersOf(
  instance: string,
  { profile, triggers = { kinesis: {} } }: Pick<StreamProcessorArgs, "profile" | "triggers">,
  { timeoutSeconds }: StreamFunction,
): Triggers {
  const { kinesis, eventBridge, firehose, rest = false, s3 } = triggers;
  if (kinesis === undefined && eventBridge === undefined && firehose === undefined && s3 === undefined && !rest)
    throw new Error(
      `StreamProcessor "${instance}": args.triggers must name at least one way in, and names none. Pass { kinesis: {} }, or leave it out.`,
    );
  if (firehose !== undefined && timeoutSeconds > MAX_TRANSFORMATION_SECONDS)
    throw new Error(
      `StreamProcessor "${instance}": args.function.timeoutSeconds must be at most ${MAX_TRANSFORMATION_SECONDS} with the trigger firehose, got ${timeoutSeconds}: Firehose waits no longer for a transformation.`,
    );
  return {
    kinesis: kinesis && { ...KINESIS, ...kinesis },
    eventBridge: eventBridge && { pattern: { source: [incomingSource(profile.id)] }, ...eventBridge },
    firehose: firehose && { ...FIREHOSE, ...firehose },
    rest,
    s3: s3 && { ...S3, ...s3 },
  };
}
