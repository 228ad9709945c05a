/** Resources that meet the controls, and the one field whose change breaks each of them. */
import type { GraphResource } from "@risk/program-graph";

const ACCOUNT = "111122223333";

/** A resource of a graph; `state` gets what the provider computes, an ARN among it. */
export function resource(
  type: string,
  name: string,
  inputs: Readonly<Record<string, unknown>> = {},
  outputs: Readonly<Record<string, unknown>> = {},
): GraphResource {
  const service = type.split(/[:/]/)[1];
  return {
    urn: `urn:pulumi:test::risk::${type}::${name}`,
    type,
    name,
    parent: undefined,
    inputs,
    id: `${name}-id`,
    state: { name, arn: `arn:aws:${service}:us-east-1:${ACCOUNT}:${name}`, ...inputs, ...outputs },
    dependsOn: [],
    protect: false,
    ignoreChanges: [],
    secretInputs: [],
  };
}

export const policyOf = (...statements: readonly Readonly<Record<string, unknown>>[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements });

const allow = (actions: unknown, resources: unknown, more: Readonly<Record<string, unknown>> = {}) => ({
  Effect: "Allow",
  Action: actions,
  Resource: resources,
  ...more,
});

export interface Case {
  readonly control: string;
  /** These pass. */
  readonly resources: readonly GraphResource[];
  /** Index of the resource that is broken. Default 0. */
  readonly index?: number;
  /** Where the path starts. Default: the resource's inputs. */
  readonly of?: "resource";
  /** What is changed, and to what; undefined removes it. */
  readonly path: string;
  readonly value?: unknown;
  /** Part of the message: the field and the fix. */
  readonly says: string;
}

const KEY = `arn:aws:kms:us-east-1:${ACCOUNT}:key/1`;

const stage = resource("aws:apigateway/stage:Stage", "stage", {
  restApi: "api",
  stageName: "v1",
  xrayTracingEnabled: true,
  accessLogSettings: { destinationArn: "arn:aws:logs:us-east-1:111122223333:log-group:access" },
});
const methodSettings = resource("aws:apigateway/methodSettings:MethodSettings", "settings", {
  restApi: "api",
  stageName: "v1",
  methodPath: "*/*",
  settings: { loggingLevel: "ERROR", cachingEnabled: true, cacheDataEncrypted: true },
});
const method = resource("aws:apigateway/method:Method", "post", {
  httpMethod: "POST",
  authorization: "AWS_IAM",
  requestValidatorId: "validator-id",
});
const validator = resource("aws:apigateway/requestValidator:RequestValidator", "validator", {
  validateRequestBody: true,
  validateRequestParameters: true,
});

const apiGateway: Case[] = [
  {
    control: "APIGateway.1",
    resources: [stage, methodSettings],
    index: 1,
    path: "settings.loggingLevel",
    value: "OFF",
    says: '"ERROR" or "INFO"',
  },
  {
    control: "APIGateway.3",
    resources: [stage],
    path: "xrayTracingEnabled",
    value: false,
    says: "xrayTracingEnabled is false; set it to true",
  },
  {
    control: "APIGateway.4",
    resources: [stage, resource("aws:wafv2/webAclAssociation:WebAclAssociation", "acl", { resourceArn: stage.state.arn })],
    index: 1,
    path: "resourceArn",
    value: "another stage",
    says: "no web ACL; associate one",
  },
  {
    control: "APIGateway.5",
    resources: [stage, methodSettings],
    index: 1,
    path: "settings.cacheDataEncrypted",
    says: "settings.cacheDataEncrypted of settings is not set; set it to true",
  },
  { control: "APIG1", resources: [stage], path: "accessLogSettings", says: "accessLogSettings.destinationArn is not set" },
  { control: "APIG2", resources: [method, validator], path: "requestValidatorId", says: "name a RequestValidator" },
  {
    control: "APIG2",
    resources: [method, validator],
    index: 1,
    path: "validateRequestBody",
    value: false,
    says: "validateRequestBody is false; set it to true on validator",
  },
  {
    control: "APIG4",
    resources: [method],
    path: "authorization",
    value: "NONE",
    says: 'authorization is "NONE"; set it to "AWS_IAM"',
  },
  {
    control: "APIG4",
    resources: [resource(method.type, "preflight", { httpMethod: "OPTIONS", authorization: "NONE" })],
    path: "httpMethod",
    value: "GET",
    says: "authorization is",
  },
];

