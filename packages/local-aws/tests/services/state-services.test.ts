import {
  BatchGetItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { GetParameterCommand, GetParameterHistoryCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GraphResource, ResourceBody } from "../../src/contracts";
import { DynamoDbService, dynamoDbBodies } from "../../src/services/dynamodb";
import { iamBodies } from "../../src/services/iam";
import { kmsBodies } from "../../src/services/kms";
import { vpcBodies } from "../../src/services/network";
import { boundProviderCalls } from "../../src/services/provider-calls";
import { s3Bodies } from "../../src/services/s3";
import { secretsManagerBodies } from "../../src/services/secretsmanager";
import { ssmBodies } from "../../src/services/ssm";
import { type SmallPlatform, smallPlatform } from "../endpoint/small-platform";

let platform: SmallPlatform;
let dynamodb: DynamoDBClient;
let ssm: SSMClient;
beforeAll(async () => {
  platform = await smallPlatform();
  dynamodb = new DynamoDBClient(platform.client());
  ssm = new SSMClient(platform.client());
});
afterAll(() => platform.end());

/** Registers and creates a resource as the engine does. */
async function deploy(
  bodies: readonly ResourceBody[],
  type: string,
  name: string,
  inputs: Record<string, unknown>,
  ignoreChanges: string[] = [],
): Promise<GraphResource> {
  const body = bodies.find((candidate) => candidate.type === type);
  if (!body) throw new Error(`no body for ${type}`);
  const { region, accountId } = platform.context;
  const { id, state } = body.outputs({ name, inputs, region, accountId });
  const base = { urn: name, type, name, parent: undefined, inputs, id, dependsOn: [], protect: false, secretInputs: [] };
  const resource: GraphResource = { ...base, state: { ...inputs, ...state }, ignoreChanges };
  await body.create?.(resource);
  return resource;
}

describe("DynamoDB", () => {
  const table = {
    billingMode: "PAY_PER_REQUEST",
    hashKey: "leadId",
    rangeKey: "timestamp",
    attributes: [
      { name: "leadId", type: "S" },
      { name: "timestamp", type: "N" },
    ],
    ttl: { attributeName: "ttl", enabled: true },
    pointInTimeRecovery: { enabled: true },
    deletionProtectionEnabled: true,
  };

  it("gives a table resource its body, again on every start", async () => {
    const bodies = dynamoDbBodies(platform.dynamodb);
    const first = await deploy(bodies, "aws:dynamodb/table:Table", "scores", table);
    await deploy(bodies, "aws:dynamodb/table:Table", "scores", table);
    const TableName = String(first.state.name);
    expect(await platform.dynamodb.tables.find(TableName)).toMatchObject({ TableStatus: "ACTIVE", TableArn: first.state.arn });
    const changed = deploy(bodies, "aws:dynamodb/table:Table", "scores", { ...table, rangeKey: undefined });
    await expect(changed).rejects.toThrow(/the kept table .* has the keys/);
    await expect(platform.dynamodb.tables.delete(TableName)).rejects.toThrow(/protected against deletion/);
  });

  it("writes conditionally and returns the item that failed the condition", async () => {
    await platform.dynamodb.tables.create({
      TableName: "results",
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    });
    const put = (n: string) =>
      dynamodb.send(
        new PutItemCommand({
          TableName: "results",
          Item: { id: { S: "1" }, n: { N: n } },
          ConditionExpression: "attribute_not_exists(id)",
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      );
    await put("1");
    await expect(put("2")).rejects.toMatchObject({ name: "ConditionalCheckFailedException", Item: { n: { N: "1" } } });
    await dynamodb.send(
      new UpdateItemCommand({
        TableName: "results",
        Key: { id: { S: "1" } },
        UpdateExpression: "SET n = n + :one",
        ExpressionAttributeValues: { ":one": { N: "1" } },
      }),
    );
    expect((await dynamodb.send(new GetItemCommand({ TableName: "results", Key: { id: { S: "1" } } }))).Item).toEqual({
      id: { S: "1" },
      n: { N: "2" },
    });
    await dynamodb.send(new PutItemCommand({ TableName: "results", Item: { id: { S: "2" } } }));
    const { Responses } = await dynamodb.send(
      new BatchGetItemCommand({ RequestItems: { results: { Keys: [{ id: { S: "1" } }, { id: { S: "2" } }] } } }),
    );
    expect(Responses?.results).toHaveLength(2);
  });

  it("sweeps expired items by the clock", async () => {
    const tables = platform.dynamodb.tables.settings.entries().map(([name]) => name);
    const TableName = tables.find((name) => name.startsWith("scores")) ?? "";
    const now = Math.floor(Date.now() / 1000);
    for (const [timestamp, ttl] of [
      [1, now + 60],
      [2, now + 600],
    ] as const)
      await dynamodb.send(
        new PutItemCommand({
          TableName,
          Item: { leadId: { S: "l" }, timestamp: { N: String(timestamp) }, ttl: { N: String(ttl) } },
        }),
      );
    platform.time.offset = 120_000;
    expect(await platform.dynamodb.sweepExpired()).toBe(1);
    platform.time.offset = 0;
    const { Items } = await dynamodb.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: "leadId = :l",
        ExpressionAttributeValues: { ":l": { S: "l" } },
        ScanIndexForward: false,
        Limit: 1,
      }),
    );
    expect(Items).toMatchObject([{ timestamp: { N: "2" } }]);
  });

  it("refuses what the library would drop silently", async () => {
    await expect(dynamodb.send(new TransactWriteItemsCommand({ TransactItems: [] }))).rejects.toThrow(
      /'TransactWriteItems' is not supported/,
    );
    const nested = { results: { Keys: [{ id: { S: "1" } }], Surprise: 1 } };
    await expect(platform.dynamodb.call("BatchGetItem", { RequestItems: nested })).rejects.toThrow(/'Surprise' is not supported/);
  });

  it("keeps tables and items over a restart", async () => {
    const first = new DynamoDbService(platform.context, { gate: platform.gate });
    const key = { id: { S: "1" } };
    await first.tables.create({
      TableName: "kept",
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    });
    await first.call("PutItem", { TableName: "kept", Item: key });
    const second = new DynamoDbService(platform.context, { gate: platform.gate });
    expect(await second.call("GetItem", { TableName: "kept", Key: key })).toEqual({ Item: key });
  });

  it("asks roles for the table or its index", async () => {
    const reader = new DynamoDBClient(
      platform.roleClient("reader", [
        { Effect: "Allow", Action: "dynamodb:GetItem", Resource: "arn:aws:dynamodb:us-east-1:000000000000:table/results" },
      ]),
    );
    await expect(reader.send(new GetItemCommand({ TableName: "results", Key: { id: { S: "1" } } }))).resolves.toHaveProperty(
      "Item",
    );
    const query = new QueryCommand({
      TableName: "results",
      IndexName: "byUser",
      KeyConditionExpression: "a = :a",
      ExpressionAttributeValues: { ":a": { S: "x" } },
    });
    await expect(reader.send(query)).rejects.toThrow(/dynamodb:Query on resource: .*table\/results\/index\/byUser/);
  });

  it("asks roles for the key of a table under one of the account's", async () => {
    const key = platform.kms.arnOf("22222222-2222-3333-4444-555555555555");
    await deploy(dynamoDbBodies(platform.dynamodb), "aws:dynamodb/table:Table", "sealed", {
      name: "sealed",
      billingMode: "PAY_PER_REQUEST",
      hashKey: "id",
      attributes: [{ name: "id", type: "S" }],
      serverSideEncryption: { enabled: true, kmsKeyArn: key },
    });
    const grants = [{ Effect: "Allow", Action: "dynamodb:*", Resource: "*" }];
    const get = () => new GetItemCommand({ TableName: "sealed", Key: { id: { S: "1" } } });
    const keyless = new DynamoDBClient(platform.roleClient("keyless", grants));
    await expect(keyless.send(get())).rejects.toThrow(`kms:Decrypt on resource: ${key}`);
    const viaDynamoDb = {
      StringEquals: {
        "kms:ViaService": "dynamodb.us-east-1.amazonaws.com",
        "kms:EncryptionContext:aws:dynamodb:tableName": "sealed",
      },
    };
    const decrypt = { Effect: "Allow", Action: "kms:Decrypt", Resource: key, Condition: viaDynamoDb };
    const reader = new DynamoDBClient(platform.roleClient("with-key", [...grants, decrypt]));
    await expect(reader.send(get())).resolves.toBeDefined();
  });
});

