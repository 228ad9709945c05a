/** The stream handler with real adapters and SDK clients whose `send` answers at once from memory. */
import { BatchGetItemCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { S3Client } from "@aws-sdk/client-s3";
import { fraud, policy as validatePolicy } from "#validators";
import { NO_REGISTRY } from "../functions/formats/avro/no-registry";
import { PROFILES } from "../functions/scoring/profiles";
import type { Item } from "../functions/shared/attribute-values";
import { systemClock } from "../functions/shared/clock";
import { createEventBus } from "../functions/shared/event-bus";
import { createLog } from "../functions/shared/log";
import { createMetrics } from "../functions/shared/metrics";
import { createObjectStore } from "../functions/shared/object-store";
import { createParameterSource } from "../functions/shared/parameter-source";
import { createPolicySource } from "../functions/shared/policy-source";
import { createTokeniser } from "../functions/shared/tokeniser";
import { createResultStore, createStateStore } from "../functions/stream/adapters";
import { createFirehoseHandler, type FirehoseHandler } from "../functions/stream/firehose";
import { createStreamHandler, type StreamHandler } from "../functions/stream/handler";
import { recordFormats } from "../functions/stream/record-formats";
import type { RecordScorerArgs } from "../functions/stream/score-records";

const RESULTS = "results";
const STATES = "states";

export interface BenchHandler {
  readonly handler: StreamHandler;
  readonly firehose: FirehoseHandler;
  /** Alerts published so far. */
  alerts(): number;
}

export function createBenchHandler(step: (name: string) => void): BenchHandler {
  const { args, alerts } = createBenchScorer(step);
  return { handler: createStreamHandler(args), firehose: createFirehoseHandler(args), alerts };
}

/** What every handler that scores is made of. */
export function createBenchScorer(step: (name: string) => void): {
  readonly args: RecordScorerArgs;
  readonly alerts: () => number;
} {
  let alerts = 0;
  const region = "us-east-1";
  const states = new Map<string, Item>();
  const dynamo = Object.assign(new DynamoDBClient({ region }), {
    send: async (command: unknown): Promise<unknown> => {
      if (command instanceof BatchGetItemCommand) {
        const keys = command.input.RequestItems?.[STATES]?.Keys ?? [];
        return {
          Responses: {
            [RESULTS]: [],
            [STATES]: keys.map((key) => states.get(key.user_id?.S ?? "")).filter((item) => item !== undefined),
          },
        };
      }
      if (command instanceof PutItemCommand && command.input.TableName === STATES) {
        states.set(command.input.Item?.user_id?.S ?? "", command.input.Item ?? {});
      }
      return {};
    },
  });
  const bridge = Object.assign(new EventBridgeClient({ region }), {
    send: async (command: unknown): Promise<unknown> => {
      if (!(command instanceof PutEventsCommand)) return {};
      const entries = command.input.Entries ?? [];
      alerts += entries.length;
      return { Entries: entries.map(() => ({ EventId: "1" })) };
    },
  });
  const s3 = Object.assign(new S3Client({ region }), { send: async (): Promise<unknown> => ({}) });
  const silent = () => {};
  const log = createLog("error", {}, silent);
  const metrics = createMetrics("Bench", { Profile: "fraud" }, systemClock, silent);
  const tokeniser = createTokeniser("benchmark", PROFILES.fraud.schema);
  const clock = systemClock;
  const args: RecordScorerArgs = {
    profile: PROFILES.fraud,
    validate: fraud,
    formats: recordFormats(PROFILES.fraud, NO_REGISTRY, clock),
    policies: createPolicySource({
      parameters: createParameterSource({
        read: async () => new Map([["/policy", JSON.stringify(PROFILES.fraud.defaultPolicy)]]),
        ttlMs: 5_000,
        clock,
      }),
      parameter: "/policy",
      profile: PROFILES.fraud,
      validatePolicy,
      log,
      metrics,
    }),
    tokeniser: async () => tokeniser,
    ports: {
      results: createResultStore({ client: dynamo, table: RESULTS, clock, ttlSeconds: 86_400 }),
      states: createStateStore({ client: dynamo, table: STATES, clock, ttlSeconds: 86_400 }),
      alerts: createEventBus(bridge, "bus", "bench"),
      objects: createObjectStore(s3, "bucket"),
      raw: createObjectStore(s3, "raw"),
    },
    clock,
    log,
    metrics,
    eventDetailType: "Transaction Scored",
    maxAgeMs: 3_650 * 86_400_000,
    maxFutureMs: 3_600_000,
    reserveMs: 1_000,
    step,
  };
  return { args, alerts: () => alerts };
}
