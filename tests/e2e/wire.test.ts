/** Unmodified clients against the running platform: every service it uses, over its own wire protocol. */
import { CloudWatchClient, DescribeAlarmsCommand, GetMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  FilterLogEventsCommand,
  PutRetentionPolicyCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { KinesisClient, PutRecordCommand, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  DescribeStatementCommand,
  ExecuteStatementCommand,
  GetStatementResultCommand,
  RedshiftDataClient,
} from "@aws-sdk/client-redshift-data";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { GetParameterCommand, GetParametersCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { Client as Postgres } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connection, mailsAbout, settled, startWorld, transactions, until, type World } from "./support";

let world: World;
beforeAll(async () => {
  world = await startWorld();
  // Sets the variables of the printed export line; no client is configured otherwise.
  process.env.AWS_ENDPOINT_URL = world.names.awsEndpointUrl;
  process.env.AWS_REGION = world.names.region;
  process.env.AWS_ACCESS_KEY_ID = world.names.accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = world.names.secretAccessKey;
}, 60_000);
afterAll(async () => {
  for (const name of ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) delete process.env[name];
  await world?.stop();
});

const name = (key: string) => world.names[key] ?? "";

describe("SDK clients that only know the environment", () => {
  it("put records into the stream", async () => {
    const kinesis = new KinesisClient({});
    const StreamName = name("streamName");
    const [one, two, three] = transactions("wire", 3).map((body) => Buffer.from(JSON.stringify(body)));
    const put = await kinesis.send(new PutRecordCommand({ StreamName, PartitionKey: "a", Data: one }));
    expect(put.ShardId).toBe("shardId-000000000000");
    const many = await kinesis.send(
      new PutRecordsCommand({
        StreamName,
        Records: [two, three].map((Data) => ({ PartitionKey: "a", Data })),
      }),
    );
    expect(many.FailedRecordCount).toBe(0);
    const { records } = world.platform.services.kinesis.readShard(StreamName, put.ShardId ?? "", "", 10);
    expect(records.map(({ data }) => String(data))).toEqual([one, two, three].map(String));
    kinesis.destroy();
  });

  it("get and query items of the tables", async () => {
    const dynamodb = new DynamoDBClient({});
    await settled(world);
    const { Item } = await dynamodb.send(
      new GetItemCommand({ TableName: name("resultsTable"), Key: { transaction_id: { S: "wire-0000" } } }),
    );
    expect(Item?.band?.S).toBe("low");
    expect(Item?.user_id?.S).toMatch(/^tok_/);
    const TableName = name("scoresTable");
    for (const timestamp of ["1", "2"]) {
      await dynamodb.send(new PutItemCommand({ TableName, Item: { leadId: { S: "wire" }, timestamp: { N: timestamp } } }));
    }
    const { Items } = await dynamodb.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: "leadId = :id",
        ExpressionAttributeValues: { ":id": { S: "wire" } },
        ScanIndexForward: false,
        Limit: 1,
      }),
    );
    expect(Items?.map((item) => item.timestamp?.N)).toEqual(["2"]);
    dynamodb.destroy();
  });

  it("list, get and conditionally put objects", async () => {
    const s3 = new S3Client({ forcePathStyle: true });
    const Bucket = name("dataBucket");
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "archive/fraud/" }));
    expect(Contents.length).toBeGreaterThan(0);
    const object = await s3.send(new GetObjectCommand({ Bucket, Key: Contents[0]?.Key }));
    expect((await object.Body?.transformToByteArray())?.slice(0, 2)).toEqual(new Uint8Array([0x28, 0xb5]));
    const put = () => s3.send(new PutObjectCommand({ Bucket, Key: "notes/wire.txt", Body: "once", IfNoneMatch: "*" }));
    await put();
    await expect(put()).rejects.toMatchObject({ name: "PreconditionFailed" });
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: "notes/none.txt" }))).rejects.toMatchObject({ name: "NoSuchKey" });
    s3.destroy();
  });

  it("get and put parameters, and read secrets", async () => {
    const ssm = new SSMClient({});
    const put = await ssm.send(new PutParameterCommand({ Name: "/wire/test", Value: "1", Type: "String" }));
    expect(put.Version).toBe(1);
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: "/wire/test" }));
    expect(Parameter).toMatchObject({ Value: "1", Type: "String", Version: 1 });
    await expect(ssm.send(new PutParameterCommand({ Name: "/wire/test", Value: "2" }))).rejects.toMatchObject({
      name: "ParameterAlreadyExists",
    });
    ssm.destroy();
    const secrets = new SecretsManagerClient({});
    const admin = await secrets.send(new GetSecretValueCommand({ SecretId: name("warehouseAdminSecretArn") }));
    expect(JSON.parse(admin.SecretString ?? "{}")).toMatchObject({ username: expect.any(String), password: expect.any(String) });
    secrets.destroy();
  });

  it("put events that rules route to the log group and an e-mail", async () => {
    const events = new EventBridgeClient({});
    const EventBusName = name("eventBusName");
    const detail = { leadId: "wire-lead", score: 97, timestamp: new Date().toISOString() };
    const put = await events.send(
      new PutEventsCommand({
        Entries: [{ EventBusName, Source: "lead.scoring", DetailType: "Lead Scored", Detail: JSON.stringify(detail) }],
      }),
    );
    expect(put.FailedEntryCount).toBe(0);
    const { store } = world.platform.services.events;
    const targets = store.rules(EventBusName).flatMap((rule) => store.targets(EventBusName, rule.name));
    expect(targets.length).toBeGreaterThanOrEqual(3);
    for (const { DeadLetterArn } of targets) expect(DeadLetterArn).toMatch(/^arn:aws:sqs:/);
    const logs = new CloudWatchLogsClient({});
    await until("the event in the log group", async () => {
      const found = await logs.send(
        new FilterLogEventsCommand({
          logGroupName: name("highScoresLogGroup"),
          filterPattern: '"wire-lead"',
        }),
      );
      return (found.events ?? []).length === 1;
    });
    await until("the e-mail", () => mailsAbout(world, "wire-lead") === 1);
    events.destroy();
    logs.destroy();
  });

  it("read the attributes of queues", async () => {
    const sqs = new SQSClient({});
    const QueueUrl = name("loadQueueUrl");
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
    expect(Attributes?.QueueArn).toMatch(/^arn:aws:sqs:us-east-1:000000000000:/);
    sqs.destroy();
  });

  it("invoke functions and read their logs", async () => {
    const lambda = new LambdaClient({});
    const FunctionName = name("loaderFunction");
    const answer = await lambda.send(new InvokeCommand({ FunctionName, Payload: Buffer.from("{}"), LogType: "Tail" }));
    expect(JSON.parse(Buffer.from(answer.Payload ?? []).toString())).toMatchObject({ failed: 0, pending: 0 });
    expect(Buffer.from(answer.LogResult ?? "", "base64").toString()).toContain("REPORT RequestId:");
    await expect(lambda.send(new InvokeCommand({ FunctionName: "nobody" }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
    lambda.destroy();
    const logs = new CloudWatchLogsClient({});
    const logGroupName = world.platform.services.lambda.pool.get(FunctionName)?.config.logGroup;
    const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName }));
    expect(events.some(({ message }) => message?.startsWith("START RequestId:"))).toBe(true);
    const own = "/aws/sagemaker/Other";
    await logs.send(new CreateLogGroupCommand({ logGroupName: own }));
    await logs.send(new PutRetentionPolicyCommand({ logGroupName: own, retentionInDays: 30 }));
    expect(world.platform.services.logs.groups()).toContainEqual({ name: own, retentionDays: 30 });
    logs.destroy();
  });

  it("describe alarms and metrics", async () => {
    const cloudwatch = new CloudWatchClient({});
    const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({}));
    expect(MetricAlarms.find(({ MetricName }) => MetricName === "ScoringLatency")).toMatchObject({
      Threshold: 3000,
      Period: 300,
      EvaluationPeriods: 2,
      TreatMissingData: "notBreaching",
    });
    const environment = MetricAlarms.flatMap(({ Dimensions = [] }) => Dimensions).find(({ Name }) => Name === "Environment");
    const Dimensions = [
      { Name: "Environment", Value: environment?.Value },
      { Name: "Profile", Value: "fraud" },
    ];
    const Metric = { Namespace: "RiskScoring", MetricName: "Scored", Dimensions };
    const now = Date.now();
    const { MetricDataResults = [] } = await cloudwatch.send(
      new GetMetricDataCommand({
        StartTime: new Date(now - 600_000),
        EndTime: new Date(now + 120_000),
        MetricDataQueries: [{ Id: "scored", MetricStat: { Metric, Period: 60, Stat: "Sum" } }],
      }),
    );
    expect(MetricDataResults[0]?.Values?.reduce((sum, value) => sum + value, 0)).toBe(3);
    cloudwatch.destroy();
  });

  it("execute statements in the warehouse", async () => {
    const redshift = new RedshiftDataClient({});
    const where = { WorkgroupName: name("warehouseWorkgroup"), Database: name("warehouseDatabase") };
    const run = async (Sql: string) => {
      const { Id } = await redshift.send(new ExecuteStatementCommand({ ...where, Sql }));
      const state = await until("the statement is over", async () => {
        const described = await redshift.send(new DescribeStatementCommand({ Id }));
        return ["FINISHED", "FAILED"].includes(described.Status ?? "") && described;
      });
      return { Id, state };
    };
    const good = await run("select event_id, score from risk.risk_events where event_id like 'wire-%' order by 1");
    expect(good.state).toMatchObject({ Status: "FINISHED", HasResultSet: true, ResultRows: 3 });
    const { Records = [], ColumnMetadata = [] } = await redshift.send(new GetStatementResultCommand({ Id: good.Id }));
    expect(ColumnMetadata.map((column) => column.name)).toEqual(["event_id", "score"]);
    expect(Records.map(([id]) => id?.stringValue)).toEqual(["wire-0000", "wire-0001", "wire-0002"]);
    const bad = await run("select nothing from nowhere");
    expect(bad.state.Status).toBe("FAILED");
    expect(bad.state.Error).toContain("nowhere");
    redshift.destroy();
  });
});

