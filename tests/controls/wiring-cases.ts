/** Deliveries as a role, calls of functions and access logs: wirings that work on AWS, and those that do not. */
import { type Case, policyOf, resource } from "./cases";

const ACCOUNT = "111122223333";
const arn = (service: string, name: string) => `arn:aws:${service}:us-east-1:${ACCOUNT}:${name}`;
const roleArn = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;

const grant = (action: unknown, on: string) => policyOf({ Effect: "Allow", Action: action, Resource: on });
const letIn = (service: string, action: string, on?: string) =>
  policyOf({ Effect: "Allow", Principal: { Service: service }, Action: action, ...(on === undefined ? {} : { Resource: on }) });
const role = (service: string) =>
  resource("aws:iam/role:Role", "worker", { assumeRolePolicy: letIn(service, "sts:AssumeRole") }, { arn: roleArn("worker") });
const grants = (action: unknown, on: string) =>
  resource("aws:iam/rolePolicy:RolePolicy", "grants", { role: "worker", policy: grant(action, on) });

const MACHINE = arn("states", "stateMachine:steps");
const machine = resource("aws:sfn/stateMachine:StateMachine", "steps", {}, { arn: MACHINE });
const rule = resource("aws:cloudwatch/eventRule:EventRule", "nightly", {}, { arn: arn("events", "rule/nightly") });
const target = resource("aws:cloudwatch/eventTarget:EventTarget", "start", {
  rule: "nightly",
  arn: MACHINE,
  roleArn: roleArn("worker"),
});
const start = {
  control: "Delivery.targets",
  resources: [role("events.amazonaws.com"), grants("states:StartExecution", MACHINE), machine, rule, target],
};
const attached = {
  control: "Delivery.targets",
  resources: [
    resource("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "attachment", {
      role: "worker",
      policyArn: arn("iam", "policy"),
    }),
    resource(
      "aws:iam/policy:Policy",
      "policy",
      { policy: grant("states:StartExecution", MACHINE) },
      { arn: arn("iam", "policy") },
    ),
    role("events.amazonaws.com"),
    machine,
    rule,
    target,
  ],
};
const queuePolicy = (service: string) =>
  resource("aws:sqs/queuePolicy:QueuePolicy", "work-policy", {
    queueUrl: "https://sqs/work",
    policy: letIn(service, "sqs:SendMessage", arn("sqs", "work")),
  });
const queue = resource("aws:sqs/queue:Queue", "work", {}, { url: "https://sqs/work" });
const toQueue = {
  control: "Delivery.targets",
  resources: [
    resource("aws:cloudwatch/eventTarget:EventTarget", "to-work", { rule: "nightly", arn: arn("sqs", "work") }),
    queuePolicy("events.amazonaws.com"),
    queue,
    rule,
    role("events.amazonaws.com"),
  ],
};

const targets: Case[] = [
  {
    ...start,
    path: "assumeRolePolicy",
    value: letIn("lambda.amazonaws.com", "sts:AssumeRole"),
    says: "events.amazonaws.com may not assume arn:aws:iam::111122223333:role/worker",
  },
  {
    ...start,
    index: 1,
    path: "policy",
    value: grant("states:StartExecution", arn("states", "stateMachine:other")),
    says: `lacks states:StartExecution on ${MACHINE}`,
  },
  { ...start, index: 4, path: "roleArn", says: "reaches a state machine as a role only" },
  { ...start, index: 4, path: "roleArn", value: roleArn("elsewhere"), says: "role/elsewhere is not a role of the stack" },
  {
    ...start,
    index: 4,
    path: "arn",
    value: arn("batch", "job-queue/jobs"),
    says: "How AWS lets events.amazonaws.com deliver to arn:aws:batch:us-east-1:111122223333:job-queue/jobs is not known",
  },
  { ...attached, of: "resource", path: "type", value: "none", says: "lacks states:StartExecution" },
  {
    ...toQueue,
    path: "roleArn",
    value: roleArn("worker"),
    says: "does not use arn:aws:iam::111122223333:role/worker for a queue",
  },
];

