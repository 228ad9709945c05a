import { beforeAll, describe, expect, it } from "vitest";
import { type Evaluation, evaluateStack, type Recorded } from "../helpers/recorder";

interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Principal?: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

function statements(resource: Recorded, field = "policy"): readonly PolicyStatement[] {
  // Written by our own policyDocument, whose shape this is.
  return (JSON.parse(String(resource.inputs[field])) as { Statement: PolicyStatement[] }).Statement;
}

let dev: Evaluation;
let prod: Evaluation;
beforeAll(async () => {
  dev = await evaluateStack("dev");
  prod = await evaluateStack("prod");
}, 60_000);

describe("every resource", () => {
  it("of a component has the component as its ancestor", () => {
    const shared =
      /^(platform|alarms|access-logs|token-key|scores|models|raw|fraud|scoring|warehouse|pipelines|training|inference|catalog|gateway-logs.*|pipelines-dashboard)$/;
    const topLevel = dev.resources.filter(({ parent }) => /::pulumi:pulumi:Stack::/.test(parent) || parent === "");
    expect(
      topLevel.filter(({ name, type }) => type !== "pulumi:pulumi:Stack" && !shared.test(name)).map(({ name }) => name),
    ).toEqual([]);
  });
});

describe("roles", () => {
  it("belong to one function each", () => {
    const functions = dev.ofType("aws:lambda/function:Function");
    const roles = functions.map(({ inputs }) => inputs.role);
    expect(functions).toHaveLength(19);
    expect(new Set(roles).size).toBe(functions.length);
  });

  it("name actions without wildcards, and a wildcard resource only where the action doesn't support resources", () => {
    const free =
      /^(xray:|logs:|redshift-data:(DescribeStatement|GetStatementResult|CancelStatement)|cloudwatch:(GetMetricData|PutMetricData)|ecr:GetAuthorizationToken|glue:GetSchemaVersion)/;
    for (const policy of prod.ofType("aws:iam/rolePolicy:RolePolicy")) {
      for (const { Action, Resource, Sid } of statements(policy)) {
        for (const action of Action) expect(action, `${policy.name} ${Sid}`).not.toContain("*");
        if (Resource.includes("*"))
          expect(
            Action.every((action) => free.test(action)),
            `${policy.name} ${Sid}`,
          ).toBe(true);
      }
    }
  });

  it("let the stream function do exactly this", () => {
    const policy = dev.find("aws:iam/rolePolicy:RolePolicy", "fraud-processor-permissions");
    const actions = statements(policy).flatMap(({ Action }) => Action);
    expect([...new Set(actions)].sort()).toEqual([
      "dynamodb:BatchGetItem",
      "dynamodb:PutItem",
      "dynamodb:UpdateItem",
      "events:PutEvents",
      "glue:GetSchemaVersion",
      "glue:ListSchemaVersions",
      "kinesis:DescribeStream",
      "kinesis:DescribeStreamSummary",
      "kinesis:GetRecords",
      "kinesis:GetShardIterator",
      "kinesis:ListShards",
      "kms:Decrypt",
      "kms:GenerateDataKey",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
      "s3:GetObject",
      "s3:ListBucket",
      "s3:PutObject",
      "secretsmanager:GetSecretValue",
      "ssm:GetParameters",
    ]);
    const write = statements(policy).find(({ Sid }) => Sid === "WriteObjects");
    const bucket = dev.find("aws:s3/bucket:Bucket", "fraud-data-bucket").inputs.bucket;
    expect(write?.Resource.map((arn) => arn.split(`${bucket}/`)[1])).toEqual(["archive/*", "high-risk/*", "quarantine/*"]);
  });

  it("let the feedback function write labels and nothing else", () => {
    const policy = dev.find("aws:iam/rolePolicy:RolePolicy", "scoring-feedback-permissions");
    const actions = statements(policy).flatMap(({ Action }) => Action);
    expect(actions.sort()).toEqual([
      "kms:Decrypt",
      "kms:GenerateDataKey",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
      "s3:PutObject",
    ]);
    const bucket = dev.find("aws:s3/bucket:Bucket", "fraud-data-bucket").inputs.bucket;
    const write = statements(policy).find(({ Sid }) => Sid === "WriteObjects");
    expect(write?.Resource.map((arn) => arn.split(`${bucket}/`)[1])).toEqual(["labels/*"]);
  });

  it("let the functions of events send to their queue, and read one result at a time, and nothing else", () => {
    const actionsOf = (name: string) =>
      statements(dev.find("aws:iam/rolePolicy:RolePolicy", name))
        .flatMap(({ Action }) => Action)
        .filter((action) => !action.startsWith("logs:"));
    expect(actionsOf("scoring-events-permissions")).toEqual(["sqs:SendMessage", "kms:Decrypt", "kms:GenerateDataKey"]);
    expect(actionsOf("scoring-decisions-permissions")).toEqual(["dynamodb:GetItem", "kms:Decrypt"]);
    const called = (name: string) => String(dev.find("aws:lambda/permission:Permission", name).inputs.sourceArn);
    expect(called("scoring-events-permission")).toMatch(/\/\*\/POST\/events$/);
    expect(called("scoring-decisions-permission")).toMatch(/\/\*\/GET\/decisions\/\*$/);
    expect(prod.resources.some(({ name }) => name.startsWith("scoring-events") || name.startsWith("scoring-decisions"))).toBe(
      false,
    );
  });

  it("have unique statement ids", () => {
    for (const policy of dev.ofType("aws:iam/rolePolicy:RolePolicy")) {
      const sids = statements(policy).map(({ Sid }) => Sid);
      expect(new Set(sids).size, policy.name).toBe(sids.length);
    }
  });
});