describe("Parameter Store", () => {
  it("keeps versions, refuses overwriting by accident and too large values", async () => {
    await ssm.send(new PutParameterCommand({ Name: "/app/a", Type: "String", Value: "1" }));
    await expect(ssm.send(new PutParameterCommand({ Name: "/app/a", Type: "String", Value: "2" }))).rejects.toMatchObject({
      name: "ParameterAlreadyExists",
    });
    await ssm.send(new PutParameterCommand({ Name: "/app/a", Value: "2", Overwrite: true }));
    expect((await ssm.send(new GetParameterCommand({ Name: "/app/a:1" }))).Parameter).toMatchObject({
      Value: "1",
      Selector: ":1",
    });
    await expect(ssm.send(new PutParameterCommand({ Name: "/app/b", Type: "String", Value: "x".repeat(4097) }))).rejects.toThrow(
      /4097 bytes; the Standard tier allows 4096/,
    );
    await ssm.send(new PutParameterCommand({ Name: "/app/b", Type: "String", Value: "x".repeat(4096) }));
    await ssm.send(new PutParameterCommand({ Name: "/app/b", Value: "b", Overwrite: true }));
    const history = await ssm.send(new GetParameterHistoryCommand({ Name: "/app/b", MaxResults: 1 }));
    const older = await ssm.send(new GetParameterHistoryCommand({ Name: "/app/b", NextToken: history.NextToken }));
    expect([history, older].map(({ Parameters }) => Parameters?.map(({ Version }) => Version))).toEqual([[1], [2]]);
    await expect(ssm.send(new GetParameterCommand({ Name: "/none" }))).rejects.toMatchObject({ name: "ParameterNotFound" });
  });

  it("encrypts SecureString at rest and asks for the customer's key", async () => {
    await ssm.send(
      new PutParameterCommand({
        Name: "/app/key",
        Type: "SecureString",
        Value: "s3cret",
        KeyId: "aaaaaaaa-2222-3333-4444-555555555555",
      }),
    );
    expect((await ssm.send(new GetParameterCommand({ Name: "/app/key" }))).Parameter?.Value).not.toContain("s3cret");
    expect((await ssm.send(new GetParameterCommand({ Name: "/app/key", WithDecryption: true }))).Parameter?.Value).toBe("s3cret");
    const row = platform.context.db.prepare("SELECT sealed FROM ssm_parameters WHERE name = '/app/key'").get();
    expect(Buffer.from(row?.sealed as Uint8Array).includes("s3cret")).toBe(false);
    const role = new SSMClient(platform.roleClient("ssm-only", [{ Effect: "Allow", Action: "ssm:GetParameter", Resource: "*" }]));
    await expect(role.send(new GetParameterCommand({ Name: "/app/key", WithDecryption: true }))).rejects.toThrow(/kms:Decrypt/);
  });

  it("refuses members that it would drop", async () => {
    const policies = new PutParameterCommand({ Name: "/app/p", Type: "String", Value: "1", Policies: "[]" });
    await expect(ssm.send(policies)).rejects.toThrow(/Policies is not supported/);
  });
});

