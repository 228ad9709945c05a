/** Local bodies of the aws:lambda resource types. */
import { createHash } from "node:crypto";
import { isResolvedArchive } from "@risk/program-graph";
import type { GraphResource, LocalContext, NameRule, ResourceBody } from "../contracts";
import { Fields, writtenBy } from "../engine/fields";
import { physicalName } from "../engine/names";
import { functionNameOf, mappingBody } from "./mapping-body";
import type { LambdaService } from "./service";

const functionInputs = [
  "name",
  "code",
  "handler",
  "runtime",
  "role",
  "memorySize",
  "timeout",
  "environment",
  "reservedConcurrentExecutions",
  "tracingConfig",
  "loggingConfig",
  "publish",
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

const functionBody = (service: LambdaService): ResourceBody => ({
  type: "aws:lambda/function:Function",
  honoured: functionInputs,
  cloudOnly: {
    tags: "labels for billing and search",
    kmsKeyArn: "environment variables are in the memory of a local process only",
    ephemeralStorage: "the machine's own temporary folder is used",
    description: "shown in the console only",
    architectures: "the machine has its own",
    packageType: "the code says what it is",
  },
  replaceOn: ["name", "packageType"],
  autoName: functionName,
  outputs: ({ name, inputs, region, accountId }) => {
    const fields = new Fields(inputs, `function ${name}`);
    const physical = physicalName(functionName, name, inputs);
    const arn = `arn:aws:lambda:${region}:${accountId}:function:${physical}`;
    const version = fields.flag("publish") ? "1" : "$LATEST";
    const invoke = (target: string) => `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${target}/invocations`;
    return {
      id: physical,
      state: {
        name: physical,
        arn,
        version,
        qualifiedArn: `${arn}:${version}`,
        invokeArn: invoke(arn),
        qualifiedInvokeArn: invoke(`${arn}:${version}`),
        // Changes with the code, as the hash of the uploaded archive does.
        codeSha256: isResolvedArchive(inputs.code) ? Buffer.from(inputs.code.sha256, "hex").toString("base64") : "",
        memorySize: fields.number("memorySize") ?? 128,
        timeout: fields.number("timeout") ?? 3,
        // The group's real name is computed by the provider when the program leaves it out.
        loggingConfig: { logFormat: "Text", logGroup: `/aws/lambda/${physical}`, ...fields.record("loggingConfig") },
      },
    };
  },
  ...writtenBy(async (fields, resource) => {
    const code = resource.inputs.code;
    if (!isResolvedArchive(code)) throw new Error("code: expected an archive (images and S3 objects are not supported here).");
    const runtime = fields.need("runtime");
    if (!runtime.startsWith("nodejs")) throw new Error(`runtime ${runtime}: only nodejs runtimes have a local body.`);
    const reserved = fields.number("reservedConcurrentExecutions");
    const logging = fields.in("loggingConfig");
    if ((logging.text("logFormat") ?? "Text") !== "Text") throw new Error("loggingConfig.logFormat: only Text has a local body.");
    const variables = fields.in("environment").record("variables");
    await service.putFunction({
      name: fields.need("name"),
      arn: fields.need("arn"),
      roleArn: fields.need("role"),
      handler: fields.need("handler"),
      runtime,
      memoryMb: fields.number("memorySize") ?? 128,
      timeoutSeconds: fields.number("timeout") ?? 3,
      environment: Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, String(value)])),
      reservedConcurrency: reserved === undefined || reserved < 0 ? undefined : reserved,
      logGroup: logging.text("logGroup") ?? `/aws/lambda/${fields.need("name")}`,
      tracing: fields.in("tracingConfig").text("mode") === "Active" ? "Active" : "PassThrough",
      version: fields.text("version") ?? "$LATEST",
      code,
    });
  }),
  delete: ({ state }) => service.deleteFunction(String(state.name)),
});

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
    service.policies.put({
      id: resource.id,
      functionName: service.resolve(functionNameOf(fields.need("function"))).config.name,
      action: fields.need("action"),
      principal: fields.need("principal"),
      sourceArn: fields.text("sourceArn"),
      qualifier: fields.text("qualifier") ?? fields.need("function").split(":function:")[1]?.split(":")[1],
    });
  },
  delete: ({ id, inputs }) => service.policies.remove(functionNameOf(String(inputs.function)), id),
});

