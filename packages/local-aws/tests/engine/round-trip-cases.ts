/** What each type is created with and changed to, and how its service shows it. */
import type { GraphResource } from "../../src/contracts";
import {
  api,
  apiResource,
  bucket,
  code,
  db,
  deployment,
  document,
  fn,
  type Inputs,
  key,
  letIn,
  namespace,
  otherKey,
  queue,
  role,
  rule,
  services,
  shared,
  stage,
  stream,
  topic,
  trust,
} from "./round-trip-world";

const findApi = (resource: GraphResource) => services.api.apis.get(String(resource.inputs.restApi ?? resource.inputs.restApiId));
const methodKey = ({ inputs }: GraphResource) => `${String(inputs.resourceId)} ${String(inputs.httpMethod)}`;
const attributesOf = (queueUrl: unknown) => services.sqs.store.findQueue(services.sqs.nameOf(String(queueUrl)))?.attributes;
const targetsOf = ({ inputs }: GraphResource) => services.events.store.targets("default", String(inputs.rule));

const published = shared("aws:lambda/function:Function", "published", async () => ({ ...(await fn()).inputs, publish: true }));
const topicQueue = shared("aws:sqs/queue:Queue", "topic-queue", () => ({}));
const asset = (text: string) => ({ kind: "asset", sha256: text, content: Buffer.from(text) });
const encryption = async (one: GraphResource) => [
  { applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: one.state.arn } },
];
const deliveryTo = async (prefix: string) => ({
  bucketArn: (await bucket()).state.arn,
  roleArn: (await role()).state.arn,
  prefix,
});
const onCreation = async (filterPrefix: string) => [
  { id: "new", queueArn: (await queue()).state.arn, events: ["s3:ObjectCreated:*"], filterPrefix },
];
const pass = (Comment: string) => JSON.stringify({ Comment, StartAt: "Done", States: { Done: { Type: "Succeed" } } });

const catalogDatabase = shared("aws:glue/catalogDatabase:CatalogDatabase", "catalog-database", () => ({}));
const queryWorkgroup = shared("aws:athena/workgroup:Workgroup", "query-workgroup", () => ({ forceDestroy: true }));
/** What a service knows of a resource that it refuses to name when it is gone. */
function unlessGone<T>(seen: () => T): T | undefined {
  try {
    return seen();
  } catch {
    return undefined;
  }
}

export interface Case {
  readonly type: string;
  readonly inputs: () => Inputs | Promise<Inputs>;
  /** Inputs that change in place; absent where every change makes a new resource. */
  readonly change?: () => Inputs | Promise<Inputs>;
  /** What the service knows of it: another value after the change, `undefined` when it is gone. */
  readonly seen: (resource: GraphResource) => unknown;
}

