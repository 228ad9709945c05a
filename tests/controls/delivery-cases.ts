/** Services and the encrypted resources that they deliver to: policies that let them in on AWS, and those that do not. */
import { type Case, policyOf, resource } from "./cases";

const ACCOUNT = "111122223333";
const arn = (service: string, name: string) => `arn:aws:${service}:us-east-1:${ACCOUNT}:${name}`;
const KEY = arn("kms", "key/1");

const allow = (service: string, action: unknown, on: string, condition?: Readonly<Record<string, unknown>>) => ({
  Effect: "Allow",
  Principal: { Service: service },
  Action: action,
  Resource: on,
  ...(condition === undefined ? {} : { Condition: condition }),
});
const within = (key: string, value: string) => ({ ArnLike: { [`kms:EncryptionContext:${key}`]: value } });
const ownAccount = { StringEquals: { "aws:SourceAccount": ACCOUNT } };
const USE = ["kms:Decrypt", "kms:GenerateDataKey*"];

const key = (...statements: readonly Readonly<Record<string, unknown>>[]) =>
  resource("aws:kms/key:Key", "key", { policy: policyOf(...statements) }, { arn: KEY });
const topic = resource("aws:sns/topic:Topic", "alerts", { kmsMasterKeyId: KEY });
const topicPolicy = (...statements: readonly Readonly<Record<string, unknown>>[]) =>
  resource("aws:sns/topicPolicy:TopicPolicy", "alerts-policy", { arn: arn("sns", "alerts"), policy: policyOf(...statements) });
const queue = resource("aws:sqs/queue:Queue", "work", { kmsMasterKeyId: KEY }, { url: "https://sqs/work" });
const queuePolicy = (service: string, sourceArn: string) =>
  resource("aws:sqs/queuePolicy:QueuePolicy", "work-policy", {
    queueUrl: "https://sqs/work",
    policy: policyOf(allow(service, "sqs:SendMessage", arn("sqs", "work"), { ArnLike: { "aws:SourceArn": sourceArn } })),
  });

const EVENTS = "events.amazonaws.com";
const rule = resource("aws:cloudwatch/eventRule:EventRule", "high", {}, { arn: arn("events", "rule/scores/high") });
const target = (targetArn: string, more: Readonly<Record<string, unknown>> = {}) =>
  resource("aws:cloudwatch/eventTarget:EventTarget", "target", { rule: "high", arn: targetArn, ...more });
const topicKey = (service: string) => allow(service, USE, "*", within("aws:sns:topicArn", arn("sns", "*")));
const queueKey = (service: string) => allow(service, USE, "*", within("aws:sqs:arn", arn("sqs", "*")));

const toTopic = {
  control: "Delivery.targets",
  resources: [
    topicPolicy(allow(EVENTS, "sns:Publish", arn("sns", "alerts"))),
    key(topicKey(EVENTS)),
    topic,
    rule,
    target(arn("sns", "alerts")),
  ],
};
const toQueue = {
  control: "Delivery.targets",
  resources: [
    queuePolicy(EVENTS, arn("events", "rule/scores/*")),
    key(queueKey(EVENTS)),
    queue,
    rule,
    target(arn("sqs", "work")),
  ],
};
const logGroup = resource(
  "aws:cloudwatch/logGroup:LogGroup",
  "events",
  { kmsKeyId: KEY },
  { arn: arn("logs", "log-group:/aws/events") },
);
const fn = resource("aws:lambda/function:Function", "loader", {}, { arn: arn("lambda", "function:loader") });

const grants = (...statements: readonly Readonly<Record<string, unknown>>[]) =>
  resource("aws:iam/rolePolicy:RolePolicy", "grants", { role: "worker", policy: policyOf(...statements) });
const may = (action: unknown, on: string) => ({ Effect: "Allow", Action: action, Resource: on });
const worker = resource("aws:iam/role:Role", "worker", {}, { arn: `arn:aws:iam::${ACCOUNT}:role/worker` });
const anyKey = key();
const bucket = [
  resource("aws:s3/bucket:Bucket", "data", {}, { bucket: "data", arn: "arn:aws:s3:::data" }),
  resource("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", "sse", {
    bucket: "data",
    rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: KEY } }],
  }),
];
const machine = resource("aws:sfn/stateMachine:StateMachine", "steps", {
  roleArn: `arn:aws:iam::${ACCOUNT}:role/worker`,
  encryptionConfiguration: { kmsKeyId: KEY },
});
const send = may("sqs:SendMessage", arn("sqs", "work"));
const write = may("s3:PutObject", "arn:aws:s3:::data/archive/*");

