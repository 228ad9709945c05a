/** Local bodies of the aws:lambda resource types. */
import { createHash } from "node:crypto";
import type { GraphResource, LocalContext, NameRule, ResourceBody } from "../contracts.js";
import { Fields } from "../engine/fields.js";
import { physicalName } from "../engine/names.js";
import { isResolvedArchive, zipArchive } from "../graph/assets.js";
import type { MappingConfig } from "../lambda/mapping.js";
import type { StartingPosition } from "../lambda/ports.js";
import type { LambdaService } from "../lambda/service.js";

const functionInputs = [
  "name",
  "code",
  "handler",
  "runtime",
  "role",
  "memorySize",
  "timeout",
  "description",
  "environment",
  "reservedConcurrentExecutions",
  "tracingConfig",
  "loggingConfig",
  "deadLetterConfig",
  "publish",
  "architectures",
  "packageType",
];

// Lambda API reference: CreateFunction, CreateAlias, AddPermission.
const characters = { pattern: /^[A-Za-z0-9_-]+$/, words: "letters, digits, hyphens and underscores" };
const functionName: NameRule = { field: "name", maxLength: 64, characters };
const aliasName: NameRule = { field: "name", maxLength: 128, characters };
const statementName: NameRule = { field: "statementId", maxLength: 100, characters };

/** Bodies over a service; the context gives database and account. */
export function lambdaBodies(service: LambdaService, context: LocalContext): ResourceBody[] {
  return [
    functionBody(service),
    permissionBody(service),
    mappingBody(service),
    invocationBody(service, context),
    aliasBody(service),
    asyncBody(service),
    provisionedBody(service),
  ];
}

/** Function name of `name`, `name:qualifier` or an ARN. */
const functionNameOf = (reference: string): string =>
  reference.replace(/^arn:aws[a-z-]*:lambda:[^:]+:\d+:function:/, "").split(":")[0] ?? reference;

const functionBody = (service: LambdaService): ResourceBody => ({
  type: "aws:lambda/function:Function",
  honoured: functionInputs,
  cloudOnly: {
    tags: "labels for billing and search",
    kmsKeyArn: "environment variables are in the memory of a local process only",
    ephemeralStorage: "the machine's own temporary folder is used",
  },
  replaceOn: ["name", "packageType"],
  autoName: functionName,
  outputs: ({ name, inputs, region, accountId }) => {
    const fields = new Fields(inputs, `function ${name}`);
    const physical = physicalName(functionName, name, inputs);
    const arn = `arn:aws:lambda:${region}:${accountId}:function:${physical}`;
    const version = fields.flag("publish") ? "1" : "$LATEST";
    const invoke = (target: string) => `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${target}/invocations`;
    const zip = isResolvedArchive(inputs.code) ? zipArchive(inputs.code) : Buffer.alloc(0);
    return {
      id: physical,
      state: {
        name: physical,
        arn,
        version,
        qualifiedArn: `${arn}:${version}`,
        invokeArn: invoke(arn),
        qualifiedInvokeArn: invoke(`${arn}:${version}`),
        codeSha256: createHash("sha256").update(zip).digest("base64"),
        sourceCodeSize: zip.length,
        memorySize: fields.number("memorySize") ?? 128,
        timeout: fields.number("timeout") ?? 3,
        // The group's real name is computed by the provider when the program leaves it out.
        loggingConfig: { logFormat: "Text", logGroup: `/aws/lambda/${physical}`, ...fields.record("loggingConfig") },
      },
    };
  },
  create: (resource) => putFunction(service, resource),
  update: (resource) => putFunction(service, resource),
  delete: ({ state }) => service.deleteFunction(String(state.name)),
});