const FUNCTION = arn("lambda", "function:scores");
const uri = (fn: string) => `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${fn}/invocations`;
const EXECUTION = arn("execute-api", "api-id");
const api = [
  resource("aws:apigateway/restApi:RestApi", "api", {}, { executionArn: EXECUTION }),
  resource("aws:apigateway/resource:Resource", "score", {}, { path: "/users/{id}/score" }),
  resource("aws:apigateway/stage:Stage", "stage", { restApi: "api-id", stageName: "v1" }),
  resource("aws:lambda/function:Function", "scores", {}, { arn: FUNCTION }),
];
const permission = (more: Readonly<Record<string, unknown>>) =>
  resource("aws:lambda/permission:Permission", "permission", {
    function: "scores",
    action: "lambda:InvokeFunction",
    principal: "apigateway.amazonaws.com",
    ...more,
  });
const integration = (fn: string, httpMethod = "POST") =>
  resource("aws:apigateway/integration:Integration", "call", {
    restApi: "api-id",
    resourceId: "score-id",
    httpMethod,
    type: "AWS_PROXY",
    uri: uri(fn),
  });
const call = {
  control: "Delivery.integrations",
  resources: [permission({ sourceArn: `${EXECUTION}/*/POST/users/*/score` }), integration(FUNCTION), ...api],
};
const KEPT_OUT = "uri: apigateway.amazonaws.com may not lambda:InvokeFunction on";

const integrations: Case[] = [
  {
    ...call,
    of: "resource",
    path: "type",
    value: "none",
    says: `${KEPT_OUT} ${FUNCTION} from ${EXECUTION}/v1/POST/users/any/score`,
  },
  { ...call, path: "principal", value: "events.amazonaws.com", says: KEPT_OUT },
  { ...call, path: "sourceArn", value: `${EXECUTION}/*/GET/*`, says: KEPT_OUT },
  { ...call, path: "qualifier", value: "live", says: KEPT_OUT },
  { ...call, index: 1, path: "uri", value: uri(`${FUNCTION}:live`), says: `${KEPT_OUT} ${FUNCTION}:live` },
  { ...call, index: 1, path: "httpMethod", value: "ANY", says: `${KEPT_OUT} ${FUNCTION} from ${EXECUTION}/v1/DELETE` },
  { ...call, index: 1, path: "credentials", value: roleArn("worker"), says: "deliver to a function as a role is not known" },
  {
    ...call,
    index: 1,
    path: "uri",
    value: "arn:aws:apigateway:us-east-1:sqs:path/work",
    says: "How AWS lets apigateway.amazonaws.com deliver to arn:aws:apigateway:us-east-1:sqs:path/work is not known",
  },
  {
    control: "Delivery.integrations",
    resources: [permission({ qualifier: "live", sourceArn: `${EXECUTION}/*` }), integration(`${FUNCTION}:live`, "ANY"), ...api],
    path: "qualifier",
    says: `${KEPT_OUT} ${FUNCTION}:live`,
  },
  {
    control: "Delivery.integrations",
    resources: [
      permission({ sourceArn: `${EXECUTION}/authorizers/guard-id` }),
      resource("aws:apigateway/authorizer:Authorizer", "guard", { restApi: "api-id", authorizerUri: uri(FUNCTION) }),
      ...api,
    ],
    path: "sourceArn",
    value: `${EXECUTION}/v1/*`,
    says: `authorizerUri: apigateway.amazonaws.com may not lambda:InvokeFunction`,
  },
];

const LOGS = arn("logs", "log-group:lines");
const logGroup = resource("aws:cloudwatch/logGroup:LogGroup", "lines", {}, { arn: LOGS });
const GATEWAY_LOGS = ["CreateLogGroup", "CreateLogStream", "DescribeLogGroups", "DescribeLogStreams"]
  .concat("PutLogEvents", "GetLogEvents", "FilterLogEvents")
  .map((action) => `logs:${action}`);
const DELIVERY_LOGS = ["CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery", "ListLogDeliveries"]
  .concat("PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups")
  .map((action) => `logs:${action}`);

const logs: Case[] = [
  {
    control: "Delivery.stages",
    resources: [
      grants(GATEWAY_LOGS, "*"),
      role("apigateway.amazonaws.com"),
      resource("aws:apigateway/account:Account", "account", { cloudwatchRoleArn: roleArn("worker") }),
      resource("aws:apigateway/stage:Stage", "stage", { accessLogSettings: { destinationArn: LOGS } }),
      logGroup,
    ],
    path: "policy",
    value: grant(GATEWAY_LOGS, LOGS),
    says: "lacks logs:CreateLogGroup, logs:CreateLogStream",
  },
  {
    control: "Delivery.machines",
    resources: [
      grants(DELIVERY_LOGS, "*"),
      role("states.amazonaws.com"),
      resource("aws:sfn/stateMachine:StateMachine", "steps", {
        roleArn: roleArn("worker"),
        loggingConfiguration: { level: "ALL", logDestination: `${LOGS}:*` },
      }),
      logGroup,
    ],
    path: "policy",
    value: grant("logs:CreateLogDelivery", "*"),
    says: "lacks logs:GetLogDelivery",
  },
];