export const cases: readonly Case[] = [
  {
    type: "aws:sqs/queue:Queue",
    inputs: () => ({ visibilityTimeoutSeconds: 30 }),
    change: () => ({ visibilityTimeoutSeconds: 60 }),
    seen: ({ id }) => attributesOf(id)?.VisibilityTimeout,
  },
  {
    type: "aws:sqs/queuePolicy:QueuePolicy",
    inputs: async () => ({ queueUrl: (await topicQueue()).id, policy: letIn("sns.amazonaws.com", "sqs:SendMessage") }),
    change: () => ({ policy: letIn("s3.amazonaws.com", "sqs:SendMessage") }),
    seen: ({ inputs }) => attributesOf(inputs.queueUrl)?.Policy,
  },
  {
    type: "aws:sns/topic:Topic",
    inputs: () => ({ displayName: "one" }),
    change: () => ({ displayName: "two" }),
    seen: ({ state }) => services.sns.topics().find(({ name }) => name === state.name)?.attributes.DisplayName,
  },
  {
    type: "aws:sns/topicPolicy:TopicPolicy",
    inputs: async () => ({ arn: (await topic()).id, policy: letIn("events.amazonaws.com", "sns:Publish") }),
    change: () => ({ policy: letIn("cloudwatch.amazonaws.com", "sns:Publish") }),
    seen: ({ inputs }) => services.sns.topic(String(inputs.arn)).attributes.Policy,
  },
  {
    type: "aws:sns/topicSubscription:TopicSubscription",
    inputs: async () => ({ topic: (await topic()).id, protocol: "email", endpoint: "risk@example.com" }),
    seen: ({ id }) => services.sns.subscriptions().find(({ arn }) => arn === id),
  },
  {
    type: "aws:kinesis/stream:Stream",
    inputs: () => ({ shardCount: 2, retentionPeriod: 24 }),
    change: () => ({ shardCount: 4, retentionPeriod: 48 }),
    seen: ({ state }) => {
      const found = services.kinesis.store.findStream(String(state.name));
      return found && [found.retentionHours, services.kinesis.store.openShards(found.name).length];
    },
  },
  {
    type: "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream",
    inputs: async () => ({ destination: "extended_s3", extendedS3Configuration: await deliveryTo("one/") }),
    change: async () => ({ extendedS3Configuration: await deliveryTo("two/") }),
    seen: ({ state }) => services.firehose.store.findStream(String(state.name))?.prefix,
  },
  {
    type: "aws:cloudwatch/eventBus:EventBus",
    inputs: () => ({}),
    seen: ({ id }) => services.events.store.buses().find(({ name }) => name === id),
  },
  {
    type: "aws:cloudwatch/eventRule:EventRule",
    inputs: () => ({ scheduleExpression: "rate(1 hour)" }),
    change: () => ({ scheduleExpression: "rate(2 hours)" }),
    seen: ({ id }) => services.events.store.rules("default").find(({ name }) => name === id)?.schedule,
  },
  {
    type: "aws:cloudwatch/eventTarget:EventTarget",
    inputs: async () => ({ rule: (await rule()).id, arn: (await queue()).state.arn, input: '{"a":1}' }),
    change: () => ({ input: '{"a":2}' }),
    seen: (resource) => targetsOf(resource).find(({ Id }) => Id === resource.state.targetId)?.Input,
  },
  {
    type: "aws:cloudwatch/logGroup:LogGroup",
    inputs: () => ({ retentionInDays: 7 }),
    change: () => ({ retentionInDays: 30 }),
    seen: ({ id }) => services.logs.groups().find(({ name }) => name === id)?.retentionDays,
  },
  {
    type: "aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
    inputs: () => ({ policyName: "to-logs", policyDocument: letIn("events.amazonaws.com", "logs:PutLogEvents") }),
    change: () => ({ policyDocument: letIn("delivery.logs.amazonaws.com", "logs:PutLogEvents") }),
    seen: ({ id }) => services.logs.policies().find(({ name }) => name === id)?.document,
  },
  {
    type: "aws:cloudwatch/metricAlarm:MetricAlarm",
    inputs: () => ({
      namespace: "AWS/SQS",
      metricName: "NumberOfMessagesSent",
      statistic: "Sum",
      period: 60,
      evaluationPeriods: 1,
      threshold: 1,
      comparisonOperator: "GreaterThanThreshold",
    }),
    change: () => ({ threshold: 5 }),
    seen: ({ id }) => services.cloudwatch.alarms().find(({ alarm }) => alarm.AlarmName === id)?.alarm.Threshold,
  },
  {
    type: "aws:dynamodb/table:Table",
    inputs: () => ({
      hashKey: "id",
      attributes: [{ name: "id", type: "S" }],
      readCapacity: 5,
      writeCapacity: 5,
      ttl: { attributeName: "ttl", enabled: true },
    }),
    change: () => ({ readCapacity: 10, ttl: undefined }),
    seen: async ({ id }) => {
      const { ReadCapacityUnits } = (await services.dynamodb.tables.find(id))?.ProvisionedThroughput ?? {};
      return ReadCapacityUnits && [ReadCapacityUnits, services.dynamodb.tables.settings.get(id)?.ttlAttribute];
    },
  },
  {
    type: "aws:s3/bucket:Bucket",
    inputs: () => ({}),
    seen: ({ id }) => services.s3.store.hasBucket(id) || undefined,
  },
  {
    type: "aws:s3/bucketObjectv2:BucketObjectv2",
    inputs: async () => ({ bucket: (await bucket()).id, key: "a/b.txt", source: asset("one"), contentType: "text/plain" }),
    change: () => ({ contentType: "text/csv", metadata: { made: "here" } }),
    seen: ({ inputs }) => {
      const found = services.s3.store.find(String(inputs.bucket), "a/b.txt");
      return found && [found.headers["content-type"], found.headers["x-amz-meta-made"], found.etag];
    },
  },
  {
    type: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    inputs: async () => ({ bucket: (await bucket()).id, rules: await encryption(await key()) }),
    change: async () => ({ rules: await encryption(await otherKey()) }),
    seen: ({ id }) => services.s3.store.config(id).encryption?.keyId,
  },
  {
    type: "aws:s3/bucketPolicy:BucketPolicy",
    inputs: async () => ({ bucket: (await bucket()).id, policy: letIn("logging.s3.amazonaws.com", "s3:PutObject") }),
    change: () => ({ policy: letIn("delivery.logs.amazonaws.com", "s3:PutObject") }),
    seen: ({ id }) => services.iam.resourcePolicy(`arn:aws:s3:::${id}`),
  },
  {
    type: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    inputs: async () => ({ bucket: (await bucket()).id, rules: [{ id: "old", status: "Enabled", expiration: { days: 30 } }] }),
    change: () => ({ rules: [{ id: "old", status: "Enabled", expiration: { days: 60 } }] }),
    seen: ({ id }) => services.s3.store.config(id).expirations,
  },
  {
    type: "aws:s3/bucketNotification:BucketNotification",
    inputs: async () => ({ bucket: (await bucket()).id, queues: await onCreation("in/") }),
    change: async () => ({ queues: await onCreation("other/") }),
    seen: ({ id }) => services.s3.store.config(id).notifications,
  },
  {
    type: "aws:ssm/parameter:Parameter",
    inputs: () => ({ type: "String", value: "1", description: "first" }),
    change: () => ({ value: "2", description: undefined }),
    seen: ({ id }) => {
      const found = services.ssm.parameters.find(id);
      return found && [found.value, found.description ?? ""];
    },
  },
  {
    type: "aws:secretsmanager/secret:Secret",
    inputs: () => ({ description: "first", recoveryWindowInDays: 0 }),
    change: () => ({ description: "second" }),
    seen: ({ id }) => services.secrets.find(id)?.description,
  },
  {
    type: "aws:kms/key:Key",
    inputs: () => ({ policy: letIn("sns.amazonaws.com", "kms:Decrypt") }),
    change: () => ({ policy: letIn("sqs.amazonaws.com", "kms:Decrypt") }),
    seen: ({ state }) => services.iam.resourcePolicy(String(state.arn)),
  },
  {
    type: "aws:kms/alias:Alias",
    inputs: async () => ({ targetKeyId: (await key()).id }),
    change: async () => ({ targetKeyId: (await otherKey()).id }),
    seen: ({ id }) => (services.kms.aliases().includes(id) ? services.kms.arnOf(id) : undefined),
  },
  {
    type: "aws:iam/role:Role",
    inputs: () => ({ assumeRolePolicy: trust("glue.amazonaws.com") }),
    change: () => ({ assumeRolePolicy: trust("lambda.amazonaws.com") }),
    seen: ({ id }) => {
      if (!services.iam.roleNames().includes(id)) return undefined;
      return ["glue.amazonaws.com", "lambda.amazonaws.com"].filter((service) => services.iam.assumableBy(id, service));
    },
  },
  {
    type: "aws:iam/rolePolicy:RolePolicy",
    inputs: async () => ({ role: (await role()).id, policy: document("s3:GetObject") }),
    change: () => ({ policy: document("s3:PutObject") }),
    seen: ({ inputs, state }) => services.iam.role(String(inputs.role)).policies.get(String(state.name)),
  },
  {
    type: "aws:lambda/function:Function",
    inputs: async () => ({ ...(await fn()).inputs, code: code("exports.handler = async () => 'one'") }),
    change: () => ({
      code: code("exports.handler = async () => 'two'"),
      memorySize: 512,
      environment: { variables: { MODE: "new" } },
      reservedConcurrentExecutions: 3,
    }),
    seen: ({ id }) => {
      const found = services.lambda.pool.get(id);
      return (
        found && [found.config.code.sha256, found.config.memoryMb, found.config.environment, found.config.reservedConcurrency]
      );
    },
  },
  {
    type: "aws:lambda/alias:Alias",
    inputs: async () => ({ functionName: (await published()).id, name: "live", functionVersion: "$LATEST" }),
    change: () => ({ functionVersion: "1" }),
    seen: ({ state }) => services.lambda.aliases.get(String(state.functionName))?.get("live"),
  },
  {
    type: "aws:lambda/permission:Permission",
    inputs: async () => ({
      action: "lambda:InvokeFunction",
      function: (await fn()).id,
      principal: "events.amazonaws.com",
    }),
    seen: async () => {
      try {
        await services.lambda.deliver(String((await fn()).state.arn), "{}", { servicePrincipal: "events.amazonaws.com" });
        return "invoked";
      } catch {
        return undefined;
      }
    },
  },
  {
    type: "aws:lambda/eventSourceMapping:EventSourceMapping",
    inputs: async () => ({
      eventSourceArn: (await stream()).id,
      functionName: (await fn()).id,
      startingPosition: "TRIM_HORIZON",
      batchSize: 10,
    }),
    change: () => ({ batchSize: 50 }),
    seen: ({ id }) => services.lambda.mappings.get(id)?.batchSize,
  },
  {
    type: "aws:glue/job:Job",
    inputs: async () => ({
      roleArn: (await role()).state.arn,
      command: { name: "glueetl", scriptLocation: "s3://b/one.py", pythonVersion: "3" },
      glueVersion: "5.0",
      timeout: 10,
    }),
    change: () => ({ timeout: 20 }),
    seen: ({ id }) => services.glue.findJob(id)?.timeoutMinutes,
  },
  {
    type: "aws:glue/schema:Schema",
    inputs: () => ({
      registryArn: "arn:aws:glue:us-east-1:000000000000:registry/schemas",
      schemaName: "one",
      dataFormat: "AVRO",
      compatibility: "BACKWARD",
      schemaDefinition: '"int"',
    }),
    // Versions stay, so a definition that is taken back changes nothing.
    change: () => ({ compatibility: "FULL" }),
    seen: ({ id }) => services.glue.schemas.versionsOf(id).map(() => services.glue.schemas.schema(id).compatibility)[0],
  },
  {
    type: "aws:glue/catalogDatabase:CatalogDatabase",
    inputs: () => ({ name: "risk_db", description: "first" }),
    change: () => ({ description: "second" }),
    seen: ({ state }) => unlessGone(() => services.catalog.database(String(state.name)).description),
  },
  {
    type: "aws:glue/catalogTable:CatalogTable",
    inputs: async () => ({
      name: "events",
      databaseName: (await catalogDatabase()).state.name,
      storageDescriptor: {
        location: "s3://b/events/",
        columns: [{ name: "id", type: "string", comment: "first" }],
        serDeInfo: { serializationLibrary: "org.openx.data.jsonserde.JsonSerDe" },
      },
    }),
    change: () => ({
      storageDescriptor: {
        location: "s3://b/other/",
        columns: [{ name: "id", type: "string" }],
        serDeInfo: { serializationLibrary: "org.openx.data.jsonserde.JsonSerDe" },
      },
    }),
    seen: ({ inputs, state }) => services.catalog.findTable(String(inputs.databaseName), String(state.name))?.location,
  },
  {
    type: "aws:athena/workgroup:Workgroup",
    inputs: () => ({ name: "analysts", configuration: { bytesScannedCutoffPerQuery: 10_000_000 } }),
    change: () => ({ configuration: { bytesScannedCutoffPerQuery: 20_000_000 } }),
    seen: ({ id }) => services.athena.workgroups.find(id)?.scanLimitBytes,
  },
  {
    type: "aws:athena/namedQuery:NamedQuery",
    inputs: async () => ({ name: "one", database: "risk_db", query: "SELECT 1", workgroup: (await queryWorkgroup()).id }),
    seen: ({ id }) => services.athena.workgroups.queries.get(id)?.sql,
  },
  {
    type: "aws:sfn/stateMachine:StateMachine",
    inputs: async () => ({ roleArn: (await role()).state.arn, definition: pass("one") }),
    change: () => ({ definition: pass("two") }),
    seen: ({ id }) => services.stepFunctions.machines.get(id)?.definition,
  },
  {
    type: "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
    inputs: () => ({ modelPackageGroupName: "models", modelPackageGroupDescription: "first" }),
    seen: ({ id }) => db.prepare("SELECT key FROM sagemaker_model_groups WHERE key = ?").get(id)?.key,
  },
  {
    type: "aws:redshiftserverless/namespace:Namespace",
    inputs: async () => ({ namespaceName: "risk-ns", dbName: "risk_test", iamRoles: ["arn:one"], manageAdminPassword: true }),
    change: () => ({ manageAdminPassword: false }),
    seen: async ({ id }) => {
      const found = services.redshift.namespaces.get(id);
      const rows = await services.warehouse.query("SELECT 1 FROM pg_database WHERE datname = 'risk_test'", [], "postgres");
      return found && rows.length === 1
        ? services.secrets.names().filter((name) => name.startsWith("redshift!risk-ns")).length
        : undefined;
    },
  },
  {
    type: "aws:redshiftserverless/workgroup:Workgroup",
    inputs: async () => ({ workgroupName: "risk-wg", namespaceName: (await namespace()).id }),
    seen: ({ id }) => services.redshift.workgroups.get(id)?.namespaceName,
  },
  {
    type: "aws:apigateway/restApi:RestApi",
    inputs: () => ({ name: "first" }),
    change: () => ({ name: "second" }),
    seen: ({ id }) => services.api.apis.get(id)?.name,
  },
  {
    type: "aws:apigateway/resource:Resource",
    inputs: async () => ({ restApi: (await api()).id, parentId: (await api()).state.rootResourceId, pathPart: "one" }),
    change: () => ({ pathPart: "two" }),
    seen: (resource) => findApi(resource)?.resources.get(resource.id)?.pathPart,
  },
  {
    type: "aws:apigateway/method:Method",
    inputs: async () => ({
      restApi: (await api()).id,
      resourceId: (await apiResource()).id,
      httpMethod: "POST",
      authorization: "NONE",
    }),
    change: () => ({ apiKeyRequired: true }),
    seen: (resource) => findApi(resource)?.methods.get(methodKey(resource))?.apiKeyRequired,
  },
  {
    type: "aws:apigateway/integration:Integration",
    inputs: async () => ({
      restApi: (await api()).id,
      resourceId: (await apiResource()).id,
      httpMethod: "POST",
      type: "AWS_PROXY",
      integrationHttpMethod: "POST",
      uri: (await fn()).state.invokeArn,
      timeoutMilliseconds: 1000,
    }),
    change: () => ({ timeoutMilliseconds: 2000 }),
    seen: (resource) => findApi(resource)?.integrations.get(methodKey(resource))?.timeoutMs,
  },
  {
    type: "aws:apigateway/model:Model",
    inputs: async () => ({
      restApi: (await api()).id,
      name: "Lead",
      contentType: "application/json",
      schema: '{"type":"object"}',
    }),
    change: () => ({ schema: '{"type":"array"}' }),
    seen: (resource) => findApi(resource)?.models.get("Lead"),
  },
  {
    type: "aws:apigateway/requestValidator:RequestValidator",
    inputs: async () => ({ restApi: (await api()).id, validateRequestBody: true }),
    change: () => ({ validateRequestBody: false }),
    seen: (resource) => findApi(resource)?.validators.get(resource.id),
  },
  {
    type: "aws:apigateway/response:Response",
    inputs: async () => ({ restApiId: (await api()).id, responseType: "THROTTLED", statusCode: "429" }),
    change: () => ({ statusCode: "503" }),
    seen: (resource) => findApi(resource)?.responses.get("THROTTLED")?.statusCode,
  },
  {
    type: "aws:apigateway/deployment:Deployment",
    inputs: async () => ({ restApi: (await deployment()).inputs.restApi, triggers: { definition: "other" } }),
    seen: (resource) => findApi(resource)?.deployments.get(resource.id)?.name,
  },
  {
    type: "aws:apigateway/stage:Stage",
    inputs: async () => ({ restApi: (await api()).id, deployment: (await deployment()).id, stageName: "v2" }),
    change: () => ({ accessLogSettings: { destinationArn: "arn", format: "$context.requestId" } }),
    seen: (resource) => {
      const found = findApi(resource)?.stages.get("v2");
      return found && (found.accessLog?.format ?? "no log");
    },
  },
  {
    type: "aws:apigateway/methodSettings:MethodSettings",
    inputs: async () => ({
      restApi: (await api()).id,
      stageName: (await stage()).inputs.stageName,
      methodPath: "*/*",
      settings: { throttlingRateLimit: 10, throttlingBurstLimit: 5 },
    }),
    change: () => ({ settings: { throttlingRateLimit: 20, throttlingBurstLimit: 5 } }),
    seen: (resource) => findApi(resource)?.stages.get("v1")?.throttles.get("*/*"),
  },
];