async function putFunction(service: LambdaService, resource: GraphResource): Promise<void> {
  const fields = new Fields({ ...resource.inputs, ...resource.state }, `function ${resource.name}`);
  const code = resource.inputs.code;
  if (!isResolvedArchive(code)) throw new Error("code: expected an archive (images and S3 objects are not supported here).");
  const runtime = fields.need("runtime");
  if (!runtime.startsWith("nodejs")) throw new Error(`runtime ${runtime}: only nodejs runtimes have a local body.`);
  const reserved = fields.number("reservedConcurrentExecutions");
  const logging = new Fields(fields.record("loggingConfig"), `function ${resource.name} loggingConfig`);
  const variables = new Fields(fields.record("environment"), "environment").record("variables");
  await service.putFunction({
    name: fields.need("name"),
    arn: fields.need("arn"),
    roleArn: fields.need("role"),
    handler: fields.need("handler"),
    runtime,
    description: fields.text("description") ?? "",
    memoryMb: fields.number("memorySize") ?? 128,
    timeoutSeconds: fields.number("timeout") ?? 3,
    environment: Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, String(value)])),
    reservedConcurrency: reserved === undefined || reserved < 0 ? undefined : reserved,
    logGroup: logging.text("logGroup") ?? `/aws/lambda/${fields.need("name")}`,
    logFormat: logging.text("logFormat") === "JSON" ? "JSON" : "Text",
    tracing: new Fields(fields.record("tracingConfig"), "tracingConfig").text("mode") === "Active" ? "Active" : "PassThrough",
    deadLetterArn: new Fields(fields.record("deadLetterConfig"), "deadLetterConfig").text("targetArn"),
    architectures: fields.texts("architectures") ?? ["x86_64"],
    version: fields.text("version") ?? "$LATEST",
    code,
  });
}

const permissionBody = (service: LambdaService): ResourceBody => ({
  type: "aws:lambda/permission:Permission",
  honoured: ["action", "function", "principal", "sourceArn", "statementId", "qualifier"],
  cloudOnly: { sourceAccount: "there is one account here" },
  replaceOn: ["action", "function", "principal", "sourceArn", "sourceAccount", "statementId", "qualifier"],
  autoName: statementName,
  outputs: ({ name, inputs }) => {
    const statementId = physicalName(statementName, name, inputs);
    return { id: statementId, state: { statementId } };
  },
  create: (resource) => {
    const fields = new Fields(resource.inputs, `permission ${resource.name}`);
    service.addPermission({
      id: resource.id,
      functionName: service.resolve(functionNameOf(fields.need("function"))).name,
      action: fields.need("action"),
      principal: fields.need("principal"),
      sourceArn: fields.text("sourceArn"),
      qualifier: fields.text("qualifier") ?? fields.need("function").split(":function:")[1]?.split(":")[1],
    });
  },
  delete: ({ id, inputs }) => service.removePermission(functionNameOf(String(inputs.function)), id),
});

/** A stable id of the form of a UUID. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const mappingBody = (service: LambdaService): ResourceBody => ({
  type: "aws:lambda/eventSourceMapping:EventSourceMapping",
  honoured: [
    "eventSourceArn",
    "functionName",
    "startingPosition",
    "startingPositionTimestamp",
    "batchSize",
    "maximumBatchingWindowInSeconds",
    "parallelizationFactor",
    "maximumRetryAttempts",
    "maximumRecordAgeInSeconds",
    "bisectBatchOnFunctionError",
    "functionResponseTypes",
    "destinationConfig",
    "filterCriteria",
    "scalingConfig",
    "metricsConfig",
    "enabled",
  ],
  cloudOnly: {
    tags: "labels for billing and search",
    kmsKeyArn: "filter criteria are not encrypted here",
  },
  replaceOn: ["eventSourceArn", "startingPosition", "startingPositionTimestamp"],
  outputs: ({ name, inputs, region, accountId }) => {
    const { eventSourceArn, startingPosition, startingPositionTimestamp } = inputs;
    const uuid = uuidOf([name, eventSourceArn, startingPosition, startingPositionTimestamp].join(" "));
    const functionName = functionNameOf(String(inputs.functionName));
    return {
      id: uuid,
      state: {
        uuid,
        arn: `arn:aws:lambda:${region}:${accountId}:event-source-mapping:${uuid}`,
        functionArn: `arn:aws:lambda:${region}:${accountId}:function:${functionName}`,
        state: "Enabled",
      },
    };
  },
  create: (resource) => putMapping(service, resource),
  update: (resource) => putMapping(service, resource),
  delete: ({ id }) => service.deleteMapping(id),
});

function putMapping(service: LambdaService, { name, id, inputs, state }: GraphResource): Promise<void> {
  return service.putMapping(mappingConfig(new Fields(inputs, `event source mapping ${name}`), id, String(state.arn)));
}

function mappingConfig(fields: Fields, uuid: string, arn: string): MappingConfig {
  const sourceArn = fields.need("eventSourceArn");
  const service = sourceArn.split(":")[2];
  if (service !== "kinesis" && service !== "sqs")
    throw new Error(`eventSourceArn ${sourceArn}: only Kinesis streams and SQS queues are supported here.`);
  const destination = new Fields(
    new Fields(fields.record("destinationConfig"), "destinationConfig").record("onFailure"),
    "onFailure",
  );
  const filters = new Fields(fields.record("filterCriteria"), "filterCriteria").list("filters");
  const responseTypes = fields.texts("functionResponseTypes") ?? [];
  return {
    uuid,
    arn,
    sourceArn,
    functionName: functionNameOf(fields.need("functionName")),
    enabled: fields.flag("enabled") ?? true,
    batchSize: fields.number("batchSize") ?? (service === "sqs" ? 10 : 100),
    windowSeconds: fields.number("maximumBatchingWindowInSeconds") ?? 0,
    startingPosition: startingPosition(fields, service),
    parallelizationFactor: fields.number("parallelizationFactor") ?? 1,
    maxRetries: fields.number("maximumRetryAttempts") ?? -1,
    maxRecordAgeSeconds: fields.number("maximumRecordAgeInSeconds") ?? -1,
    bisectOnError: fields.flag("bisectBatchOnFunctionError") ?? false,
    reportsItemFailures: responseTypes.includes("ReportBatchItemFailures"),
    onFailure: destination.text("destinationArn"),
    maximumConcurrency: new Fields(fields.record("scalingConfig"), "scalingConfig").number("maximumConcurrency"),
    countsEvents: eventCounts(fields),
    filters: filters.map((filter) => JSON.parse(new Fields(filter, "filterCriteria.filters").need("pattern")) as unknown),
  };
}

/** `metricsConfig: { metrics: ["EventCount"] }` is the only choice that AWS gives for streams and queues. */
function eventCounts(fields: Fields): boolean {
  const metrics = new Fields(fields.record("metricsConfig"), "metricsConfig").texts("metrics") ?? [];
  const unknown = metrics.filter((name) => name !== "EventCount");
  if (unknown.length > 0) throw new Error(`metricsConfig.metrics: expected EventCount, got ${unknown.join(", ")}.`);
  return metrics.length > 0;
}