const BUCKET = "arn:aws:s3:::logs";
const accessLogs = {
  control: "Delivery.accessLogs",
  resources: [
    resource("aws:s3/bucketPolicy:BucketPolicy", "logs-policy", {
      bucket: "logs",
      policy: policyOf({
        Effect: "Allow",
        Principal: { Service: "logging.s3.amazonaws.com" },
        Action: "s3:PutObject",
        Resource: `${BUCKET}/*`,
        Condition: { StringEquals: { "aws:SourceAccount": ACCOUNT }, ArnLike: { "aws:SourceArn": "arn:aws:s3:::data" } },
      }),
    }),
    resource("aws:s3/bucketLogging:BucketLogging", "access-logs", {
      bucket: "data",
      targetBucket: "logs",
      targetPrefix: "data/",
    }),
    resource("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", "sse", {
      bucket: "logs",
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
    }),
    resource("aws:s3/bucket:Bucket", "logs", {}, { bucket: "logs", arn: BUCKET }),
    resource("aws:s3/bucket:Bucket", "data", {}, { bucket: "data", arn: "arn:aws:s3:::data" }),
    queue,
  ],
};

const buckets: Case[] = [
  {
    ...accessLogs,
    path: "policy",
    value: policyOf({ Effect: "Deny", Principal: "*", Action: "s3:*", Resource: BUCKET }),
    says: "logging.s3.amazonaws.com may not s3:PutObject on arn:aws:s3:::logs/data/*",
  },
  { ...accessLogs, of: "resource", path: "type", value: "none", says: "logging.s3.amazonaws.com may not s3:PutObject" },
  {
    ...accessLogs,
    index: 2,
    path: "rules",
    value: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms" } }],
    says: 'set it to "AES256"',
  },
  {
    control: "Delivery.notifications",
    resources: [
      resource("aws:s3/bucketNotification:BucketNotification", "notices", {
        bucket: "data",
        queues: [{ queueArn: arn("sqs", "work") }],
      }),
      queuePolicy("s3.amazonaws.com"),
      queue,
    ],
    path: "lambdaFunctions",
    value: [{ lambdaFunctionArn: FUNCTION }],
    says: "lambdaFunctions.lambdaFunctionArn: How AWS lets s3.amazonaws.com deliver to a function is not known",
  },
];

const subscription = (protocol: string, endpoint: string) =>
  resource("aws:sns/topicSubscription:TopicSubscription", "subscription", { topic: arn("sns", "alerts"), protocol, endpoint });

const others: Case[] = [
  {
    control: "Delivery.subscriptions",
    resources: [subscription("https", FUNCTION)],
    path: "protocol",
    value: "lambda",
    says: "endpoint: How AWS lets sns.amazonaws.com deliver to a function is not known",
  },
  {
    control: "Delivery.alarms",
    resources: [resource("aws:cloudwatch/compositeAlarm:CompositeAlarm", "all", {})],
    path: "alarmActions",
    value: [FUNCTION],
    says: "alarmActions: How AWS lets cloudwatch.amazonaws.com deliver to a function is not known",
  },
  ...[
    ["aws:scheduler/schedule:Schedule", "scheduler.amazonaws.com"],
    ["aws:pipes/pipe:Pipe", "pipes.amazonaws.com"],
  ].map(([type = "", service = ""]) => ({
    control: "Delivery.others",
    resources: [
      resource(type, "sender", {}),
      resource("aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter", "filter", {
        destinationArn: arn("kinesis", "stream/lines"),
        roleArn: roleArn("worker"),
      }),
      role("logs.amazonaws.com"),
      grants("kinesis:PutRecord", arn("kinesis", "stream/lines")),
      resource("aws:kinesis/stream:Stream", "lines", {}, { arn: arn("kinesis", "stream/lines") }),
    ],
    path: "target",
    value: type.endsWith("Pipe") ? arn("sqs", "work") : { arn: arn("sqs", "work") },
    says: `How AWS lets ${service} deliver to a queue is not known`,
  })),
  {
    control: "Delivery.others",
    resources: [
      grants("kinesis:PutRecord", arn("kinesis", "stream/lines")),
      resource("aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter", "filter", {
        destinationArn: arn("kinesis", "stream/lines"),
        roleArn: roleArn("worker"),
      }),
      role("logs.amazonaws.com"),
      resource("aws:kinesis/stream:Stream", "lines", {}, { arn: arn("kinesis", "stream/lines") }),
    ],
    path: "policy",
    value: grant("kinesis:PutRecords", "*"),
    says: "destinationArn: The role arn:aws:iam::111122223333:role/worker",
  },
];

