/**
 * SDK clients with the limits of a scoring path: connections are kept alive; a connection attempt or a response that takes longer than
 * its limit is an error, and is retried at most twice. Explicit region, mode and credentials keep the SDK from looking for profile files
 * during a cold start.
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { GlueClient } from "@aws-sdk/client-glue";
import { RedshiftDataClient } from "@aws-sdk/client-redshift-data";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";
import { SSMClient } from "@aws-sdk/client-ssm";
import { environmentCredentials } from "./env-credentials";

export interface ClientLimits {
  /** Milliseconds within which a TCP/TLS connection must be established. */
  readonly connectTimeoutMs: number;
  /** Milliseconds without a response. */
  readonly requestTimeoutMs: number;
  /** Including the first try. */
  readonly maxAttempts: number;
  readonly maxSockets: number;
}

/** For calls on which a synchronous caller waits. */
export const FAST: ClientLimits = { connectTimeoutMs: 500, requestTimeoutMs: 2_000, maxAttempts: 3, maxSockets: 64 };
/** For callers that try again themselves: the SDK's retries would multiply with theirs. */
export const SINGLE: ClientLimits = { ...FAST, maxAttempts: 1 };
/** For transfers of megabytes, with nobody waiting. */
export const BULK: ClientLimits = { connectTimeoutMs: 1_000, requestTimeoutMs: 20_000, maxAttempts: 4, maxSockets: 32 };
/** For a pipeline step that asks once, at a rate that the whole account shares: the SDK's pauses for throttling add up to 15 s. */
export const PATIENT: ClientLimits = { ...FAST, maxAttempts: 6 };
/** {@link SINGLE}, for calls on which nobody waits. */
export const BULK_SINGLE: ClientLimits = { ...BULK, maxAttempts: 1 };

export function clientConfig(limits: ClientLimits) {
  const region = process.env.AWS_REGION;
  return {
    ...(region === undefined ? {} : { region }),
    credentials: async () => environmentCredentials(),
    defaultsMode: "standard" as const,
    retryMode: "standard" as const,
    maxAttempts: limits.maxAttempts,
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    requestHandler: {
      connectionTimeout: limits.connectTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      throwOnRequestTimeout: true,
      httpsAgent: { keepAlive: true, maxSockets: limits.maxSockets },
      httpAgent: { keepAlive: true, maxSockets: limits.maxSockets },
    },
  };
}

export const createDynamoDb = (limits: ClientLimits = FAST): DynamoDBClient => new DynamoDBClient(clientConfig(limits));
export const createEventBridge = (limits: ClientLimits = FAST): EventBridgeClient => new EventBridgeClient(clientConfig(limits));
export const createGlue = (limits: ClientLimits = FAST): GlueClient => new GlueClient(clientConfig(limits));
export const createSsm = (limits: ClientLimits = FAST): SSMClient => new SSMClient(clientConfig(limits));
export const createSecretsManager = (limits: ClientLimits = FAST): SecretsManagerClient =>
  new SecretsManagerClient(clientConfig(limits));
export const createSqs = (limits: ClientLimits = BULK): SQSClient => new SQSClient(clientConfig(limits));
export const createRedshiftData = (limits: ClientLimits = BULK): RedshiftDataClient =>
  new RedshiftDataClient(clientConfig(limits));