function startingPosition(fields: Fields, service: string): StartingPosition {
  const kind = fields.text("startingPosition");
  if (service === "sqs") return { kind: "TRIM_HORIZON" };
  if (kind === "TRIM_HORIZON" || kind === "LATEST") return { kind };
  if (kind === "AT_TIMESTAMP") return { kind, timestamp: Date.parse(fields.need("startingPositionTimestamp")) };
  throw new Error(`startingPosition: expected TRIM_HORIZON, LATEST or AT_TIMESTAMP, got ${String(kind)}.`);
}

/** Invokes once for each change of input or triggers: what was done is remembered in the database. */
const invocationBody = (service: LambdaService, context: LocalContext): ResourceBody => ({
  type: "aws:lambda/invocation:Invocation",
  honoured: ["functionName", "input", "triggers", "qualifier"],
  cloudOnly: {
    lifecycleScope: "an invocation is made once, when its resource is created",
    terraformKey: "used with lifecycleScope CRUD only",
  },
  replaceOn: ["functionName", "qualifier", "input", "triggers"],
  outputs: ({ name, inputs }) => ({
    id: `${functionNameOf(String(inputs.functionName))}_${name}`,
    // The result exists only after the deployment; the service keeps it. An output that reads it sees this text.
    state: { result: '"(known after deployment)"' },
  }),
  create: async (resource) => {
    const fields = new Fields(resource.inputs, `invocation ${resource.name}`);
    const { name } = service.resolve(fields.need("functionName"), fields.text("qualifier"));
    const { db } = context;
    const hash = invocationHash(resource.inputs);
    if (remembered(context, resource.urn) === hash) return;
    const result = await service.pool.invoke(name, fields.text("input") ?? "{}");
    if (result.functionError !== undefined) throw new Error(`${name} failed: ${result.payload}\n${result.logTail}`);
    db.prepare(
      "INSERT INTO lambda_invocations (id, hash, result) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, result = excluded.result",
    ).run(resource.urn, hash, result.payload);
  },
  // Nothing is invoked (lifecycleScope CREATE_ONLY); a resource of the same URN invokes again. A replacement is remembered already.
  delete: ({ urn, inputs }) => {
    const known = remembered(context, urn);
    if (known === invocationHash(inputs)) context.db.prepare("DELETE FROM lambda_invocations WHERE id = ?").run(urn);
  },
});