describe("functions", () => {
  it("contain one bundle and no packages, and neither config nor secrets in their text", async () => {
    for (const { name, inputs } of dev.ofType("aws:lambda/function:Function")) {
      const files = await archiveOf(inputs.code);
      expect(Object.keys(files).sort(), name).toEqual(["__index.js", expect.stringMatching(/^bundles\/[\w-]+\/index\.js$/)]);
      const text = await textOf(files["__index.js"]);
      for (const secret of ["risk-team@example.com", "drawn-at-random", "us-east-1", "a1-"])
        expect(text, name).not.toContain(secret);
    }
  });

  it("have memory, timeout, log group and a limit on concurrency", () => {
    for (const { name, inputs } of dev.ofType("aws:lambda/function:Function")) {
      expect(inputs, name).toMatchObject({
        runtime: "nodejs24.x",
        memorySize: expect.any(Number),
        timeout: expect.any(Number),
        loggingConfig: { logFormat: "Text", logGroup: expect.any(String) },
      });
      // The gateway's throttle bounds those that answer requests; those that empty a queue are bounded by its event source.
      if (name.startsWith("scoring-") || /^fraud-(queue|file)-scorer-function$/.test(name))
        expect(inputs, name).not.toHaveProperty("reservedConcurrentExecutions");
      else expect(inputs, name).toHaveProperty("reservedConcurrentExecutions");
    }
  });
});

/** Files of an asset archive. */
async function archiveOf(code: unknown): Promise<Record<string, unknown>> {
  if (typeof code !== "object" || code === null || !("assets" in code)) throw new Error("The code is no asset archive.");
  const assets: unknown = await code.assets;
  if (typeof assets !== "object" || assets === null) throw new Error("The archive has no assets.");
  return { ...assets };
}

async function textOf(asset: unknown): Promise<string> {
  if (typeof asset !== "object" || asset === null || !("text" in asset)) throw new Error("The asset is no text.");
  const text: unknown = await asset.text;
  if (typeof text !== "string" || text === "") throw new Error("The asset is empty.");
  return text;
}

describe("event sources", () => {
  it("of the stream never lose or block a record", () => {
    expect(dev.find("aws:lambda/eventSourceMapping:EventSourceMapping", "fraud-source").inputs).toMatchObject({
      startingPosition: "TRIM_HORIZON",
      maximumRecordAgeInSeconds: 86_400,
      maximumRetryAttempts: -1,
      bisectBatchOnFunctionError: true,
      functionResponseTypes: ["ReportBatchItemFailures"],
      destinationConfig: { onFailure: { destinationArn: expect.stringContaining(":raw-records-bucket-") } },
    });
  });

  it("of the stream wait for a slow table without raising the alarm on duration", () => {
    const { timeout, environment } = dev.find("aws:lambda/function:Function", "fraud-processor-function").inputs as {
      readonly timeout: number;
      readonly environment: { readonly variables: Readonly<Record<string, string>> };
    };
    const alarm = dev.find("aws:cloudwatch/metricAlarm:MetricAlarm", "fraud-duration").inputs;
    const longestWait = timeout * 1000 - Number(environment.variables.STOP_EARLY_MS);
    expect(longestWait + 1000).toBeLessThan(Number(alarm.threshold));
  });

  it("of the archive collect scores for the stack's window, hidden from other readers meanwhile", () => {
    for (const [graph, windowSeconds] of [
      [dev, 2],
      [prod, 30],
    ] as const) {
      const source = graph.find("aws:lambda/eventSourceMapping:EventSourceMapping", "scoring-archive-source").inputs;
      expect(source).toMatchObject({ batchSize: 1000, maximumBatchingWindowInSeconds: windowSeconds });
      const queue = graph.find("aws:sqs/queue:Queue", "scoring-archive-queue").inputs;
      expect(queue).toMatchObject({ visibilityTimeoutSeconds: 6 * 60 + windowSeconds });
    }
  });

  it("start after their permissions", () => {
    const policy = dev.find("aws:iam/rolePolicy:RolePolicy", "fraud-processor-permissions");
    expect(dev.find("aws:lambda/eventSourceMapping:EventSourceMapping", "fraud-source").dependsOn).toContain(policy.urn);
  });
});

