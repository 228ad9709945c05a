/** A function that scores the records of a trigger, with least privileges. */
import type { Table } from "@pulumi/aws/dynamodb";
import type { Parameter } from "@pulumi/aws/ssm";
import type * as pulumi from "@pulumi/pulumi";
import type { PrivateBucket } from "../shared/bucket";
import { type FunctionTransform, PlatformFunction, type PlatformFunctionArgs } from "../shared/function";
import type { Statement } from "../shared/iam";
import { modelStatements } from "../shared/models-parameter";
import { environmentOf } from "../shared/naming";
import { readParameter } from "../shared/policy-parameter";
import { tableStatement } from "../shared/tables";
import { type SchemaRegistry, schemaStatements } from "./schema-registry";
import type { StreamSettings } from "./settings";

export const METRIC_NAMESPACE = "RiskScoring";
export const EVENT_DETAIL_TYPE = "Transaction Scored";
export const eventSourceName = (profile: string): string => `${profile}.scoring`;

/** Prefixes of the data bucket. */
const WRITE_PREFIXES = ["archive/", "high-risk/", "quarantine/"] as const;

/**
 * Share of its time that the function keeps for what follows the results. Waiting for a slow table ends before that, and below the 80 %
 * at which the alarm on duration goes off: the alarm on the stream's age is the one that reports a stream that is behind.
 */
const RESERVE_SHARE = 0.25;

/** What every function that scores reads and writes. */
export interface ScorerResources {
  readonly results: Table;
  readonly state: Table;
  readonly policy: Parameter;
  readonly rates: Parameter;
  readonly models: Parameter;
  readonly dataBucket: PrivateBucket;
  readonly schemas: SchemaRegistry;
}

/** What differs between the functions: each scores the records of one trigger, or of several that come in the same form. */
export interface ScorerArgs extends Pick<PlatformFunctionArgs, "description" | "entry" | "callbackFactory"> {
  readonly functionName?: string;
  readonly reservedConcurrency?: number;
  /** Beside what every function that scores needs. */
  readonly environment?: Readonly<Record<string, pulumi.Input<string>>>;
  /** To read the trigger's records. */
  readonly permissions: readonly Statement[];
  readonly transform: FunctionTransform | undefined;
}

export function createScorer(
  name: string,
  args: ScorerArgs,
  settings: StreamSettings,
  resources: ScorerResources,
  parent: pulumi.Resource,
): PlatformFunction {
  const { context, function: size } = settings;
  const { transform, ...own } = args;
  return new PlatformFunction(
    name,
    {
      ...context,
      ...own,
      memoryMb: size.memoryMb,
      timeoutSeconds: size.timeoutSeconds,
      environment: { ...environment(resources, settings), ...args.environment },
      permissions: [...args.permissions, ...permissions(resources, settings, parent)],
      ...(transform ? { transform } : {}),
    },
    { parent },
  );
}

function environment(
  { results, state, policy, rates, models, dataBucket, schemas }: ScorerResources,
  { profile, context, models: profileModels, bus, tokenSecret, raw, function: size, eventTime, retention }: StreamSettings,
): Record<string, pulumi.Input<string>> {
  return {
    PROFILE: profile.id,
    RESULTS_TABLE: results.name,
    STATE_TABLE: state.name,
    POLICY_PARAMETER: policy.name,
    RATES_PARAMETER: rates.name,
    MODELS_PARAMETER: models.name,
    MODEL_BUCKET: profileModels.store.bucket.bucketName,
    EVENT_BUS_NAME: bus.busName,
    EVENT_SOURCE: eventSourceName(profile.id),
    EVENT_DETAIL_TYPE,
    METRIC_NAMESPACE,
    POLICY_TTL_SECONDS: String(size.policyTtlSeconds),
    ENVIRONMENT: environmentOf(context.naming),
    DATA_BUCKET: dataBucket.bucketName,
    RAW_BUCKET: raw.bucketName,
    TOKEN_SECRET_ARN: tokenSecret.arn,
    SCHEMA_ARN: schemas.schema.arn,
    MAX_EVENT_AGE_DAYS: String(eventTime.maxAgeDays),
    MAX_EVENT_FUTURE_MINUTES: String(eventTime.maxFutureMinutes),
    RESULT_TTL_DAYS: String(retention.resultDays),
    STOP_EARLY_MS: String(size.timeoutSeconds * 1000 * RESERVE_SHARE),
    LOG_LEVEL: "info",
  };
}

function permissions(
  { results, state, policy, rates, models, dataBucket, schemas }: ScorerResources,
  { profile, models: profileModels, tokenSecret, raw, bus }: StreamSettings,
  parent: pulumi.Resource,
): Statement[] {
  return [
    tableStatement("Results", results, ["BatchGetItem", "PutItem", "UpdateItem"]),
    tableStatement("State", state, ["BatchGetItem", "PutItem"]),
    readParameter(policy),
    readParameter(rates, "ReadRates"),
    ...modelStatements(models, profileModels, profile.id, parent),
    ...tokenSecret.readStatements(),
    ...bus.publishStatements(),
    ...dataBucket.readStatements(["archive/"]),
    ...dataBucket.writeStatements(WRITE_PREFIXES),
    ...raw.quarantineStatements(),
    ...schemaStatements(schemas),
  ];
}