const fn = (more: Readonly<Record<string, unknown>> = {}) =>
  resource("aws:lambda/function:Function", "scores", { role: roleArn("worker"), ...more }, { arn: FUNCTION });
const functionCase = (actions: unknown, on: string, says: string, ...more: readonly Case["resources"][number][]): Case => ({
  control: "Delivery.functions",
  resources: [grants(actions, on), role("lambda.amazonaws.com"), ...more],
  path: "policy",
  value: grant("sts:GetCallerIdentity", "*"),
  says,
});
const mapping = (eventSourceArn: string, more: Readonly<Record<string, unknown>> = {}) =>
  resource("aws:lambda/eventSourceMapping:EventSourceMapping", "source", { functionName: "scores", eventSourceArn, ...more });
const POLL = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
const READ = ["GetRecords", "GetShardIterator", "DescribeStream", "ListShards"].map((action) => `kinesis:${action}`);
const stream = resource("aws:kinesis/stream:Stream", "events", {}, { arn: arn("kinesis", "stream/events") });

const functions: Case[] = [
  functionCase(
    ["logs:CreateLogStream", "logs:PutLogEvents"],
    `${LOGS}:*`,
    "loggingConfig.logGroup: The role arn:aws:iam::111122223333:role/worker",
    fn({ loggingConfig: { logGroup: "lines" } }),
    logGroup,
  ),
  functionCase(
    "sqs:SendMessage",
    arn("sqs", "work"),
    "deadLetterConfig.targetArn: The role",
    fn({ deadLetterConfig: { targetArn: arn("sqs", "work") } }),
    queue,
  ),
  functionCase(
    "sqs:SendMessage",
    arn("sqs", "work"),
    "destinationConfig.onFailure.destination: The role",
    fn(),
    resource("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "failures", {
      functionName: "scores:live",
      destinationConfig: { onFailure: { destination: arn("sqs", "work") } },
    }),
    queue,
  ),
  functionCase(POLL, arn("sqs", "work"), `lacks ${POLL.join(", ")}`, fn(), mapping(arn("sqs", "work")), queue),
  functionCase(
    READ,
    arn("kinesis", "stream/events"),
    `lacks ${READ.join(", ")}`,
    fn(),
    mapping(arn("kinesis", "stream/events")),
    stream,
  ),
  {
    control: "Delivery.functions",
    resources: [
      resource("aws:iam/rolePolicy:RolePolicy", "grants", {
        role: "worker",
        policy: policyOf(
          { Effect: "Allow", Action: POLL, Resource: arn("sqs", "work") },
          { Effect: "Allow", Action: "s3:PutObject", Resource: `${BUCKET}/aws/lambda/*` },
          { Effect: "Allow", Action: "s3:ListBucket", Resource: BUCKET },
        ),
      }),
      mapping(arn("sqs", "work"), { destinationConfig: { onFailure: { destinationArn: BUCKET } } }),
      role("lambda.amazonaws.com"),
      fn(),
      queue,
      resource("aws:s3/bucket:Bucket", "logs", {}, { bucket: "logs", arn: BUCKET }),
    ],
    path: "policy",
    value: policyOf(
      { Effect: "Allow", Action: POLL, Resource: arn("sqs", "work") },
      { Effect: "Allow", Action: ["s3:PutObject", "s3:ListBucket"], Resource: `${BUCKET}/*` },
    ),
    says: "lacks s3:ListBucket on",
  },
  {
    control: "Delivery.functions",
    resources: [
      mapping(arn("sqs", "work"), { destinationConfig: { onFailure: { destinationArn: BUCKET } } }),
      grants([...POLL, "s3:PutObject", "s3:ListBucket"], "*"),
      role("lambda.amazonaws.com"),
      fn(),
      queue,
      resource("aws:s3/bucket:Bucket", "logs", {}, { bucket: "logs", arn: BUCKET }),
    ],
    path: "destinationConfig.onFailure.destinationArn",
    value: arn("events", "event-bus/scores"),
    says: "How AWS lets lambda.amazonaws.com deliver to arn:aws:events:us-east-1:111122223333:event-bus/scores is not known",
  },
];

