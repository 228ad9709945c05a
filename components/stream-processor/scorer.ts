/** The function that scores a stream's events, and the least that it may do. */
import type { Table } from "@pulumi/aws/dynamodb";
import type { Stream } from "@pulumi/aws/kinesis";
import type { Parameter } from "@pulumi/aws/ssm";
import type * as pulumi from "@pulumi/pulumi";
import type { PrivateBucket } from "../shared/bucket";
import { PlatformFunction } from "../shared/function";
import type { Statement } from "../shared/iam";
import { modelStatements } from "../shared/models-parameter";
import { environmentOf, type StreamNames } from "../shared/naming";
import { readParameter } from "../shared/policy-parameter";
import { tableStatement } from "../shared/tables";
import type { StreamProcessorArgs } from "./args";

export const METRIC_NAMESPACE = "RiskScoring";
export const EVENT_DETAIL_TYPE = "Transaction Scored";
export const eventSourceName = (profile: string): string => `${profile}.scoring`;

/** Prefixes of the data bucket. `aws/lambda/` is where Lambda itself puts failed batches. */
const WRITE_PREFIXES = ["archive/", "high-risk/", "quarantine/", "aws/lambda/"] as const;

/**
 * Share of its time that the function keeps for what follows the results. What waits for a slow table ends before it, and below the 80 % at
 * which the alarm on duration speaks: that the stream is behind is what the alarm on its age says.
 */
const RESERVE_SHARE = 0.25;

/** What the function reads and writes. */
export interface ScorerResources {
  readonly stream: Stream;
  readonly results: Table;
  readonly state: Table;
  readonly policy: Parameter;
  readonly models: Parameter;
  readonly dataBucket: PrivateBucket;
}

export function createScorer(
  instance: string,
  names: StreamNames,
  resources: ScorerResources,
  args: StreamProcessorArgs,
  parent: pulumi.Resource,
): PlatformFunction {
  return new PlatformFunction(
    `${instance}-processor`,
    {
      ...args.context,
      description: `Scores the events of ${names.stream}`,
      functionName: names.function,
      bundle: args.bundle,
      callbackFactory: () => require("./bundles/stream-scoring/index.js").handler,
      memoryMb: args.memoryMb,
      timeoutSeconds: args.timeoutSeconds,
      ...(args.reservedConcurrency === undefined ? {} : { reservedConcurrency: args.reservedConcurrency }),
      environment: environment(resources, args),
      permissions: permissions(resources, args, parent),
      ...(args.transform?.function ? { transform: args.transform.function } : {}),
    },
    { parent },
  );
}

function environment(
  { results, state, policy, models, dataBucket }: ScorerResources,
  args: StreamProcessorArgs,
): Record<string, pulumi.Input<string>> {
  return {
    PROFILE: args.policy.profile,
    RESULTS_TABLE: results.name,
    STATE_TABLE: state.name,
    POLICY_PARAMETER: policy.name,
    MODELS_PARAMETER: models.name,
    MODEL_BUCKET: args.models.store.bucket.bucketName,
    EVENT_BUS_NAME: args.bus.busName,
    EVENT_SOURCE: eventSourceName(args.policy.profile),
    EVENT_DETAIL_TYPE,
    METRIC_NAMESPACE,
    POLICY_TTL_SECONDS: String(args.policyTtlSeconds),
    ENVIRONMENT: environmentOf(args.naming),
    DATA_BUCKET: dataBucket.bucketName,
    TOKEN_SECRET_ARN: args.tokenSecret.arn,
    MAX_EVENT_AGE_DAYS: String(args.maxEventAgeDays),
    MAX_EVENT_FUTURE_MINUTES: String(args.maxEventFutureMinutes),
    RESULT_TTL_DAYS: String(args.resultTtlDays),
    STOP_EARLY_MS: String(args.timeoutSeconds * 1000 * RESERVE_SHARE),
    LOG_LEVEL: "info",
  };
}

function permissions(
  { stream, results, state, policy, models, dataBucket }: ScorerResources,
  args: StreamProcessorArgs,
  parent: pulumi.Resource,
): Statement[] {
  return [
    {
      sid: "ReadStream",
      actions: [
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
      ],
      resources: [stream.arn],
    },
    tableStatement("Results", results, ["BatchGetItem", "PutItem", "UpdateItem"]),
    tableStatement("State", state, ["BatchGetItem", "PutItem"]),
    readParameter(policy),
    ...modelStatements(models, args.models, args.policy.profile, parent),
    ...args.tokenSecret.readStatements(),
    ...args.bus.publishStatements(),
    ...dataBucket.readStatements(["archive/"]),
    ...dataBucket.writeStatements(WRITE_PREFIXES),
  ];
}
