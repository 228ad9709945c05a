/** moto as a side: what must be there is made by its own API. */
import { PutMetricAlarmCommand, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { CreateLogGroupCommand, CreateLogStreamCommand, PutLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { CreateEventBusCommand, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { CreateJobCommand, CreateRegistryCommand, CreateSchemaCommand } from "@aws-sdk/client-glue";
import { CreateStreamCommand } from "@aws-sdk/client-kinesis";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { CreateModelPackageGroupCommand } from "@aws-sdk/client-sagemaker";
import { CreateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { CreateStateMachineCommand } from "@aws-sdk/client-sfn";
import { CreateQueueCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { ASSUMED_BY, DELIVERABLE, type Given } from "./given";
import { connect } from "./sides";

export const MOTO_CREDENTIALS = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "any" };
const ACCOUNT = "123456789012";

export function motoGiven(url: string): Given {
  const aws = connect(url, MOTO_CREDENTIALS, []);
  const role = async (name: string, service: string) => {
    await iam(url, { Action: "CreateRole", RoleName: name, AssumeRolePolicyDocument: ASSUMED_BY(service) });
    return `arn:aws:iam::${ACCOUNT}:role/${name}`;
  };
  return {
    queue: async (name, messages = []) => {
      const { QueueUrl = "" } = await aws.sqs.send(
        new CreateQueueCommand({ QueueName: name, Attributes: { Policy: DELIVERABLE } }),
      );
      for (const MessageBody of messages) await aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
      return { url: QueueUrl, arn: `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}` };
    },
    stream: async (StreamName) => void (await aws.kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }))),
    table: async ({ name, key, sort }) => {
      const keys = [
        { AttributeName: key, KeyType: "HASH" as const },
        ...(sort === undefined ? [] : [{ AttributeName: sort, KeyType: "RANGE" as const }]),
      ];
      await aws.dynamodb.send(
        new CreateTableCommand({
          TableName: name,
          BillingMode: "PAY_PER_REQUEST",
          KeySchema: keys,
          AttributeDefinitions: keys.map(({ AttributeName }) => ({ AttributeName, AttributeType: "S" })),
        }),
      );
    },
    bucket: async (Bucket) => void (await aws.s3.send(new CreateBucketCommand({ Bucket }))),
    bus: async (Name) => void (await aws.events.send(new CreateEventBusCommand({ Name }))),
    rule: async (EventBusName, EventPattern, Arn) => {
      await aws.events.send(new PutRuleCommand({ EventBusName, Name: "rule", EventPattern }));
      await aws.events.send(new PutTargetsCommand({ EventBusName, Rule: "rule", Targets: [{ Id: "one", Arn }] }));
    },
    logGroup: async (logGroupName) => void (await aws.logs.send(new CreateLogGroupCommand({ logGroupName }))),
    logEvents: async (logGroupName, logStreamName, messages) => {
      const first = Date.now() - 60_000;
      await aws.logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
      const logEvents = messages.map((message, index) => ({ message, timestamp: first + index * 1000 }));
      await aws.logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
    },
    metric: async (Namespace, MetricName, values) => {
      const MetricData = values.map((Value) => ({ MetricName, Value, Unit: "Count" as const }));
      await aws.cloudwatch.send(new PutMetricDataCommand({ Namespace, MetricData }));
    },
    alarm: async ({ name, description, namespace, metricName, threshold }) =>
      void (await aws.cloudwatch.send(
        new PutMetricAlarmCommand({
          AlarmName: name,
          AlarmDescription: description,
          Namespace: namespace,
          MetricName: metricName,
          Threshold: threshold,
          Statistic: "Sum",
          Period: 60,
          EvaluationPeriods: 1,
          ComparisonOperator: "GreaterThanThreshold",
        }),
      )),
    secret: async (Name, SecretString) => void (await aws.secrets.send(new CreateSecretCommand({ Name, SecretString }))),
    role,
    machine: async (name, definition) => {
      const roleArn = await role(`${name}-role`, "states");
      return (await aws.sfn.send(new CreateStateMachineCommand({ name, definition, roleArn }))).stateMachineArn ?? "";
    },
    job: async (Name) =>
      void (await aws.glue.send(
        new CreateJobCommand({
          Name,
          Role: await role(`${Name}-role`, "glue"),
          Command: { Name: "glueetl", PythonVersion: "3", ScriptLocation: "s3://conformance-scripts/job.py" },
          DefaultArguments: { "--day": "sunday", "--table": "scores" },
          GlueVersion: "5.0",
          Timeout: 5,
        }),
      )),
    schema: async (RegistryName, SchemaName, SchemaDefinition) => {
      await aws.glue.send(new CreateRegistryCommand({ RegistryName }));
      const RegistryId = { RegistryName };
      const kind = { DataFormat: "AVRO", Compatibility: "BACKWARD" } as const;
      await aws.glue.send(new CreateSchemaCommand({ RegistryId, SchemaName, ...kind, SchemaDefinition }));
    },
    modelPackageGroup: async (ModelPackageGroupName) =>
      void (await aws.sagemaker.send(new CreateModelPackageGroupCommand({ ModelPackageGroupName }))),
  };
}

/** The project has no client of IAM. moto finds the service in the credential scope and verifies no signature. */
async function iam(url: string, parameters: Readonly<Record<string, string>>): Promise<void> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { authorization: "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/iam/aws4_request" },
    body: new URLSearchParams({ Version: "2010-05-08", ...parameters }),
  });
  if (!answer.ok) throw new Error(`moto's IAM refused ${parameters.Action}: ${await answer.text()}`);
}