describe("secrets", () => {
  it("keep their first random value when changes are ignored", async () => {
    const bodies = secretsManagerBodies(platform.secrets);
    const calls = boundProviderCalls(platform.context);
    const password = () =>
      calls["aws:secretsmanager/getRandomPassword:getRandomPassword"]?.({ passwordLength: 40, excludePunctuation: true })
        .randomPassword;
    const secret = await deploy(bodies, "aws:secretsmanager/secret:Secret", "token-key", { description: "d" });
    const secretString = password();
    expect(secretString).toMatch(/^[A-Za-z0-9]{40}$/);
    const version = "aws:secretsmanager/secretVersion:SecretVersion";
    await deploy(bodies, version, "v", { secretId: secret.id, secretString }, ["secretString"]);
    await deploy(bodies, version, "v", { secretId: secret.id, secretString: password() }, ["secretString"]);
    const client = new SecretsManagerClient(platform.client());
    expect(await client.send(new GetSecretValueCommand({ SecretId: secret.id }))).toMatchObject({
      SecretString: secretString,
      ARN: secret.state.arn,
      VersionStages: ["AWSCURRENT"],
    });
    await expect(client.send(new GetSecretValueCommand({ SecretId: "none" }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });
});

describe("resource bodies", () => {
  it("of parameters write only what changed", async () => {
    const bodies = ssmBodies(platform.ssm);
    const type = "aws:ssm/parameter:Parameter";
    const inputs = { name: "/policy", type: "String", value: "{}" };
    await deploy(bodies, type, "policy", inputs);
    await deploy(bodies, type, "policy", inputs);
    expect(platform.ssm.parameters.find("/policy")?.version).toBe(1);
    await deploy(bodies, type, "policy", { ...inputs, value: '{"a":1}' });
    expect(platform.ssm.parameters.find("/policy")).toMatchObject({ version: 2, value: '{"a":1}' });
  });

  it("of buckets apply their settings", async () => {
    const bodies = s3Bodies(platform.s3, platform.iam);
    const { id: bucket } = await deploy(bodies, "aws:s3/bucket:Bucket", "models", { forceDestroy: true });
    await deploy(bodies, "aws:s3/bucketVersioning:BucketVersioning", "v", {
      bucket,
      versioningConfiguration: { status: "Enabled" },
    });
    await deploy(bodies, "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "l", {
      bucket,
      rules: [{ id: "x", status: "Enabled", filter: { prefix: "a/" }, expiration: { days: 3 }, transitions: [{}] }],
    });
    await deploy(bodies, "aws:s3/bucketNotification:BucketNotification", "n", {
      bucket,
      queues: [{ id: "q", queueArn: "arn:aws:sqs:us-east-1:000000000000:q", events: ["s3:ObjectCreated:*"], filterPrefix: "a/" }],
    });
    const policy = JSON.stringify({
      Statement: [
        {
          Effect: "Deny",
          Principal: "*",
          Action: "s3:*",
          Resource: "*",
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ],
    });
    await deploy(bodies, "aws:s3/bucketPolicy:BucketPolicy", "p", { bucket, policy });
    expect(platform.s3.store.config(bucket)).toMatchObject({
      versioning: "Enabled",
      expirations: [{ prefix: "a/", days: 3 }],
      notifications: [{ id: "q", prefix: "a/", suffix: "" }],
    });
    expect(platform.iam.resourcePolicy(`arn:aws:s3:::${bucket}`)).toBeDefined();
    const lifecycle = deploy(bodies, "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "l", {
      bucket,
      rules: [{ surprise: 1 }],
    });
    await expect(lifecycle).rejects.toThrow(/surprise/);
  });

  it("of roles and keys take effect", async () => {
    const trust = JSON.stringify({
      Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
    });
    const bodies = iamBodies(platform.iam);
    const role = await deploy(bodies, "aws:iam/role:Role", "fn-role", { assumeRolePolicy: trust });
    const policy = JSON.stringify({ Statement: [{ Effect: "Allow", Action: "ssm:GetParameter", Resource: "*" }] });
    await deploy(bodies, "aws:iam/rolePolicy:RolePolicy", "fn-policy", { role: role.id, policy });
    const client = new SSMClient(platform.client(platform.credentials.issue(String(role.state.arn))));
    await expect(client.send(new GetParameterCommand({ Name: "/policy" }))).resolves.toBeDefined();
    const keys = kmsBodies(platform.kms, platform.iam);
    const key = await deploy(keys, "aws:kms/key:Key", "data", { description: "d", enableKeyRotation: true });
    await deploy(keys, "aws:kms/alias:Alias", "alias", { name: "alias/data", targetKeyId: key.id });
    expect(platform.kms.arnOf("alias/data")).toBe(key.state.arn);
  });

  it("of the network answer stable ids for each zone", () => {
    const vpc = vpcBodies().find(({ type }) => type === "awsx:ec2:Vpc");
    const args = {
      name: "net",
      inputs: { numberOfAvailabilityZones: 2, subnetSpecs: [{ type: "Isolated" }] },
      region: "us-east-1",
      accountId: "000000000000",
    };
    expect(vpc?.outputs(args)).toEqual(vpc?.outputs(args));
    expect(vpc?.outputs(args).state).toMatchObject({
      isolatedSubnetIds: [expect.stringMatching(/^subnet-/), expect.stringMatching(/^subnet-/)],
      privateSubnetIds: [],
    });
  });
});