describe("PostgreSQL's protocol", () => {
  it("serves queries on tables and views", async () => {
    const client = new Postgres({ connectionString: world.names.warehouseUrl });
    await client.connect();
    const events = await client.query("select count(*)::int as n from risk.risk_events where event_id like 'wire-%'");
    expect(events.rows).toEqual([{ n: 3 }]);
    const views = await client.query(
      "select table_schema, table_name from information_schema.views where table_schema not in ('pg_catalog', 'information_schema')",
    );
    expect(views.rows.length).toBeGreaterThanOrEqual(6);
    for (const view of views.rows) await client.query(`select * from ${view.table_schema}.${view.table_name} limit 1`);
    await client.end();
  });
});

describe("callers without permission", () => {
  it("get a signature error with a wrong secret key", async () => {
    const credentials = { accessKeyId: world.names.accessKeyId, secretAccessKey: "wrong" };
    const options = { ...connection(world), credentials };
    const dynamodb = new DynamoDBClient(options);
    const s3 = new S3Client({ ...options, forcePathStyle: true });
    await expect(
      dynamodb.send(new GetItemCommand({ TableName: name("resultsTable"), Key: { transaction_id: { S: "x" } } })),
    ).rejects.toMatchObject({ name: "InvalidSignatureException" });
    await expect(s3.send(new ListObjectsV2Command({ Bucket: name("dataBucket") }))).rejects.toMatchObject({
      name: "SignatureDoesNotMatch",
    });
    for (const client of [dynamodb, s3]) client.destroy();
  });

  it("get an error with an unknown access key", async () => {
    const kinesis = new KinesisClient({ ...connection(world), credentials: { accessKeyId: "AKIANOBODY", secretAccessKey: "x" } });
    const put = new PutRecordCommand({ StreamName: name("streamName"), PartitionKey: "a", Data: Buffer.from("x") });
    await expect(kinesis.send(put)).rejects.toMatchObject({
      name: "UnrecognizedClientException",
    });
    kinesis.destroy();
  });

  it("get action, resource and role named when a function's role lacks the permission", async () => {
    const roleArn = world.platform.services.lambda.pool.get(name("streamFunction"))?.config.roleArn ?? "";
    const roleName = roleArn.split("/").at(-1) ?? "";
    const credentials = world.platform.credentialsOf(name("streamFunction"));
    const options = { ...connection(world), credentials };
    const ssm = new SSMClient(options);
    await ssm.send(new GetParametersCommand({ Names: [name("fraudPolicyParameter")] }));
    const put = ssm.send(new PutParameterCommand({ Name: name("fraudPolicyParameter"), Value: "{}", Overwrite: true }));
    await expect(put).rejects.toMatchObject({ name: "AccessDeniedException" });
    await expect(put).rejects.toThrow(`assumed-role/${roleName}/`);
    await expect(put).rejects.toThrow("ssm:PutParameter");
    await expect(put).rejects.toThrow(`arn:aws:ssm:us-east-1:000000000000:parameter${name("fraudPolicyParameter")}`);
    const s3 = new S3Client({ ...options, forcePathStyle: true });
    const object = s3.send(new PutObjectCommand({ Bucket: name("dataBucket"), Key: "models/x", Body: "x" }));
    await expect(object).rejects.toMatchObject({ name: "AccessDenied" });
    await expect(object).rejects.toThrow("s3:PutObject");
    for (const client of [ssm, s3]) client.destroy();
  });
});