const lambda = resource("aws:lambda/function:Function", "scorer", {
  runtime: "nodejs24.x",
  reservedConcurrentExecutions: 5,
  vpcConfig: { subnetIds: ["subnet-a", "subnet-b"] },
  deadLetterConfig: { targetArn: "arn:aws:sqs:us-east-1:111122223333:failures" },
});
const permission = resource("aws:lambda/permission:Permission", "by-events", {
  function: "scorer",
  principal: "events.amazonaws.com",
  sourceArn: "arn:aws:events:us-east-1:111122223333:rule/schedule",
});
const invokeConfig = resource("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "failures", {
  functionName: "scorer",
  destinationConfig: { onFailure: { destination: "arn:aws:sqs:us-east-1:111122223333:failures" } },
});
const streamSource = resource("aws:lambda/eventSourceMapping:EventSourceMapping", "source", {
  functionName: "scorer",
  eventSourceArn: "arn:aws:kinesis:us-east-1:111122223333:stream/events",
  destinationConfig: { onFailure: { destinationArn: "arn:aws:s3:::failed" } },
});
const redrivePolicy = JSON.stringify({ deadLetterTargetArn: "arn:aws:sqs:us-east-1:111122223333:dead", maxReceiveCount: 5 });
const queue = resource("aws:sqs/queue:Queue", "work", { redrivePolicy, kmsMasterKeyId: KEY }, { url: "https://sqs/work" });
const queueSource = resource(streamSource.type, "queue-source", { functionName: "scorer", eventSourceArn: queue.state.arn });

const lambdas: Case[] = [
  { control: "Lambda.1", resources: [permission], path: "principal", value: "*", says: 'principal is "*"; name the account' },
  { control: "Lambda.1", resources: [permission], path: "sourceArn", says: "sourceArn is not set; set it to the ARN" },
  {
    control: "Lambda.2",
    resources: [lambda],
    path: "runtime",
    value: "nodejs16.x",
    says: 'runtime is "nodejs16.x"; set it to "nodejs24.x"',
  },
  {
    control: "Lambda.2",
    resources: [resource(lambda.type, "image", { packageType: "Image" })],
    path: "packageType",
    value: "Zip",
    says: "runtime is not set",
  },
  { control: "Lambda.5", resources: [lambda], path: "vpcConfig.subnetIds", value: ["subnet-a"], says: "at least two zones" },
  { control: "LambdaDLQ", resources: [lambda, permission], path: "deadLetterConfig", says: "set deadLetterConfig.targetArn" },
  {
    control: "LambdaDLQ",
    resources: [resource(lambda.type, "scorer"), permission, invokeConfig],
    index: 2,
    path: "destinationConfig",
    says: "destinationConfig.onFailure",
  },
  {
    control: "LambdaDLQ",
    resources: [resource(lambda.type, "scorer"), streamSource],
    index: 1,
    path: "destinationConfig",
    says: "destinationConfig.onFailure.destinationArn of source is not set; set it to the ARN",
  },
  {
    control: "LambdaDLQ",
    resources: [resource(lambda.type, "scorer"), queueSource, queue],
    index: 2,
    path: "redrivePolicy",
    says: "redrivePolicy of work is not set; name a dead-letter queue",
  },
  {
    control: "LambdaDLQ",
    resources: [
      resource(lambda.type, "scorer"),
      resource(permission.type, "p", { function: "scorer", principal: "apigateway.amazonaws.com" }),
    ],
    index: 1,
    path: "principal",
    value: "s3.amazonaws.com",
    says: "s3.amazonaws.com calls the function and does not wait",
  },
  {
    control: "LambdaConcurrency",
    resources: [lambda],
    path: "reservedConcurrentExecutions",
    value: -1,
    says: "reservedConcurrentExecutions is -1; set it to the executions",
  },
];

const owned = { project: "risk", environment: "dev-a1", component: "fraud" };
export const tagCases: readonly Case[] = [
  {
    control: "RequiredTags",
    resources: [resource("aws:kinesis/stream:Stream", "events", { tags: owned })],
    path: "tags.component",
    says: "tags.component is not set; create it under the stack",
  },
];

const stream = resource("aws:kinesis/stream:Stream", "events", { encryptionType: "KMS", kmsKeyId: KEY, retentionPeriod: 168 });
const firehose = resource("aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream", "delivery", {
  serverSideEncryption: { enabled: true },
});
const table = resource("aws:dynamodb/table:Table", "scores", {
  billingMode: "PAY_PER_REQUEST",
  pointInTimeRecovery: { enabled: true },
  deletionProtectionEnabled: true,
});
const scaling = ["Read", "Write"].flatMap((kind) =>
  ["target:Target", "policy:Policy"].map((type) =>
    resource(`aws:appautoscaling/${type}`, `${kind}-${type}`, {
      resourceId: "table/scores",
      scalableDimension: `dynamodb:table:${kind}CapacityUnits`,
    }),
  ),
);

