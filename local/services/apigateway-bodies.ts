/** Local bodies of the aws:apigateway resource types. */
import { createHash } from "node:crypto";
import { type Api, type ApiMethod, newApi, resourcePath, type Stage, snapshotOf, type Throttle } from "../apigateway/api.js";
import { checkTemplate } from "../apigateway/context.js";
import { customisable } from "../apigateway/errors.js";
import type { ApiGateway } from "../apigateway/server.js";
import type { QuotaPeriod } from "../apigateway/throttle.js";
import { compileModel } from "../apigateway/validation.js";
import { AwsError, type GraphResource, type NameRule, type ResourceBody } from "../contracts.js";
import { Fields } from "../engine/fields.js";
import { physicalName } from "../engine/names.js";

/** Ten characters from logical name and type, as the service's own ids look. */
function idOf(kind: string, name: string): string {
  const digest = createHash("sha256").update(`${kind} ${name}`).digest();
  return [...digest.subarray(0, 10)].map((byte) => "abcdefghijklmnopqrstuvwxyz0123456789"[byte % 36]).join("");
}

/** API Gateway takes more than the provider generates. */
const anyName: NameRule = { field: "name", maxLength: 1024 };
/** A generated name has a hyphen, so that a model always needs one of its own: API Gateway API reference, CreateModel. */
const modelName: NameRule = {
  field: "name",
  maxLength: 255,
  characters: { pattern: /^[A-Za-z0-9]+$/, words: "letters and digits" },
};

const tags = { tags: "labels for billing and search" };

/** Bodies over a server; `urlOf` is where a stage will answer. */
export function apiGatewayBodies(gateway: ApiGateway): ResourceBody[] {
  /** Ids in the order of evaluation: the first API is served without its id in the path. */
  const order: string[] = [];
  const urlOf = (apiId: string, stage: string) =>
    `http://127.0.0.1:${gateway.port}${order.indexOf(apiId) > 0 ? `/${apiId}` : ""}/${stage}`;
  return [
    restApiBody(gateway, order),
    resourceBody(gateway),
    methodBody(gateway),
    integrationBody(gateway),
    modelBody(gateway),
    validatorBody(gateway),
    responseBody(gateway),
    deploymentBody(gateway),
    stageBody(gateway, urlOf),
    methodSettingsBody(gateway),
    usagePlanBody(gateway),
    apiKeyBody(gateway),
    usagePlanKeyBody(gateway),
    accountBody(),
    authorizerBody(),
  ];
}

/** The provider names the API `restApi`, except for gateway responses. */
function apiOf(gateway: ApiGateway, fields: Fields): Api {
  const id = fields.text("restApiId") ?? fields.need("restApi");
  const api = gateway.apis.get(id);
  if (api === undefined) throw new Error(`restApi ${id} does not exist.`);
  return api;
}

/** The API of a resource; none when it is gone with all that it had. */
function findApi(gateway: ApiGateway, { restApi, restApiId }: GraphResource["inputs"]): Api | undefined {
  return gateway.apis.get(String(restApiId ?? restApi));
}

const methodKey = ({ resourceId, httpMethod }: GraphResource["inputs"]): string => `${String(resourceId)} ${String(httpMethod)}`;

function checkKeySource(fields: Fields): void {
  if ((fields.text("apiKeySource") ?? "HEADER") !== "HEADER") throw new Error("apiKeySource: only HEADER is supported here.");
}

const fieldsOf = (resource: GraphResource): Fields =>
  new Fields({ ...resource.inputs, ...resource.state }, `${resource.type} ${resource.name}`);

