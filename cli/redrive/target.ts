/** What a redrive works on: the platform on this machine, or a stack on AWS; with the rights of the redrive role and no others. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { FirehoseClient } from "@aws-sdk/client-firehose";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { SFNClient } from "@aws-sdk/client-sfn";
import { SQSClient } from "@aws-sdk/client-sqs";
import { isObject } from "../../functions/scoring/core/json";
import type { RedriveOutput } from "../../stacks/redrive";
import { type Account, assumeRole } from "../account";
import { UsageError } from "../options";
import { readOutputs, readStackOutputs } from "../outputs";

export interface RedriveTarget {
  readonly names: RedriveOutput;
  readonly s3: S3Client;
  readonly kinesis: KinesisClient;
  readonly firehose: FirehoseClient;
  readonly sqs: SQSClient;
  readonly events: EventBridgeClient;
  readonly lambda: LambdaClient;
  readonly sfn: SFNClient;
  readonly dynamodb: DynamoDBClient;
  /** Interval at which the outcome is looked up. */
  readonly pollMs: number;
  close(): void;
}

/** The platform of `.local/outputs.json`, or a stack on AWS by its outputs file. @throws UsageError if there is none */
export async function redriveTarget(options: {
  readonly aws: boolean;
  readonly outputsFile: string | undefined;
}): Promise<RedriveTarget> {
  if (!options.aws) {
    if (options.outputsFile !== undefined)
      throw new UsageError("--outputs is of a stack on AWS: add --aws, or leave it out to redrive the platform on this machine.");
    const { accessKeyId, secretAccessKey, ...outputs } = readOutputs();
    return connectRedrive(outputs, { endpoint: outputs.awsEndpointUrl, credentials: { accessKeyId, secretAccessKey } });
  }
  return connectRedrive(readStackOutputs(options.outputsFile).outputs, {});
}

interface StackOutputs {
  readonly region?: string;
  readonly redrive?: RedriveOutput;
}

export async function connectRedrive(outputs: unknown, account: Account): Promise<RedriveTarget> {
  // The outputs of our own program have the types that it exports.
  const { region, redrive: names } = (isObject(outputs) ? outputs : {}) as StackOutputs;
  if (region === undefined || names === undefined)
    throw new UsageError("The outputs have no region or no redrive: start the platform or deploy the stack again.");
  // A redrive of more than an hour ends with an error; what it did is noted, so that the next one continues there.
  const session = { region, ...account, credentials: await assumeRole(names.roleArn, "redrive", { region, ...account }) };
  const clients = {
    s3: new S3Client({ ...session, forcePathStyle: account.endpoint !== undefined }),
    kinesis: new KinesisClient(session),
    firehose: new FirehoseClient(session),
    sqs: new SQSClient(session),
    events: new EventBridgeClient(session),
    lambda: new LambdaClient(session),
    sfn: new SFNClient(session),
    dynamodb: new DynamoDBClient(session),
  };
  return {
    names,
    ...clients,
    pollMs: account.endpoint === undefined ? 5000 : 200,
    close: () => {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}
