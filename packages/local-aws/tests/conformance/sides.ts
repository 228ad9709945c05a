/** The two implementations that are compared, each with the same SDK clients, whose calls are written down. */
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { GlueClient } from "@aws-sdk/client-glue";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { SageMakerClient } from "@aws-sdk/client-sagemaker";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SFNClient } from "@aws-sdk/client-sfn";
import { SQSClient } from "@aws-sdk/client-sqs";
import { SSMClient } from "@aws-sdk/client-ssm";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { MiddlewareStack } from "@smithy/types";
import type { Given } from "./given";
import { type Entry, normalised } from "./transcript";

/** What a script works with. It must do the same calls on both sides. */
export interface Side extends Clients {
  readonly given: Given;
  /** Clients whose calls are not written down: for waiting, and for answers of which only parts can be compared. */
  readonly quiet: Clients;
  /** Writes a value down: of the script's own, or the comparable part of what an operation answered to a quiet client. */
  readonly note: (value: unknown, operation?: string) => void;
  /** Awaits a call that the service may refuse; the refusal is in the transcript. Anything else that is thrown ends the script. */
  readonly refused: (call: Promise<unknown>) => Promise<void>;
}

export interface Case {
  readonly name: string;
  readonly run: (side: Side) => Promise<void>;
}

export type Clients = ReturnType<typeof connect>;

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The same clients for both sides; `entries` takes what their calls are answered. */
export function connect(url: string, credentials: Credentials, entries: Entry[]) {
  const common = { endpoint: url, region: "us-east-1", credentials, maxAttempts: 1 };
  const clients = {
    cloudwatch: new CloudWatchClient(common),
    logs: new CloudWatchLogsClient(common),
    dynamodb: new DynamoDBClient(common),
    events: new EventBridgeClient(common),
    glue: new GlueClient(common),
    // moto's server has no HTTP/2, which this client alone speaks unless told.
    kinesis: new KinesisClient({ ...common, requestHandler: new NodeHttpHandler() }),
    lambda: new LambdaClient(common),
    s3: new S3Client({ ...common, forcePathStyle: true }),
    sagemaker: new SageMakerClient(common),
    secrets: new SecretsManagerClient(common),
    sfn: new SFNClient(common),
    sqs: new SQSClient(common),
    ssm: new SSMClient(common),
  };
  // One by one: each stack has the types of its own service.
  writeDown(clients.cloudwatch.middlewareStack, entries);
  writeDown(clients.logs.middlewareStack, entries);
  writeDown(clients.dynamodb.middlewareStack, entries);
  writeDown(clients.events.middlewareStack, entries);
  writeDown(clients.glue.middlewareStack, entries);
  writeDown(clients.kinesis.middlewareStack, entries);
  writeDown(clients.lambda.middlewareStack, entries);
  writeDown(clients.s3.middlewareStack, entries);
  writeDown(clients.sagemaker.middlewareStack, entries);
  writeDown(clients.secrets.middlewareStack, entries);
  writeDown(clients.sfn.middlewareStack, entries);
  writeDown(clients.sqs.middlewareStack, entries);
  writeDown(clients.ssm.middlewareStack, entries);
  return clients;
}

/** Runs a script. @returns what its calls were answered. Throws what the script throws */
export async function transcriptOf(script: Case, url: string, credentials: Credentials, given: Given): Promise<Entry[]> {
  const entries: Entry[] = [];
  const clients = connect(url, credentials, entries);
  const quiet = connect(url, credentials, []);
  const note = (value: unknown, operation = "note") => void entries.push({ operation, answer: normalised(value) });
  const refused = async (call: Promise<unknown>) => {
    try {
      await call;
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  };
  try {
    await script.run({ ...clients, quiet, given, note, refused });
  } finally {
    for (const client of [...Object.values(clients), ...Object.values(quiet)]) client.destroy();
  }
  return entries;
}

function writeDown<Input extends object, Output extends object>(stack: MiddlewareStack<Input, Output>, entries: Entry[]): void {
  stack.add(
    (next, { clientName = "", commandName = "" }) =>
      async (args) => {
        const operation = `${clientName.replace(/Client$/, "")}.${commandName.replace(/Command$/, "")}`;
        try {
          const result = await next(args);
          entries.push({ operation, answer: normalised(result.output) });
          return result;
        } catch (error) {
          if (!isRefusal(error)) throw error;
          entries.push({ operation, answer: { error: error.name, status: statusOf(error) } });
          throw error;
        }
      },
    { step: "initialize", priority: "high", name: "transcript" },
  );
}

/** An error that an answer was turned into; also one that wasn't in the protocol, as moto's pages for what went wrong inside it. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && "$metadata" in error;
}

function statusOf(error: Error): unknown {
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return $metadata?.httpStatusCode;
}