const restApiBody = (gateway: ApiGateway, order: string[]): ResourceBody => ({
  type: "aws:apigateway/restApi:RestApi",
  honoured: ["name", "binaryMediaTypes", "apiKeySource"],
  cloudOnly: {
    ...tags,
    description: "shown in the console only",
    endpointConfiguration: "there is one local endpoint",
    minimumCompressionSize: "nothing is saved by compressing on one machine",
    disableExecuteApiEndpoint: "the local address is the only one",
  },
  replaceOn: [],
  autoName: anyName,
  outputs: ({ name, inputs, region, accountId }) => {
    const id = idOf("api", name);
    if (!order.includes(id)) order.push(id);
    return {
      id,
      state: {
        name: physicalName(anyName, name, inputs),
        rootResourceId: idOf("root", name),
        arn: `arn:aws:apigateway:${region}::/restapis/${id}`,
        executionArn: `arn:aws:execute-api:${region}:${accountId}:${id}`,
      },
    };
  },
  create: (resource) => {
    const fields = fieldsOf(resource);
    checkKeySource(fields);
    gateway.apis.set(
      resource.id,
      newApi(resource.id, fields.need("name"), fields.need("rootResourceId"), fields.texts("binaryMediaTypes") ?? []),
    );
  },
  update: (resource) => {
    const fields = fieldsOf(resource);
    checkKeySource(fields);
    const api = apiOf(gateway, new Fields({ restApi: resource.id }, resource.name));
    gateway.apis.set(api.id, { ...api, name: fields.need("name"), binaryMediaTypes: fields.texts("binaryMediaTypes") ?? [] });
  },
  delete: ({ id }) => void gateway.apis.delete(id),
});

const resourceBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/resource:Resource",
  honoured: ["restApi", "parentId", "pathPart"],
  cloudOnly: {},
  replaceOn: ["restApi"],
  outputs: ({ name, inputs }) => ({ id: idOf("resource", name), state: { path: `/${String(inputs.pathPart)}` } }),
  create: (resource) => putResource(gateway, resource),
  update: (resource) => putResource(gateway, resource),
  delete: ({ id, inputs }) => void findApi(gateway, inputs)?.resources.delete(id),
});

function putResource(gateway: ApiGateway, resource: GraphResource): void {
  const fields = fieldsOf(resource);
  const api = apiOf(gateway, fields);
  const entry = { parentId: fields.need("parentId"), pathPart: fields.need("pathPart") };
  const twin = [...api.resources].find(
    ([id, other]) => id !== resource.id && other.parentId === entry.parentId && other.pathPart === entry.pathPart,
  );
  if (twin !== undefined) throw new Error(`Another resource with the same parent already has this name: ${entry.pathPart}`);
  api.resources.set(resource.id, entry);
}

const methodBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/method:Method",
  honoured: [
    "restApi",
    "resourceId",
    "httpMethod",
    "authorization",
    "apiKeyRequired",
    "requestValidatorId",
    "requestModels",
    "requestParameters",
  ],
  cloudOnly: { operationName: "used by generated client libraries only" },
  replaceOn: ["restApi", "resourceId", "httpMethod"],
  outputs: ({ inputs }) => ({
    id: `agm-${String(inputs.restApi)}-${String(inputs.resourceId)}-${String(inputs.httpMethod)}`,
    state: {},
  }),
  create: (resource) => putMethod(gateway, resource),
  update: (resource) => putMethod(gateway, resource),
  delete: ({ inputs }) => void findApi(gateway, inputs)?.methods.delete(methodKey(inputs)),
});

function putMethod(gateway: ApiGateway, resource: GraphResource): void {
  const fields = fieldsOf(resource);
  const authorization = fields.need("authorization");
  if (authorization !== "NONE" && authorization !== "AWS_IAM") {
    throw new Error(
      `authorization ${authorization}: a local runtime has no Cognito or custom authoriser; use NONE with an API key, or AWS_IAM, for this stack.`,
    );
  }
  const api = apiOf(gateway, fields);
  api.methods.set(`${fields.need("resourceId")} ${fields.need("httpMethod")}`, {
    resourceId: fields.need("resourceId"),
    httpMethod: fields.need("httpMethod"),
    authorization,
    apiKeyRequired: fields.flag("apiKeyRequired") ?? false,
    validatorId: fields.text("requestValidatorId"),
    requestModels: texts(fields.record("requestModels")),
    requestParameters: Object.fromEntries(
      Object.entries(fields.record("requestParameters")).map(([key, value]) => [key, value === true]),
    ),
  });
}

