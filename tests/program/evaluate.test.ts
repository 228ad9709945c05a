import { describe, expect, it } from "vitest";
import { reservations } from "../../stacks/concurrency";
import { parseConfig } from "../../stacks/config";
import { type Evaluation, evaluateStack, evaluateStackNow, stackValues } from "../helpers/recorder";

const unchanged = evaluateStack("dev");

/** Everything of a graph by URN, without the stack's name. */
function content(graph: Evaluation): Map<string, string> {
  return new Map(graph.resources.map((resource) => [resource.urn, JSON.stringify({ ...resource.inputs, urn: undefined })]));
}

function changed(before: Evaluation, after: Evaluation): string[] {
  const old = content(before);
  const now = content(after);
  return [...new Set([...old.keys(), ...now.keys()])].filter((urn) => old.get(urn) !== now.get(urn));
}

describe("the three stacks", () => {
  it.each([
    { stack: "dev", region: "us-east-1", shards: 1, memory: 512, units: 5, errorRate: 10, logs: 7, on: false },
    { stack: "staging", region: "us-west-2", shards: 2, memory: 1024, units: 10, errorRate: 5, logs: 14, on: true },
    { stack: "prod", region: "us-east-1", shards: 4, memory: 2048, units: 25, errorRate: 2, logs: 30, on: true },
  ])("$stack has the values of the design's table", async ({ stack, region, shards, memory, units, errorRate, logs, on }) => {
    const graph = await evaluateStack(stack);
    expect(graph.find("aws:kinesis/stream:Stream", "fraud-stream").inputs).toMatchObject({
      name: `fraud-transactions-${stack}-a1`,
      shardCount: shards,
      encryptionType: "KMS",
    });
    expect(graph.find("aws:lambda/function:Function", "fraud-processor-function").inputs).toMatchObject({
      name: `fraud-processor-${stack}-a1`,
      memorySize: memory,
      runtime: "nodejs24.x",
      architectures: ["arm64"],
      tracingConfig: { mode: on ? "Active" : "PassThrough" },
    });
    expect(graph.find("aws:dynamodb/table:Table", "fraud-results-table").inputs).toMatchObject({
      name: `fraud-results-${stack}-a1`,
      readCapacity: units,
      writeCapacity: units,
      pointInTimeRecovery: { enabled: on },
    });
    expect(graph.find("aws:s3/bucket:Bucket", "fraud-data-bucket").inputs).toMatchObject({
      bucket: `company-fraud-data-${stack}-${region}-a1`,
    });
    expect(graph.find("aws:cloudwatch/metricAlarm:MetricAlarm", "fraud-error-rate").inputs).toMatchObject({
      threshold: errorRate,
    });
    for (const group of graph.ofType("aws:cloudwatch/logGroup:LogGroup")) {
      expect(group.inputs, group.name).toMatchObject({ retentionInDays: logs, kmsKeyId: expect.any(String) });
    }
    expect(graph.find("aws:apigateway/stage:Stage", "scoring-stage").inputs).toMatchObject({ xrayTracingEnabled: on });
    expect(graph.outputs).toMatchObject({
      region,
      streamName: expect.anything(),
      apiUrl: expect.anything(),
      loaderFunction: expect.anything(),
    });
  });

  it("have one setting that makes stream and results table scale with the load, without units", async () => {
    const graph = await evaluateStack("prod", { "risk:fraud.capacityMode": "onDemand" });
    const stream = graph.find("aws:kinesis/stream:Stream", "fraud-stream");
    expect(stream.inputs).toMatchObject({ streamModeDetails: { streamMode: "ON_DEMAND" } });
    expect(stream.inputs).not.toHaveProperty("shardCount");
    const table = graph.find("aws:dynamodb/table:Table", "fraud-results-table");
    expect(table.inputs).toMatchObject({ billingMode: "PAY_PER_REQUEST" });
    expect(table.inputs).not.toHaveProperty("writeCapacity");
    expect(graph.ofType("aws:appautoscaling/target:Target")).toEqual([]);
    const fixed = await evaluateStack("prod");
    expect(fixed.ofType("aws:appautoscaling/target:Target")).toHaveLength(2);
    expect(fixed.find("aws:dynamodb/table:Table", "fraud-results-table").urn).toBe(table.urn);
  });

  it("have valid names for the longest settings that the check allows", async () => {
    const graph = await evaluateStack("prod", {
      "aws:region": "ap-southeast-2",
      "risk:environment": "integratio",
      "risk:suffix": "abcdefgh",
      "risk:bucketPrefix": "abcdefghijklm",
    });
    expect(graph.find("aws:s3/bucket:Bucket", "pipelines-bucket").inputs).toMatchObject({
      bucket: "abcdefghijklm-risk-pipelines-integratio-ap-southeast-2-abcdefgh",
    });
  });

  it("protect resources that hold data exactly where the setting says so", async () => {
    const prod = await evaluateStack("prod");
    const dev = await unchanged;
    expect(prod.resources.filter((resource) => resource.protect).map((resource) => resource.name)).toEqual(
      expect.arrayContaining(["fraud-stream", "fraud-results-table", "fraud-data-bucket", "warehouse-namespace"]),
    );
    expect(dev.resources.filter((resource) => resource.protect)).toEqual([]);
  });
});