/** Invokes once for each change of input or triggers; the database remembers the last one. */
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
    const { name } = service.resolve(fields.need("functionName"), fields.text("qualifier")).config;
    const { db } = context;
    const hash = invocationHash(resource.inputs);
    if (remembered(context, resource.urn) === hash) return;
    const result = await service.pool.invoke(name, fields.text("input") ?? "{}");
    if (result.functionError !== undefined) throw new Error(`${name} failed: ${result.payload}\n${result.logTail}`);
    db.prepare(
      "INSERT INTO lambda_invocations (id, hash, result) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, result = excluded.result",
    ).run(resource.urn, hash, result.payload);
  },
  // Nothing is invoked (lifecycleScope CREATE_ONLY); a later resource of the same URN invokes again. A replacement has its own hash by now.
  delete: ({ urn, inputs }) => {
    const known = remembered(context, urn);
    if (known === invocationHash(inputs)) context.db.prepare("DELETE FROM lambda_invocations WHERE id = ?").run(urn);
  },
});

/** Hash of the inputs of a resource's last invocation; creates the table. */
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
  honoured: ["name", "functionName", "functionVersion"],
  cloudOnly: { description: "shown in the console only" },
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
  ...writtenBy((fields) =>
    service.putAlias(functionNameOf(fields.need("functionName")), fields.need("name"), fields.need("functionVersion")),
  ),
  delete: ({ inputs, state }) => service.deleteAlias(functionNameOf(String(inputs.functionName)), String(state.name)),
});

const asyncBody = (service: LambdaService): ResourceBody => ({
  type: "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
  honoured: ["functionName", "maximumRetryAttempts", "maximumEventAgeInSeconds", "destinationConfig", "qualifier"],
  cloudOnly: {},
  replaceOn: ["functionName", "qualifier"],
  outputs: ({ inputs }) => ({ id: functionNameOf(String(inputs.functionName)), state: {} }),
  ...writtenBy((fields) => {
    const destinations = fields.in("destinationConfig");
    if (Object.keys(destinations.record("onSuccess")).length > 0)
      throw new Error("destinationConfig.onSuccess: only failures have a destination here.");
    const onFailure = destinations.in("onFailure").text("destination");
    if (onFailure !== undefined && onFailure.split(":")[2] !== "sqs")
      throw new Error(`destinationConfig.onFailure: expected a queue, got ${onFailure}.`);
    service.asynchronous.configure(service.resolve(functionNameOf(fields.need("functionName"))).config.name, {
      maxRetries: fields.number("maximumRetryAttempts") ?? 2,
      maxAgeSeconds: fields.number("maximumEventAgeInSeconds") ?? 21_600,
      onFailure,
    });
  }),
  delete: ({ inputs }) => service.asynchronous.reset(functionNameOf(String(inputs.functionName))),
});

/** Counts against the account's limits. Processes start within tens of milliseconds here, so none is kept warm in advance. */
const provisionedBody = (service: LambdaService): ResourceBody => ({
  type: "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
  honoured: ["functionName", "qualifier", "provisionedConcurrentExecutions"],
  cloudOnly: { skipDestroy: "nothing is destroyed here" },
  replaceOn: ["functionName", "qualifier"],
  outputs: ({ inputs }) => ({ id: `${functionNameOf(String(inputs.functionName))},${String(inputs.qualifier)}`, state: {} }),
  ...writtenBy((fields) => {
    const { config, qualifier } = service.resolve(functionNameOf(fields.need("functionName")), fields.need("qualifier"));
    if (qualifier === "$LATEST")
      throw new Error("Provisioned Concurrency Configs cannot be applied to unpublished function versions: name an alias.");
    service.pool.concurrency.provision(config.name, fields.number("provisionedConcurrentExecutions") ?? 0);
  }),
  delete: ({ inputs }) => service.pool.concurrency.unprovision(functionNameOf(String(inputs.functionName))),
});