const stores: Case[] = [
  {
    control: "Kinesis.1",
    resources: [stream],
    path: "encryptionType",
    value: "NONE",
    says: 'encryptionType is "NONE"; set it to "KMS"',
  },
  { control: "Kinesis.1", resources: [stream], path: "kmsKeyId", value: "alias/aws/kinesis", says: "customer-managed key" },
  {
    control: "Kinesis.3",
    resources: [stream],
    path: "retentionPeriod",
    value: 24,
    says: "retentionPeriod is 24; set it to 168 hours",
  },
  {
    control: "DataFirehose.1",
    resources: [firehose],
    path: "serverSideEncryption.enabled",
    value: false,
    says: "set it to true",
  },
  {
    control: "DataFirehose.1",
    resources: [resource(firehose.type, "from-stream", { kinesisSourceConfiguration: { kinesisStreamArn: stream.state.arn } })],
    path: "kinesisSourceConfiguration",
    says: "serverSideEncryption.enabled is not set",
  },
  { control: "DynamoDB.1", resources: [table], path: "billingMode", value: "PROVISIONED", says: 'set it to "PAY_PER_REQUEST"' },
  {
    control: "DynamoDB.1",
    resources: [resource(table.type, "scores", { billingMode: "PROVISIONED" }), ...scaling],
    index: 3,
    path: "scalableDimension",
    value: "dynamodb:table:ReadCapacityUnits",
    says: "scale dynamodb:table:WriteCapacityUnits with",
  },
  {
    control: "DynamoDB.2",
    resources: [table],
    path: "pointInTimeRecovery.enabled",
    value: false,
    says: "pointInTimeRecovery.enabled is false; set it to true",
  },
  {
    control: "DynamoDB.6",
    resources: [table],
    path: "deletionProtectionEnabled",
    says: "deletionProtectionEnabled is not set; set it to true",
  },
];

const bus = resource("aws:cloudwatch/eventBus:EventBus", "bus");
const busPolicy = resource("aws:cloudwatch/eventBusPolicy:EventBusPolicy", "bus-policy", {
  eventBusName: "bus",
  policy: policyOf(allow("events:PutEvents", bus.state.arn, { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` } })),
});
const target = resource("aws:cloudwatch/eventTarget:EventTarget", "target", {
  deadLetterConfig: { arn: "arn:aws:sqs:us-east-1:111122223333:undelivered" },
});
const alarm = resource("aws:cloudwatch/metricAlarm:MetricAlarm", "alarm", {
  alarmActions: ["arn:aws:sns:x"],
  actionsEnabled: true,
});
const logGroup = resource("aws:cloudwatch/logGroup:LogGroup", "logs", { retentionInDays: 365, kmsKeyId: KEY });

const events: Case[] = [
  {
    control: "EventBridge.3",
    resources: [bus, busPolicy],
    index: 1,
    path: "eventBusName",
    value: "other",
    says: "add an EventBusPolicy",
  },
  {
    control: "EventBridge.3",
    resources: [bus, busPolicy],
    index: 1,
    path: "policy",
    value: policyOf(allow("events:PutEvents", bus.state.arn, { Principal: "*" })),
    says: "anyone may publish; name a principal",
  },
  {
    control: "EventBridge.targets",
    resources: [target],
    path: "deadLetterConfig",
    says: "deadLetterConfig.arn is not set; set it to the ARN",
  },
  { control: "CloudWatch.15", resources: [alarm], path: "alarmActions", value: [], says: "alarmActions is []; name a topic" },
  {
    control: "CloudWatch.16",
    resources: [logGroup],
    path: "retentionInDays",
    value: 30,
    says: "retentionInDays is 30; set it to 365 or more",
  },
  {
    control: "CloudWatchLogGroupRetentionPeriod",
    resources: [logGroup],
    path: "retentionInDays",
    value: 0,
    says: "retentionInDays is 0; set the days",
  },
  {
    control: "CloudWatch.17",
    resources: [alarm],
    path: "actionsEnabled",
    value: false,
    says: "actionsEnabled is false; set it to true",
  },
  {
    control: "CloudWatchLogGroupEncrypted",
    resources: [logGroup],
    path: "kmsKeyId",
    says: "kmsKeyId is not set; set it to the ARN",
  },
];

export const cases: readonly Case[] = [...apiGateway, ...lambdas, ...stores, ...events];
