/** The complete settings of a stream processor: defaults are filled in and missing parts created. */

import type * as pulumi from "@pulumi/pulumi";
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

export type StreamSettings = ReturnType<typeof streamSettings>;

export function streamSettings(instance: string, args: StreamProcessorArgs, parent: pulumi.Resource) {
  const { profile } = args;
  const context = platformContext(instance, args.context, parent);
  const { key, alarmTopicArn, naming } = context;
  return {
    profile,
    context,
    policy: args.policy ?? profile.defaultPolicy,
    models: args.models ?? builtInModels(new ModelStore(`${instance}-models`, { context, shipped: [] }, { parent }), profile),
    bus: args.bus ?? new ScoreBus(`${instance}-scores`, { key, alarmTopicArn }, { parent }),
    tokenSecret: args.tokenSecret ?? tokenKey(`${instance}-token-key`, context, { parent }),
    triggers: triggersOf(instance, args),
    queue: { ...QUEUE, ...args.queue },
    capacity: args.capacity ?? CAPACITY,
    function: { ...FUNCTION, ...args.function },
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
  readonly rest: boolean;
  readonly s3: S3Trigger | undefined;
}

function triggersOf(
  instance: string,
  { profile, triggers = { kinesis: {} } }: Pick<StreamProcessorArgs, "profile" | "triggers">,
): Triggers {
  const { kinesis, eventBridge, rest = false, s3 } = triggers;
  if (kinesis === undefined && eventBridge === undefined && s3 === undefined && !rest)
    throw new Error(
      `StreamProcessor "${instance}": args.triggers must name at least one way in, and names none. Pass { kinesis: {} }, or leave it out.`,
    );
  return {
    kinesis: kinesis && { ...KINESIS, ...kinesis },
    eventBridge: eventBridge && { pattern: { source: [incomingSource(profile.id)] }, ...eventBridge },
    rest,
    s3: s3 && { ...S3, ...s3 },
  };
}