describe("the gateway", () => {
  it("answers every refusal as a problem", () => {
    const responses = dev.ofType("aws:apigateway/response:Response");
    expect(responses).toHaveLength(21);
    for (const { name, inputs } of responses) {
      const template = Object(inputs.responseTemplates)["application/json"];
      const body = String(template).replaceAll("$context.error.messageString", '"why"');
      expect(JSON.parse(body), name).toMatchObject({
        type: "about:blank",
        title: expect.any(String),
        requestId: "$context.requestId",
      });
      expect(inputs.responseParameters, name).toMatchObject({
        "gatewayresponse.header.Content-Type": "'application/problem+json'",
      });
    }
  });

  it("throttles the stage and each method in the usage plan", () => {
    expect(dev.find("aws:apigateway/methodSettings:MethodSettings", "scoring-method-settings").inputs).toMatchObject({
      methodPath: "*/*",
      settings: { throttlingRateLimit: 100, throttlingBurstLimit: 200, dataTraceEnabled: false },
    });
    expect(dev.find("aws:apigateway/usagePlan:UsagePlan", "scoring-usage-plan").inputs).toMatchObject({
      apiStages: [
        {
          throttles: [
            { path: "/score/POST", rateLimit: 100, burstLimit: 200 },
            { path: "/predict/POST", rateLimit: 100, burstLimit: 200 },
            { path: "/device/POST", rateLimit: 100, burstLimit: 200 },
            { path: "/feedback/POST", rateLimit: 100, burstLimit: 200 },
            { path: "/events/POST", rateLimit: 100, burstLimit: 200 },
            { path: "/decisions/{id}/GET", rateLimit: 100, burstLimit: 200 },
          ],
        },
      ],
    });
  });

  it("checks leads against their schema, and leaves the wording of churn errors to the function", () => {
    const schema = (name: string): unknown => JSON.parse(String(dev.find("aws:apigateway/model:Model", name).inputs.schema));
    expect(schema("scoring-lead-model")).toMatchObject({ required: ["companySize", "industry", "engagementMetrics"] });
    expect(schema("scoring-churn-model")).not.toHaveProperty("properties");
  });
});

describe("routes of scores", () => {
  it.each([
    ["scoring-high-scores-rule", 80],
    ["scoring-alerts-rule", 95],
  ])("%s fires above %d", (name, score) => {
    const pattern: unknown = JSON.parse(String(dev.find("aws:cloudwatch/eventRule:EventRule", name).inputs.eventPattern));
    expect(pattern).toEqual({
      source: ["lead.scoring"],
      "detail-type": ["Lead Scored"],
      detail: { score: [{ numeric: [">", score] }] },
    });
  });

  it("send a high-risk event as a sentence from a topic of its own, apart from alarms, and not in dev", () => {
    expect(prod.find("aws:cloudwatch/eventTarget:EventTarget", "fraud-high-risk-target").inputs).toMatchObject({
      arn: expect.stringContaining("fraud-alerts-topic"),
      inputTransformer: { inputTemplate: '"Event <eventId> of <occurredAt> scored <score> (<band>): <reason>."' },
    });
    const alarms = prod.find("aws:sns/topicPolicy:TopicPolicy", "alarms-policy");
    expect(statements(alarms).flatMap(({ Principal }) => JSON.stringify(Principal))).not.toContainEqual(
      expect.stringContaining("events.amazonaws.com"),
    );
    expect(dev.ofType("aws:sns/topic:Topic").map(({ name }) => name)).not.toContain("fraud-alerts-topic");
  });

  it("have a dead-letter queue on every target", () => {
    for (const { name, inputs } of prod.ofType("aws:cloudwatch/eventTarget:EventTarget")) {
      expect(inputs, name).toMatchObject({ deadLetterConfig: { arn: expect.any(String) } });
    }
  });
});