describe("a changed setting", () => {
  it.each([
    { key: "risk:fraud.policy", value: '{"bands":{"high":0.75},"weights":{"impossible_travel":0.7}}', parameter: "fraud-policy" },
    { key: "risk:lead.policy", value: '{"bands":{"high":75}}', parameter: "scoring-lead-policy" },
  ])("$key touches the parameter $parameter alone", async ({ key, value, parameter }) => {
    const before = await unchanged;
    const after = await evaluateStack("dev", { [key]: value });
    expect(changed(before, after)).toEqual([before.find("aws:ssm/parameter:Parameter", parameter).urn]);
  });

  it("moves the window of event times", async () => {
    const graph = await evaluateStack("dev", { "risk:fraud.maxEventAgeDays": "30", "risk:fraud.maxEventFutureMinutes": "5" });
    expect(graph.find("aws:lambda/function:Function", "fraud-processor-function").inputs).toMatchObject({
      environment: { variables: { MAX_EVENT_AGE_DAYS: "30", MAX_EVENT_FUTURE_MINUTES: "5" } },
    });
  });

  it("makes functions read policies and models more often", async () => {
    const graph = await evaluateStack("dev", { "risk:policyTtlSeconds": "7" });
    for (const name of [
      "fraud-processor-function",
      "scoring-lead-function",
      "scoring-churn-function",
      "scoring-device-function",
    ]) {
      expect(graph.find("aws:lambda/function:Function", name).inputs).toMatchObject({
        environment: { variables: { POLICY_TTL_SECONDS: "7" } },
      });
    }
  });

  it("gives the same graph when nothing changed: the program is deterministic", async () => {
    expect(changed(await unchanged, await evaluateStackNow("dev"))).toEqual([]);
  });

  it("removes the warehouse with all its parts", async () => {
    const graph = await evaluateStack("dev", { "risk:warehouse.enabled": "false", "risk:pipelines.enabled": "false" });
    expect(graph.resources.filter(({ type }) => /redshift|awsx|ec2/.test(type))).toEqual([]);
  });

  it.each([
    { mode: "iam", authorization: "AWS_IAM", apiKeyRequired: false, keys: 0 },
    { mode: "none", authorization: "NONE", apiKeyRequired: false, keys: 0 },
    { mode: "apiKey", authorization: "NONE", apiKeyRequired: true, keys: 1 },
    { mode: "cognito", authorization: "COGNITO_USER_POOLS", apiKeyRequired: false, keys: 0 },
  ])("api.auth $mode", async ({ mode, authorization, apiKeyRequired, keys }) => {
    const pool = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_EXAMPLE";
    const graph = await evaluateStack("dev", { "risk:api.auth": mode, "risk:api.cognitoUserPoolArn": pool });
    const methods = graph.ofType("aws:apigateway/method:Method").map(({ inputs }) => inputs);
    // Three profiles, feedback, events and decisions.
    expect(methods).toHaveLength(6);
    for (const method of methods) expect(method).toMatchObject({ authorization, apiKeyRequired });
    expect(graph.ofType("aws:apigateway/apiKey:ApiKey")).toHaveLength(keys);
  });

  it.each([
    {},
    {
      "risk:api.reservedConcurrency": "205",
      "risk:api.provisionedConcurrency": "2",
      "risk:accountConcurrencyLimit": "2000",
    },
    { "risk:reserveConcurrency": "false", "risk:api.provisionedConcurrency": "3" },
    { "risk:pipelines.datasets": "churn", "risk:inference.mapConcurrency": "5" },
  ])("reserves as many executions as the check of the account's limit counts, with %o", async (overrides) => {
    const graph = await evaluateStack("dev", overrides);
    const reserved = new Map<string, number>(
      graph
        .ofType("aws:lambda/function:Function")
        .map(({ name, inputs }) => [`${name}-0001`, Number(inputs.reservedConcurrentExecutions ?? 0)]),
    );
    const warm = graph
      .ofType("aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig")
      .filter(({ inputs }) => reserved.get(String(inputs.functionName)) === 0)
      .map(({ inputs }) => Number(inputs.provisionedConcurrentExecutions));
    const counted = reservations(parseConfig("dev", stackValues("dev", overrides))).map(({ executions }) => executions);
    const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
    expect(sum(counted)).toBe(sum(reserved.values()) + sum(warm));
  });

  it("puts warm executions behind an alias", async () => {
    const graph = await evaluateStack("dev", { "risk:api.provisionedConcurrency": "2" });
    const warm = graph.find("aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig", "scoring-lead-warm");
    expect(warm.inputs).toMatchObject({ provisionedConcurrentExecutions: 2, qualifier: "live" });
    expect(graph.find("aws:lambda/permission:Permission", "scoring-lead-permission").inputs).toMatchObject({
      qualifier: "live",
    });
  });

  it("lists every problem of a bad config", async () => {
    const bad = evaluateStack("dev", { "risk:fraud.shards": "0", "risk:nonsense": "1" });
    await expect(bad).rejects.toThrow(/risk:fraud\.shards[\s\S]*risk:nonsense/);
  });
});