const texts = (record: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, String(value)]));

const integrationBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/integration:Integration",
  honoured: ["restApi", "resourceId", "httpMethod", "type", "integrationHttpMethod", "uri", "timeoutMilliseconds"],
  cloudOnly: {
    passthroughBehavior: "a proxy integration passes everything",
    contentHandling: "a proxy integration passes everything",
  },
  replaceOn: ["restApi", "resourceId", "httpMethod", "type", "integrationHttpMethod", "passthroughBehavior"],
  deleteBeforeReplace: true,
  outputs: ({ inputs }) => ({
    id: `agi-${String(inputs.restApi)}-${String(inputs.resourceId)}-${String(inputs.httpMethod)}`,
    state: {},
  }),
  create: (resource) => putIntegration(gateway, resource),
  update: (resource) => putIntegration(gateway, resource),
  delete: ({ inputs }) => void findApi(gateway, inputs)?.integrations.delete(methodKey(inputs)),
});

function putIntegration(gateway: ApiGateway, resource: GraphResource): void {
  const fields = fieldsOf(resource);
  if (fields.need("type") !== "AWS_PROXY")
    throw new Error(`type ${fields.need("type")}: only AWS_PROXY integrations have a local body.`);
  const functionArn = /\/functions\/(arn:[^/]+)\/invocations$/.exec(fields.need("uri"))?.[1];
  if (functionArn === undefined) throw new Error(`uri ${fields.need("uri")}: expected a function's invokeArn.`);
  if (fields.text("integrationHttpMethod") !== "POST") throw new Error("integrationHttpMethod: functions are invoked with POST.");
  apiOf(gateway, fields).integrations.set(`${fields.need("resourceId")} ${fields.need("httpMethod")}`, {
    functionArn,
    timeoutMs: fields.number("timeoutMilliseconds") ?? 29_000,
  });
}

const modelBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/model:Model",
  honoured: ["restApi", "name", "schema", "contentType"],
  cloudOnly: { description: "shown in the console only" },
  replaceOn: ["restApi", "name", "contentType"],
  autoName: modelName,
  outputs: ({ name, inputs }) => ({ id: idOf("model", name), state: { name: physicalName(modelName, name, inputs) } }),
  create: (resource) => putModel(gateway, resource),
  update: (resource) => putModel(gateway, resource),
  delete: ({ inputs, state }) => deleteModel(findApi(gateway, inputs), String(state.name)),
});

/** @throws AwsError ConflictException while a method uses it, as for a validator. */
function deleteModel(api: Api | undefined, name: string): void {
  refuseWhileUsed(api, `model ${name}`, ({ requestModels }) => Object.values(requestModels).includes(name));
  api?.models.delete(name);
}

function deleteValidator(api: Api | undefined, id: string): void {
  refuseWhileUsed(api, `request validator ${id}`, ({ validatorId }) => validatorId === id);
  api?.validators.delete(id);
}

function refuseWhileUsed(api: Api | undefined, what: string, uses: (method: ApiMethod) => boolean): void {
  if (api === undefined) return;
  const users = [...api.methods.values()].filter(uses);
  if (users.length === 0) return;
  const paths = users.map((method) => `${resourcePath(api, method.resourceId)}/${method.httpMethod}`);
  throw new AwsError("ConflictException", `Cannot delete ${what}: it is referenced in method request ${paths.join(", ")}.`, 409);
}

function putModel(gateway: ApiGateway, resource: GraphResource): void {
  const fields = fieldsOf(resource);
  const schema: unknown = JSON.parse(fields.need("schema"));
  compileModel(schema);
  apiOf(gateway, fields).models.set(fields.need("name"), schema);
}

const validatorBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/requestValidator:RequestValidator",
  honoured: ["restApi", "name", "validateRequestBody", "validateRequestParameters"],
  cloudOnly: {},
  replaceOn: ["restApi"],
  autoName: anyName,
  outputs: ({ name, inputs }) => ({ id: idOf("validator", name), state: { name: physicalName(anyName, name, inputs) } }),
  create: (resource) => putValidator(gateway, resource),
  update: (resource) => putValidator(gateway, resource),
  delete: ({ id, inputs }) => deleteValidator(findApi(gateway, inputs), id),
});