describe("security controls", () => {
  it("mark secrets", () => {
    for (const name of ["fraud-api-key", "fraud-connection-string"]) {
      const parameter = dev.find("aws:ssm/parameter:Parameter", name);
      expect(parameter.inputs.type).toBe("SecureString");
      expect(parameter.secrets).toContain("value");
    }
    const version = dev.find("aws:secretsmanager/secretVersion:SecretVersion", "token-key-value");
    expect(version.secrets).toContain("secretString");
    expect(version.ignoreChanges).toContain("secretString");
  });

  it("refuse plain HTTP on every bucket, queue and topic", () => {
    const policies = [
      ...dev.ofType("aws:s3/bucketPolicy:BucketPolicy"),
      ...dev.ofType("aws:sqs/queuePolicy:QueuePolicy"),
      ...dev.ofType("aws:sns/topicPolicy:TopicPolicy"),
    ];
    expect(policies.length).toBeGreaterThan(10);
    for (const policy of policies) {
      expect(statements(policy), policy.name).toContainEqual(
        expect.objectContaining({ Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } }),
      );
      for (const { Effect, Principal, Condition } of statements(policy)) {
        if (Effect !== "Allow") continue;
        expect(Principal, policy.name).toEqual(expect.any(Object));
        // EventBridge reaches topics without any condition only.
        const toTopic = policy.type.startsWith("aws:sns/") && JSON.stringify(Principal).includes("events.amazonaws.com");
        expect(Condition, policy.name).toEqual(toTopic ? undefined : expect.any(Object));
      }
    }
  });

  it("protect every bucket in the same way", () => {
    const count = dev.ofType("aws:s3/bucket:Bucket").length;
    for (const kind of [
      "bucketPublicAccessBlock:BucketPublicAccessBlock",
      "bucketOwnershipControls:BucketOwnershipControls",
      "bucketVersioning:BucketVersioning",
      "bucketLifecycleConfiguration:BucketLifecycleConfiguration",
      "bucketPolicy:BucketPolicy",
    ]) {
      expect(dev.ofType(`aws:s3/${kind}`), kind).toHaveLength(count);
    }
    expect(dev.ofType("aws:s3/bucketLogging:BucketLogging")).toHaveLength(count - 1);
  });

  it("give every alarm an action, but none that a first deployment would trigger", () => {
    for (const { name, inputs } of dev.ofType("aws:cloudwatch/metricAlarm:MetricAlarm")) {
      expect(inputs, name).toMatchObject({
        alarmActions: [expect.any(String)],
        actionsEnabled: true,
        treatMissingData: "notBreaching",
      });
      expect(inputs, name).not.toHaveProperty("okActions");
    }
  });

  it("keep the warehouse private, encrypted and logged", () => {
    expect(dev.find("aws:redshiftserverless/namespace:Namespace", "warehouse-namespace").inputs).toMatchObject({
      manageAdminPassword: true,
      kmsKeyId: expect.any(String),
      logExports: ["userlog", "connectionlog", "useractivitylog"],
    });
    expect(dev.find("aws:redshiftserverless/workgroup:Workgroup", "warehouse-workgroup").inputs).toMatchObject({
      enhancedVpcRouting: true,
      publiclyAccessible: false,
      configParameters: expect.arrayContaining([{ parameterKey: "require_ssl", parameterValue: "true" }]),
    });
    expect(dev.find("aws:ec2/securityGroup:SecurityGroup", "warehouse-security-group").inputs).toMatchObject({ ingress: [] });
  });
});

describe("alarms of the platform", () => {
  it("watch latency, errors, age, throttles and queues", () => {
    const alarm = (name: string) => dev.find("aws:cloudwatch/metricAlarm:MetricAlarm", name).inputs;
    expect(alarm("scoring-lead-latency")).toMatchObject({
      namespace: "LeadScoring",
      metricName: "ScoringLatency",
      dimensions: { Environment: "dev-a1", Profile: "lead" },
      statistic: "Average",
      threshold: 3000,
      period: 300,
      evaluationPeriods: 2,
    });
    expect(alarm("fraud-duration")).toMatchObject({ threshold: 48_000, statistic: "Maximum" });
    expect(alarm("fraud-iterator-age")).toMatchObject({ metricName: "IteratorAge" });
    expect(alarm("fraud-throttles")).toMatchObject({ metricName: "Throttles" });
    expect(alarm("fraud-failed-batch")).toMatchObject({ metricName: "OnFailureDestinationDeliveredEventCount", threshold: 0 });
    expect(alarm("warehouse-freshness")).toMatchObject({ threshold: 3600 });
  });
});