/** What the last invocation of a resource was made with; creates the table. */
function remembered({ db }: LocalContext, urn: string): string | undefined {
  db.exec("CREATE TABLE IF NOT EXISTS lambda_invocations (id TEXT PRIMARY KEY, hash TEXT NOT NULL, result TEXT NOT NULL)");
  const row = db.prepare("SELECT hash FROM lambda_invocations WHERE id = ?").get(urn);
  return row === undefined ? undefined : String(row.hash);
}

function invocationHash({ functionName, input, triggers }: GraphResource["inputs"]): string {
  const name = functionNameOf(String(functionName));
  return createHash("sha256")
    .update(JSON.stringify([name, input, triggers]))
    .digest("hex");
}

const aliasBody = (service: LambdaService): ResourceBody => ({
  type: "aws:lambda/alias:Alias",
  honoured: ["name", "functionName", "functionVersion", "description"],
  cloudOnly: {},
  replaceOn: ["name", "functionName"],
  autoName: aliasName,
  outputs: ({ name, inputs, region, accountId }) => {
    const alias = physicalName(aliasName, name, inputs);
    const arn = `arn:aws:lambda:${region}:${accountId}:function:${functionNameOf(String(inputs.functionName))}:${alias}`;
    return {
      id: arn,
      state: { name: alias, arn, invokeArn: `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${arn}/invocations` },
    };
  },
  create: (resource) => putAlias(service, resource),
  update: (resource) => putAlias(service, resource),
  delete: ({ inputs, state }) => service.deleteAlias(functionNameOf(String(inputs.functionName)), String(state.name)),
});

function putAlias(service: LambdaService, resource: GraphResource): void {
  const fields = new Fields({ ...resource.inputs, ...resource.state }, `alias ${resource.name}`);
  const functionName = functionNameOf(fields.need("functionName"));
  service.resolve(functionName, fields.need("functionVersion"));
  service.putAlias({
    name: fields.need("name"),
    functionName,
    version: fields.need("functionVersion"),
    description: fields.text("description") ?? "",
  });
}

const asyncBody = (service: LambdaService): ResourceBody => ({
  type: "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
  honoured: ["functionName", "maximumRetryAttempts", "maximumEventAgeInSeconds", "destinationConfig", "qualifier"],
  cloudOnly: {},
  replaceOn: ["functionName", "qualifier"],
  outputs: ({ inputs }) => ({ id: functionNameOf(String(inputs.functionName)), state: {} }),
  create: (resource) => configureAsync(service, resource),
  update: (resource) => configureAsync(service, resource),
  delete: ({ inputs }) => service.resetAsync(functionNameOf(String(inputs.functionName))),
});

function configureAsync(service: LambdaService, resource: GraphResource): void {
  const fields = new Fields(resource.inputs, `event invoke config ${resource.name}`);
  const config = new Fields(fields.record("destinationConfig"), "destinationConfig");
  const target = (name: string) => new Fields(config.record(name), `destinationConfig.${name}`).text("destination");
  service.configureAsync(service.resolve(functionNameOf(fields.need("functionName"))).name, {
    maxRetries: fields.number("maximumRetryAttempts") ?? 2,
    maxAgeSeconds: fields.number("maximumEventAgeInSeconds") ?? 21_600,
    onSuccess: target("onSuccess"),
    onFailure: target("onFailure"),
  });
}

/** The account's limits hold; processes start in a few tens of milliseconds here, so none is kept warm in advance. */
const provisionedBody = (service: LambdaService): ResourceBody => ({
  type: "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
  honoured: ["functionName", "qualifier", "provisionedConcurrentExecutions"],
  cloudOnly: { skipDestroy: "nothing is destroyed here" },
  replaceOn: ["functionName", "qualifier"],
  outputs: ({ inputs }) => ({ id: `${functionNameOf(String(inputs.functionName))},${String(inputs.qualifier)}`, state: {} }),
  create: (resource) => provision(service, resource),
  update: (resource) => provision(service, resource),
  delete: ({ inputs }) => service.pool.unprovision(functionNameOf(String(inputs.functionName))),
});

function provision(service: LambdaService, resource: GraphResource): void {
  const fields = new Fields(resource.inputs, `provisioned concurrency ${resource.name}`);
  const { name, qualifier } = service.resolve(functionNameOf(fields.need("functionName")), fields.need("qualifier"));
  if (qualifier === "$LATEST")
    throw new Error("Provisioned Concurrency Configs cannot be applied to unpublished function versions: name an alias.");
  service.pool.provision(name, fields.number("provisionedConcurrentExecutions") ?? 0);
}