function putValidator(gateway: ApiGateway, resource: GraphResource): void {
  const fields = fieldsOf(resource);
  const validator = {
    body: fields.flag("validateRequestBody") ?? false,
    parameters: fields.flag("validateRequestParameters") ?? false,
  };
  apiOf(gateway, fields).validators.set(resource.id, validator);
}

const responseBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/response:Response",
  honoured: ["restApiId", "responseType", "statusCode", "responseTemplates", "responseParameters"],
  cloudOnly: {},
  replaceOn: ["restApiId", "responseType"],
  outputs: ({ inputs }) => ({ id: `aggr-${String(inputs.restApiId)}-${String(inputs.responseType)}`, state: {} }),
  create: (resource) => putResponse(gateway, resource),
  update: (resource) => putResponse(gateway, resource),
  delete: ({ inputs }) => void findApi(gateway, inputs)?.responses.delete(String(inputs.responseType)),
});

function putResponse(gateway: ApiGateway, resource: GraphResource): void {
  const fields = fieldsOf(resource);
  const type = fields.need("responseType");
  if (!customisable.includes(type)) throw new Error(`responseType ${type}: expected one of ${customisable.join(", ")}.`);
  const templates = texts(fields.record("responseTemplates"));
  for (const [contentType, template] of Object.entries(templates)) checkTemplate(template, `${type} ${contentType}`);
  const status = fields.text("statusCode");
  apiOf(gateway, fields).responses.set(type, {
    statusCode: status === undefined ? undefined : Number(status),
    templates,
    parameters: texts(fields.record("responseParameters")),
  });
}

const deploymentBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/deployment:Deployment",
  honoured: ["restApi", "triggers"],
  cloudOnly: { description: "shown in the console only" },
  // Another one for each value of the triggers, as they are what replaces it.
  outputs: ({ name, inputs }) => ({
    id: idOf("deployment", `${name} ${JSON.stringify(inputs.triggers ?? {})}`),
    state: { createdDate: "1970-01-01T00:00:00Z" },
  }),
  create: (resource) => {
    const api = apiOf(gateway, fieldsOf(resource));
    api.deployments.set(resource.id, snapshotOf(api));
  },
  replaceOn: ["restApi", "triggers", "variables"],
  delete: (resource) => {
    const api = findApi(gateway, resource.inputs);
    const stages = [...(api?.stages.values() ?? [])].filter(({ deployment }) => deployment === resource.id);
    if (stages.length > 0) {
      throw new AwsError(
        "BadRequestException",
        `Active stages pointing to this deployment must be moved or deleted: ${stages.map(({ name }) => name).join(", ")}`,
      );
    }
    api?.deployments.delete(resource.id);
  },
});

const stageBody = (gateway: ApiGateway, urlOf: (apiId: string, stage: string) => string): ResourceBody => ({
  type: "aws:apigateway/stage:Stage",
  honoured: ["restApi", "deployment", "stageName", "accessLogSettings", "variables"],
  cloudOnly: {
    ...tags,
    xrayTracingEnabled: "trace ids are passed on; there is no trace store here",
    description: "shown in the console only",
  },
  replaceOn: ["restApi", "stageName"],
  outputs: ({ inputs, region, accountId }) => {
    const [api, stage] = [String(inputs.restApi), String(inputs.stageName)];
    return {
      id: `ags-${api}-${stage}`,
      state: {
        arn: `arn:aws:apigateway:${region}::/restapis/${api}/stages/${stage}`,
        executionArn: `arn:aws:execute-api:${region}:${accountId}:${api}/${stage}`,
        invokeUrl: urlOf(api, stage),
      },
    };
  },
  create: (resource) => putStage(gateway, resource),
  update: (resource) => putStage(gateway, resource),
  delete: ({ inputs }) => void findApi(gateway, inputs)?.stages.delete(String(inputs.stageName)),
});