const callerCases: Case[] = [
  {
    control: "KeyUse",
    resources: [grants(send, may(["kms:Decrypt", "kms:GenerateDataKey"], KEY)), worker, queue, anyKey],
    path: "policy",
    value: policyOf(send, may("kms:GenerateDataKey", KEY)),
    says: `lack kms:Decrypt on ${KEY}, which sqs:SendMessage of work needs; grant it.`,
  },
  {
    control: "KeyUse",
    resources: [grants(write, may("kms:GenerateDataKey", KEY)), worker, ...bucket, anyKey],
    path: "policy",
    value: policyOf(write, may("kms:Decrypt", KEY)),
    says: `lack kms:GenerateDataKey on ${KEY}, which s3:PutObject of data needs`,
  },
  {
    control: "KeyUse",
    resources: [
      resource("aws:iam/policy:Policy", "shared", { policy: policyOf(send, may(["kms:Decrypt", "kms:GenerateDataKey"], KEY)) }),
      resource("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "attachment", { role: "worker", policyArn: "shared-id" }),
      worker,
      queue,
      anyKey,
    ],
    path: "policy",
    value: policyOf(send, may("kms:GenerateDataKey", KEY)),
    says: `lack kms:Decrypt on ${KEY}, which sqs:SendMessage of work needs`,
  },
  {
    control: "KeyUse",
    resources: [grants(may(["kms:Decrypt", "kms:GenerateDataKey"], KEY)), worker, machine, anyKey],
    path: "policy",
    value: policyOf(may("kms:GenerateDataKey", KEY)),
    says: "which executions of steps needs",
  },
];

export const deliveryCases: readonly Case[] = [
  ...callerCases,
  {
    ...toTopic,
    path: "policy",
    value: policyOf(allow(EVENTS, "sns:Publish", arn("sns", "alerts"), ownAccount)),
    says: 'its resource policy does not allow it. Add an Allow statement for Principal {"Service": "events.amazonaws.com"}, without a condition',
  },
  {
    ...toTopic,
    index: 1,
    path: "policy",
    value: policyOf(allow(EVENTS, USE, "*", ownAccount)),
    says: "with no conditions but on kms:EncryptionContext:aws:sns:topicArn",
  },
  { ...toTopic, index: 2, path: "kmsMasterKeyId", value: "alias/aws/sns", says: "may not kms:GenerateDataKey on alias/aws/sns" },
  { ...toTopic, index: 4, path: "arn", value: arn("sns", "elsewhere"), says: "which is not a resource of the stack" },
  {
    ...toQueue,
    path: "policy",
    value: policyOf(
      allow(EVENTS, "sqs:SendMessage", arn("sqs", "work"), { ArnLike: { "aws:SourceArn": arn("events", "rule/other/*") } }),
    ),
    says: "events.amazonaws.com may not sqs:SendMessage",
  },
  { ...toQueue, index: 1, path: "policy", value: policyOf(topicKey(EVENTS)), says: "may not kms:GenerateDataKey" },
  {
    control: "Delivery.targets",
    resources: [
      queuePolicy(EVENTS, arn("events", "rule/scores/*")),
      key(queueKey(EVENTS)),
      queue,
      rule,
      target(arn("sqs", "work"), { deadLetterConfig: { arn: arn("sqs", "work") } }),
    ],
    index: 4,
    path: "deadLetterConfig.arn",
    value: arn("sqs", "elsewhere"),
    says: "deadLetterConfig.arn is arn:aws:sqs:us-east-1:111122223333:elsewhere, which is not a resource of the stack",
  },
  {
    control: "Delivery.targets",
    resources: [
      resource("aws:cloudwatch/logResourcePolicy:LogResourcePolicy", "to-logs", {
        policyDocument: policyOf(
          allow(EVENTS, ["logs:CreateLogStream", "logs:PutLogEvents"], `${arn("logs", "log-group:/aws/events")}:*`),
        ),
      }),
      logGroup,
      rule,
      target(arn("logs", "log-group:/aws/events")),
    ],
    path: "policyDocument",
    value: policyOf(allow(EVENTS, "logs:PutLogEvents", `${arn("logs", "log-group:/aws/events")}:*`)),
    says: "may not logs:CreateLogStream",
  },
  {
    control: "Delivery.targets",
    resources: [
      resource("aws:lambda/permission:Permission", "permission", {
        function: "loader",
        action: "lambda:InvokeFunction",
        principal: EVENTS,
        sourceArn: arn("events", "rule/scores/high"),
      }),
      fn,
      rule,
      target(arn("lambda", "function:loader")),
    ],
    path: "sourceArn",
    value: arn("events", "rule/scores/low"),
    says: "may not lambda:InvokeFunction",
  },
  {
    control: "Delivery.alarms",
    resources: [
      topicPolicy(allow("cloudwatch.amazonaws.com", "sns:Publish", arn("sns", "alerts"), ownAccount)),
      key(topicKey("cloudwatch.amazonaws.com")),
      topic,
      resource("aws:cloudwatch/metricAlarm:MetricAlarm", "errors", { alarmActions: [arn("sns", "alerts")] }),
    ],
    index: 1,
    path: "policy",
    value: policyOf(topicKey(EVENTS)),
    says: "alarmActions: cloudwatch.amazonaws.com may not kms:GenerateDataKey",
  },
  {
    control: "Delivery.notifications",
    resources: [
      queuePolicy("s3.amazonaws.com", "arn:aws:s3:::data"),
      key(queueKey("s3.amazonaws.com")),
      queue,
      resource("aws:s3/bucketNotification:BucketNotification", "notices", {
        bucket: "data",
        queues: [{ queueArn: arn("sqs", "work") }],
      }),
    ],
    index: 3,
    path: "bucket",
    value: "other",
    says: "queues.queueArn: s3.amazonaws.com may not sqs:SendMessage",
  },
  {
    control: "Delivery.subscriptions",
    resources: [
      queuePolicy("sns.amazonaws.com", arn("sns", "alerts")),
      key(queueKey("sns.amazonaws.com")),
      queue,
      resource("aws:sns/topicSubscription:TopicSubscription", "to-work", {
        topic: arn("sns", "alerts"),
        protocol: "sqs",
        endpoint: arn("sqs", "work"),
      }),
    ],
    index: 1,
    path: "policy",
    value: policyOf(queueKey(EVENTS)),
    says: "endpoint: sns.amazonaws.com may not kms:GenerateDataKey",
  },
  {
    control: "Delivery.buses",
    resources: [
      key(
        allow(
          EVENTS,
          ["kms:Decrypt", "kms:GenerateDataKey"],
          "*",
          within("aws:events:event-bus:arn", arn("events", "event-bus/*")),
        ),
        allow(EVENTS, "kms:DescribeKey", "*"),
      ),
      resource("aws:cloudwatch/eventBus:EventBus", "bus", { kmsKeyIdentifier: KEY }, { arn: arn("events", "event-bus/bus") }),
    ],
    path: "policy",
    value: policyOf(allow(EVENTS, [...USE, "kms:DescribeKey"], "*", ownAccount)),
    says: "kmsKeyIdentifier: events.amazonaws.com may not kms:DescribeKey",
  },
  {
    control: "Delivery.logs",
    resources: [
      key(
        allow(
          "logs.us-east-1.amazonaws.com",
          ["kms:Encrypt", "kms:ReEncrypt*", "kms:DescribeKey", ...USE],
          "*",
          within("aws:logs:arn", arn("logs", "*")),
        ),
      ),
      logGroup,
    ],
    path: "policy",
    value: policyOf(allow("logs.amazonaws.com", "kms:*", "*")),
    says: "kmsKeyId: logs.us-east-1.amazonaws.com may not kms:Encrypt",
  },
  {
    control: "Delivery.machines",
    resources: [
      key(
        allow("delivery.logs.amazonaws.com", "kms:Decrypt", "*", {
          StringLike: { "kms:EncryptionContext:SourceArn": arn("logs", "*") },
        }),
      ),
      resource(
        "aws:sfn/stateMachine:StateMachine",
        "steps",
        { encryptionConfiguration: { kmsKeyId: KEY }, loggingConfiguration: { level: "ALL" } },
        { arn: arn("states", "stateMachine:steps") },
      ),
    ],
    path: "policy",
    value: policyOf(allow("delivery.logs.amazonaws.com", "kms:Decrypt", "*", ownAccount)),
    says: "encryptionConfiguration.kmsKeyId: delivery.logs.amazonaws.com may not kms:Decrypt",
  },
];
