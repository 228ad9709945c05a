/** The demo's clients: unmodified SDK clients and a PostgreSQL connection, as users have them. */
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { Client as Postgres } from "pg";
import type { Outputs } from "../outputs";

export interface Clients {
  readonly kinesis: KinesisClient;
  readonly dynamodb: DynamoDBClient;
  readonly s3: S3Client;
  readonly lambda: LambdaClient;
  readonly logs: CloudWatchLogsClient;
  readonly cloudwatch: CloudWatchClient;
  readonly warehouse: Postgres;
  close(): Promise<void>;
}

export async function connect(outputs: Outputs): Promise<Clients> {
  const connection = {
    endpoint: outputs.awsEndpointUrl,
    region: outputs.region,
    credentials: { accessKeyId: outputs.accessKeyId, secretAccessKey: outputs.secretAccessKey },
  };
  const warehouse = new Postgres({ connectionString: outputs.warehouseUrl });
  await warehouse.connect();
  const clients = {
    kinesis: new KinesisClient(connection),
    dynamodb: new DynamoDBClient(connection),
    s3: new S3Client({ ...connection, forcePathStyle: true }),
    lambda: new LambdaClient(connection),
    logs: new CloudWatchLogsClient(connection),
    cloudwatch: new CloudWatchClient(connection),
  };
  return {
    ...clients,
    warehouse,
    close: async () => {
      for (const client of Object.values(clients)) client.destroy();
      await warehouse.end();
    },
  };
}
