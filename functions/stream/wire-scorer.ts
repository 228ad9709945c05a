/**
 * What every function that scores events shares. Environment: PROFILE, RESULTS_TABLE, STATE_TABLE, POLICY_PARAMETER, EVENT_BUS_NAME, EVENT_SOURCE,
 * EVENT_DETAIL_TYPE, METRIC_NAMESPACE, ENVIRONMENT, DATA_BUCKET, RAW_BUCKET, TOKEN_SECRET_ARN,
 * SCHEMA_ARN (of the Avro schema); optional MAX_EVENT_AGE_DAYS (7300), MAX_EVENT_FUTURE_MINUTES
 * (60), RESULT_TTL_DAYS (90), STATE_TTL_DAYS (30), POLICY_TTL_SECONDS (60), STOP_EARLY_MS (3000), LOG_LEVEL (info);
 * for models other than the policy's own MODELS_PARAMETER with MODEL_BUCKET; for amounts in other currencies than US dollars RATES_PARAMETER.
 *
 * The role needs, besides writing its own log group and reading what triggers it:
 * - dynamodb:BatchGetItem, PutItem, UpdateItem on RESULTS_TABLE; dynamodb:BatchGetItem, PutItem on STATE_TABLE
 * - ssm:GetParameters on POLICY_PARAMETER, MODELS_PARAMETER and RATES_PARAMETER
 * - s3:GetObject on MODEL_BUCKET/models/*; sagemaker:InvokeEndpoint on the endpoints that the models document may name
 * - secretsmanager:GetSecretValue on TOKEN_SECRET_ARN
 * - glue:GetSchemaVersion on *; glue:ListSchemaVersions on SCHEMA_ARN and its registry
 * - events:PutEvents on EVENT_BUS_NAME
 * - s3:PutObject on DATA_BUCKET/{archive,high-risk,quarantine}/*; s3:GetObject on DATA_BUCKET/archive/*; s3:ListBucket on DATA_BUCKET
 *   (without it S3 answers 403 instead of 404 for a missing object)
 * - s3:PutObject on RAW_BUCKET/quarantine/*, and kms:GenerateDataKey on its key
 * - kms:Decrypt and kms:GenerateDataKey on the keys of tables, bucket, secret and bus, where they have their own
 */
import { models as validateModels, policy as validatePolicy } from "#validators";
import {
  BULK_SINGLE,
  createDynamoDb,
  createEventBridge,
  createGlue,
  createSecretsManager,
  createSsm,
  SINGLE,
} from "../shared/clients";
import { systemClock } from "../shared/clock";
import { EnvReader } from "../shared/env";
import { createEventBus } from "../shared/event-bus";
import { createLog } from "../shared/log";
import { createMetrics } from "../shared/metrics";
import { readModelEnvironment, wireModels } from "../shared/model-wiring";
import { createObjectStore } from "../shared/object-store";
import { createParameterSource, parametersReader } from "../shared/parameter-source";
import { createPolicySource } from "../shared/policy-source";
import { createRateSource } from "../shared/rate-source";
import { createS3 } from "../shared/s3-client";
import { createSecretSource, createTokeniserSource } from "../shared/secret-source";
import { createResultStore, createStateStore } from "./adapters";
import { createGlueRegistry } from "./glue-registry";
import { recordFormats } from "./record-formats";
import type { RecordScorerArgs } from "./score-records";
import { readEventTime, readStreamedProfile } from "./streamed-profile";

const DAY_SECONDS = 86_400;

/**
 * Everything that scoring needs, from the environment, whichever trigger the records come from.
 * @param functionName the entry's, for messages
 */
export function wireScorer(functionName: string): RecordScorerArgs {
  const env = new EnvReader(functionName, process.env);
  const { profile, validate } = readStreamedProfile(env);
  const values = {
    results: env.text("RESULTS_TABLE"),
    states: env.text("STATE_TABLE"),
    policy: env.text("POLICY_PARAMETER"),
    rates: env.optional("RATES_PARAMETER", ""),
    bus: env.text("EVENT_BUS_NAME"),
    source: env.text("EVENT_SOURCE"),
    detailType: env.text("EVENT_DETAIL_TYPE"),
    namespace: env.text("METRIC_NAMESPACE"),
    environment: env.text("ENVIRONMENT"),
    bucket: env.text("DATA_BUCKET"),
    rawBucket: env.text("RAW_BUCKET"),
    secret: env.text("TOKEN_SECRET_ARN"),
    schemaArn: env.text("SCHEMA_ARN"),
    eventTime: readEventTime(env),
    resultTtlDays: env.number("RESULT_TTL_DAYS", 90, 1, 36_500),
    stateTtlDays: env.number("STATE_TTL_DAYS", 30, 1, 36_500),
    policyTtlSeconds: env.number("POLICY_TTL_SECONDS", 60, 0, 86_400),
    models: readModelEnvironment(env),
    reserveMs: env.number("STOP_EARLY_MS", 3_000, 0, 300_000),
  };
  env.done();

  const clock = systemClock;
  const log = createLog(env.optional("LOG_LEVEL", "info"), { function: functionName, profile: profile.id });
  const metrics = createMetrics(values.namespace, { Environment: values.environment, Profile: profile.id }, clock);
  const dynamo = createDynamoDb(BULK_SINGLE);
  const secret = createSecretSource(createSecretsManager(), values.secret);
  const parameters = createParameterSource({
    read: parametersReader(createSsm(SINGLE), [values.policy, values.models.parameter, values.rates]),
    ttlMs: values.policyTtlSeconds * 1000,
    clock,
  });
  const s3 = createS3();
  const policies = createPolicySource({
    parameters,
    parameter: values.policy,
    profile,
    validatePolicy,
    log,
    metrics,
  });
  return {
    profile,
    validate,
    formats: recordFormats(profile, createGlueRegistry(createGlue, values.schemaArn), clock),
    policies,
    rates: values.rates === "" ? undefined : createRateSource({ parameters, parameter: values.rates, clock, log, metrics }),
    models: wireModels({
      environment: values.models,
      parameters,
      s3: () => s3,
      profile,
      validateModels,
      clock,
      log,
      metrics,
    }),
    tokeniser: createTokeniserSource(secret, profile.schema),
    ports: {
      results: createResultStore({
        client: dynamo,
        table: values.results,
        clock,
        ttlSeconds: values.resultTtlDays * DAY_SECONDS,
      }),
      states: createStateStore({ client: dynamo, table: values.states, clock, ttlSeconds: values.stateTtlDays * DAY_SECONDS }),
      alerts: createEventBus(createEventBridge(), values.bus, values.source),
      objects: createObjectStore(s3, values.bucket),
      raw: createObjectStore(s3, values.rawBucket),
    },
    clock,
    log,
    metrics,
    eventDetailType: values.detailType,
    ...values.eventTime,
    reserveMs: values.reserveMs,
  };
}