const job = {
  control: "Delivery.jobs",
  resources: [
    grants("s3:GetObject", `${BUCKET}/code/*`),
    role("glue.amazonaws.com"),
    resource("aws:glue/job:Job", "extract", {
      roleArn: roleArn("worker"),
      command: { scriptLocation: "s3://logs/code/extract.py" },
    }),
    resource("aws:s3/bucket:Bucket", "logs", {}, { bucket: "logs", arn: BUCKET }),
  ],
};
const jobs: Case[] = [
  {
    ...job,
    path: "policy",
    value: grant("s3:GetObject", `${BUCKET}/data/*`),
    says: `command.scriptLocation: The role arn:aws:iam::${ACCOUNT}:role/worker`,
  },
  {
    ...job,
    index: 1,
    path: "assumeRolePolicy",
    value: letIn("states.amazonaws.com", "sts:AssumeRole"),
    says: "glue.amazonaws.com may not assume",
  },
];

const TRANSFORM = arn("lambda", "function:transform");
const deliveryLogs = resource("aws:cloudwatch/logGroup:LogGroup", "delivery", {}, { arn: arn("logs", "log-group:delivery") });
const transformedBy = (functionArn: string) => [
  { type: "Lambda", parameters: [{ parameterName: "LambdaArn", parameterValue: functionArn }] },
];
const deliveryStream = (configuration: Readonly<Record<string, unknown>>, actions: readonly string[]) => ({
  control: "Delivery.deliveryStreams",
  resources: [
    resource("aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream", "delivery", {
      extendedS3Configuration: {
        roleArn: roleArn("worker"),
        bucketArn: BUCKET,
        prefix: "archive/dt=!{timestamp:yyyy}/",
        ...configuration,
      },
    }),
    grants(actions, "*"),
    role("firehose.amazonaws.com"),
    resource("aws:s3/bucket:Bucket", "logs", {}, { bucket: "logs", arn: BUCKET }),
    resource("aws:lambda/function:Function", "transform", {}, { arn: TRANSFORM }),
    deliveryLogs,
  ],
});
const deliveryStreams: Case[] = [
  {
    ...deliveryStream({}, ["s3:*"]),
    path: "extendedS3Configuration.roleArn",
    value: undefined,
    says: "reaches a bucket as a role only",
  },
  {
    ...deliveryStream({}, ["s3:*"]),
    path: "extendedS3Configuration.bucketArn",
    value: "arn:aws:s3:::other",
    says: "extendedS3Configuration.prefix is arn:aws:s3:::other/archive/dt=x",
  },
  {
    ...deliveryStream({ errorOutputPrefix: "failed/!{firehose:error-output-type}/" }, ["s3:*"]),
    index: 1,
    path: "policy",
    value: policyOf({ Effect: "Allow", Action: "s3:*", Resource: [BUCKET, `${BUCKET}/archive/*`] }),
    says: "extendedS3Configuration.errorOutputPrefix: The role",
  },
  {
    ...deliveryStream({ processingConfiguration: { processors: transformedBy(`${TRANSFORM}:$LATEST`) } }, ["s3:*", "lambda:*"]),
    path: "extendedS3Configuration.processingConfiguration.processors",
    value: transformedBy(arn("lambda", "function:none")),
    says: "function:none, which is not a resource of the stack",
  },
  {
    ...deliveryStream({ cloudwatchLoggingOptions: { enabled: true, logGroupName: "delivery", logStreamName: "delivery" } }, [
      "s3:*",
      "logs:PutLogEvents",
    ]),
    index: 1,
    path: "policy",
    value: grant("s3:*", "*"),
    says: "lacks logs:PutLogEvents",
  },
];

export const wiringCases: readonly Case[] = [
  ...targets,
  ...integrations,
  ...logs,
  ...buckets,
  ...others,
  ...functions,
  ...jobs,
  ...deliveryStreams,
];