function putStage(gateway: ApiGateway, resource: GraphResource): void {
  const fields = fieldsOf(resource);
  const log = new Fields(fields.record("accessLogSettings"), "accessLogSettings");
  const format = log.text("format");
  if (format !== undefined) checkTemplate(format, "accessLogSettings.format");
  const api = apiOf(gateway, fields);
  const name = fields.need("stageName");
  const deployment = fields.need("deployment");
  const deployed = api.deployments.get(deployment);
  if (deployed === undefined) throw new Error(`deployment ${deployment} of API ${api.id} does not exist.`);
  const stage: Stage = {
    name,
    arn: fields.need("arn"),
    accessLog: format === undefined ? undefined : { groupArn: log.need("destinationArn"), format },
    tracing: fields.flag("xrayTracingEnabled") ?? false,
    variables: texts(fields.record("variables")),
    // Method settings are the stage's own and outlast a deployment.
    throttles: api.stages.get(name)?.throttles ?? new Map(),
    deployment,
    deployed,
  };
  api.stages.set(stage.name, stage);
}

const methodSettingsBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/methodSettings:MethodSettings",
  honoured: ["restApi", "stageName", "methodPath", "settings"],
  cloudOnly: {},
  replaceOn: ["restApi", "stageName", "methodPath"],
  outputs: ({ inputs }) => ({
    id: `${String(inputs.restApi)}-${String(inputs.stageName)}-${String(inputs.methodPath)}`,
    state: {},
  }),
  create: (resource) => putMethodSettings(gateway, resource),
  update: (resource) => putMethodSettings(gateway, resource),
  delete: ({ inputs }) =>
    void findApi(gateway, inputs)?.stages.get(String(inputs.stageName))?.throttles.delete(throttlePath(inputs)),
});

function putMethodSettings(gateway: ApiGateway, resource: GraphResource): void {
  const fields = fieldsOf(resource);
  const settings = new Fields(fields.record("settings"), "settings");
  const known = ["metricsEnabled", "loggingLevel", "dataTraceEnabled", "throttlingRateLimit", "throttlingBurstLimit"];
  for (const field of Object.keys(fields.record("settings"))) {
    if (!known.includes(field)) throw new Error(`settings.${field} has no local effect. Known: ${known.join(", ")}.`);
  }
  const stage = apiOf(gateway, fields).stages.get(fields.need("stageName"));
  if (stage === undefined) throw new Error(`stage ${fields.need("stageName")} does not exist.`);
  const [rate, burst] = [settings.number("throttlingRateLimit"), settings.number("throttlingBurstLimit")];
  if (rate !== undefined && burst !== undefined && rate >= 0) stage.throttles.set(throttlePath(resource.inputs), { rate, burst });
  else stage.throttles.delete(throttlePath(resource.inputs));
}

const throttlePath = ({ methodPath }: GraphResource["inputs"]): string => String(methodPath).replaceAll("~1", "/");

function throttleOf(value: unknown): Throttle | undefined {
  const fields = new Fields(value, "throttle");
  const [rate, burst] = [fields.number("rateLimit"), fields.number("burstLimit")];
  return rate === undefined && burst === undefined
    ? undefined
    : { rate: rate ?? 10_000, burst: burst ?? Math.max(1, Math.ceil(rate ?? 5_000)) };
}

const usagePlanBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/usagePlan:UsagePlan",
  honoured: ["name", "apiStages", "throttleSettings", "quotaSettings"],
  cloudOnly: { ...tags, description: "shown in the console only", productCode: "belongs to the marketplace" },
  replaceOn: [],
  autoName: anyName,
  outputs: ({ name, inputs, region }) => {
    const id = idOf("plan", name);
    return { id, state: { name: physicalName(anyName, name, inputs), arn: `arn:aws:apigateway:${region}::/usageplans/${id}` } };
  },
  create: (resource) => putUsagePlan(gateway, resource),
  update: (resource) => putUsagePlan(gateway, resource),
  delete: ({ id }) => gateway.usage.deletePlan(id),
});

