/**
 * REST → scores of one profile. Environment: PROFILE, SCORES_TABLE, POLICY_PARAMETER, EVENT_BUS_NAME, EVENT_SOURCE,
 * EVENT_DETAIL_TYPE, METRIC_NAMESPACE, ENVIRONMENT, ARCHIVE_BUCKET, TOKEN_SECRET_ARN; optional CACHE_TTL_SECONDS (86400),
 * POLICY_TTL_SECONDS (60), IDEMPOTENCY_LEASE_SECONDS (60), DEMO_JITTER ("1" adds up to ±5 % of the scale), LOG_LEVEL (info);
 * for models other than the policy's own MODELS_PARAMETER with MODEL_BUCKET.
 *
 * The role needs, besides writing its own log group:
 * - dynamodb:Query, GetItem, PutItem, DeleteItem on SCORES_TABLE
 * - ssm:GetParameters on POLICY_PARAMETER and MODELS_PARAMETER
 * - s3:GetObject on MODEL_BUCKET/models/*; sagemaker:InvokeEndpoint on the endpoints that the models document may name
 * - secretsmanager:GetSecretValue on TOKEN_SECRET_ARN
 * - events:PutEvents on EVENT_BUS_NAME
 * - s3:PutObject on ARCHIVE_BUCKET/archive/*
 * - kms:Decrypt and kms:GenerateDataKey on the keys of table, bucket, secret and bus, where they have their own
 */
import { churn, device, lead, models as validateModels, policy as validatePolicy } from "#validators";
import { createIdempotencyStore, createScoreStore } from "../rest/adapters";
import { createRestHandler } from "../rest/handler";
import type { RestHandler } from "../rest/route";
import type { Validate } from "../scoring/core/json-schema";
import type { AnyProfile } from "../scoring/core/profile";
import { CHURN } from "../scoring/profiles/churn";
import { DEVICE } from "../scoring/profiles/device";
import { LEAD } from "../scoring/profiles/lead";
import { createDynamoDb, createEventBridge, createSecretsManager, createSsm, FAST, SINGLE } from "../shared/clients";
import { systemClock } from "../shared/clock";
import { EnvReader } from "../shared/env";
import { createEventBus } from "../shared/event-bus";
import { createLog } from "../shared/log";
import { createMetrics } from "../shared/metrics";
import { readModelEnvironment, wireModels } from "../shared/model-wiring";
import { createObjectStore } from "../shared/object-store";
import { createParameterSource, parametersReader } from "../shared/parameter-source";
import { createPolicySource } from "../shared/policy-source";
import { createS3 } from "../shared/s3-client";
import { cached, createSecretSource, createTokeniserSource } from "../shared/secret-source";

const JITTER_POINTS = 5;
/** The profiles without state, by id: a request is scored by its own content alone. */
const SERVED: Readonly<Record<"lead" | "churn" | "device", { readonly profile: AnyProfile; readonly validate: Validate }>> = {
  lead: { profile: LEAD, validate: lead },
  churn: { profile: CHURN, validate: churn },
  device: { profile: DEVICE, validate: device },
};

function wire(): RestHandler {
  const env = new EnvReader("rest-scoring", process.env);
  const id = env.oneOf("PROFILE", Object.keys(SERVED) as (keyof typeof SERVED)[]);
  const { profile, validate } = SERVED[id];
  const values = {
    table: env.text("SCORES_TABLE"),
    policy: env.text("POLICY_PARAMETER"),
    bus: env.text("EVENT_BUS_NAME"),
    source: env.text("EVENT_SOURCE"),
    detailType: env.text("EVENT_DETAIL_TYPE"),
    namespace: env.text("METRIC_NAMESPACE"),
    environment: env.text("ENVIRONMENT"),
    bucket: env.text("ARCHIVE_BUCKET"),
    secret: env.text("TOKEN_SECRET_ARN"),
    cacheTtlSeconds: env.number("CACHE_TTL_SECONDS", 86_400, 0, 31_536_000),
    policyTtlSeconds: env.number("POLICY_TTL_SECONDS", 60, 0, 86_400),
    leaseSeconds: env.number("IDEMPOTENCY_LEASE_SECONDS", 60, 1, 900),
    models: readModelEnvironment(env),
    jitter: env.optional("DEMO_JITTER", "0") === "1" ? JITTER_POINTS : 0,
  };
  env.done();

  const clock = systemClock;
  const log = createLog(env.optional("LOG_LEVEL", "info"), { function: "rest-scoring", profile: id });
  const metrics = createMetrics(values.namespace, { Environment: values.environment, Profile: id }, clock);
  const dynamo = createDynamoDb();
  // Clients that most requests don't need are created on demand: for the secret of personal fields, and for S3 when the bus is down.
  const secret = () => createSecretSource(createSecretsManager(), values.secret)();
  const objects = cached(async () => createObjectStore(createS3(FAST), values.bucket));
  const parameters = createParameterSource({
    read: parametersReader(createSsm(SINGLE), [values.policy, values.models.parameter]),
    ttlMs: values.policyTtlSeconds * 1000,
    clock,
  });
  const policies = createPolicySource({
    parameters,
    parameter: values.policy,
    profile,
    validatePolicy,
    log,
    metrics,
  });
  return createRestHandler({
    profile,
    validate,
    policies,
    models: wireModels({
      environment: values.models,
      parameters,
      s3: () => createS3(FAST),
      profile,
      validateModels,
      clock,
      log,
      metrics,
    }),
    tokeniser: createTokeniserSource(secret, profile.schema),
    scores: createScoreStore(dynamo, values.table),
    idempotency: createIdempotencyStore({
      client: dynamo,
      table: values.table,
      clock,
      ttlSeconds: 86_400,
      leaseSeconds: values.leaseSeconds,
    }),
    bus: createEventBus(createEventBridge(), values.bus, values.source),
    objects: {
      putIfAbsent: async (key, body) => (await objects()).putIfAbsent(key, body),
      size: async (key) => (await objects()).size(key),
    },
    clock,
    log,
    metrics,
    eventDetailType: values.detailType,
    cacheTtlSeconds: values.cacheTtlSeconds,
    jitter: values.jitter,
    random: Math.random,
  });
}

export const handler: RestHandler = wire();