function putUsagePlan(gateway: ApiGateway, resource: GraphResource): void {
  const fields = fieldsOf(resource);
  const quota = new Fields(fields.record("quotaSettings"), "quotaSettings");
  const limit = quota.number("limit");
  const period = quota.text("period") ?? "MONTH";
  if (!isPeriod(period)) throw new Error(`quotaSettings.period: expected DAY, WEEK or MONTH, got ${period}.`);
  gateway.usage.putPlan({
    id: resource.id,
    stages: fields.list("apiStages").map((entry) => {
      const stage = new Fields(entry, "apiStages");
      const throttles: Record<string, Throttle> = {};
      for (const item of stage.list("throttles")) {
        const throttle = throttleOf(item);
        if (throttle !== undefined) throttles[new Fields(item, "apiStages.throttles").need("path")] = throttle;
      }
      return { apiId: stage.need("apiId"), stage: stage.need("stage"), throttles };
    }),
    throttle: throttleOf(fields.record("throttleSettings")),
    quota: limit === undefined ? undefined : { limit, offset: quota.number("offset") ?? 0, period },
  });
}

const isPeriod = (text: string): text is QuotaPeriod => ["DAY", "WEEK", "MONTH"].includes(text);

const apiKeyBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/apiKey:ApiKey",
  honoured: ["name", "value", "enabled"],
  cloudOnly: { ...tags, description: "shown in the console only", customerId: "belongs to the marketplace" },
  replaceOn: ["value"],
  autoName: anyName,
  outputs: ({ name, inputs, region }) => {
    const id = idOf("key", [name, inputs.value].filter((part) => part !== undefined).join(" "));
    // Made from the name, so that a key written down keeps working; it opens nothing but this machine's own loopback port.
    const value = inputs.value ?? createHash("sha256").update(`api key ${name}`).digest("base64url").slice(0, 40);
    return {
      id,
      state: { name: physicalName(anyName, name, inputs), value, arn: `arn:aws:apigateway:${region}::/apikeys/${id}` },
    };
  },
  create: (resource) => putApiKey(gateway, resource),
  update: (resource) => putApiKey(gateway, resource),
  delete: ({ id }) => gateway.usage.deleteKey(id),
});

function putApiKey(gateway: ApiGateway, resource: GraphResource): void {
  const fields = fieldsOf(resource);
  gateway.usage.putKey({ id: resource.id, value: fields.need("value"), enabled: fields.flag("enabled") ?? true });
}

const usagePlanKeyBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/usagePlanKey:UsagePlanKey",
  honoured: ["keyId", "keyType", "usagePlanId"],
  cloudOnly: {},
  replaceOn: ["keyId", "keyType", "usagePlanId"],
  outputs: ({ inputs }) => ({ id: String(inputs.keyId), state: {} }),
  create: (resource) => {
    const fields = fieldsOf(resource);
    if (fields.need("keyType") !== "API_KEY") throw new Error("keyType: expected API_KEY.");
    gateway.usage.addKey(fields.need("usagePlanId"), fields.need("keyId"));
  },
  delete: ({ inputs }) => gateway.usage.removeKey(String(inputs.usagePlanId), String(inputs.keyId)),
});

const accountBody = (): ResourceBody => ({
  type: "aws:apigateway/account:Account",
  honoured: [],
  cloudOnly: { cloudwatchRoleArn: "logs are written by the runtime itself", resetOnDelete: "see cloudwatchRoleArn" },
  replaceOn: [],
  outputs: () => ({ id: "api-gateway-account", state: {} }),
});

const authorizerBody = (): ResourceBody => ({
  type: "aws:apigateway/authorizer:Authorizer",
  honoured: ["restApi", "name", "type", "providerArns", "identitySource"],
  cloudOnly: {},
  replaceOn: ["restApi"],
  outputs: ({ name }) => ({ id: idOf("authorizer", name), state: {} }),
  create: (resource) => {
    throw new Error(
      `type ${String(resource.inputs.type)}: user pools and authorisers have no local body; choose API key or IAM authorisation for this stack.`,
    );
  },
  delete: () => undefined,
});
