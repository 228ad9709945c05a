/** Local bodies of what is deployed of an API and who may call it: deployments, stages, throttles, plans and keys. */
import { createHash } from "node:crypto";
import { type Stage, snapshotOf, type Throttle } from "../apigateway/api.js";
import { checkTemplate } from "../apigateway/context.js";
import type { ApiGateway } from "../apigateway/server.js";
import type { QuotaPeriod } from "../apigateway/throttle.js";
import { AwsError, type GraphResource, type ResourceBody } from "../contracts.js";
import { Fields } from "../engine/fields.js";
import { physicalName } from "../engine/names.js";
import { anyName, apiOf, fieldsOf, findApi, idOf, tags, texts } from "./apigateway-inputs.js";

export function stageBodies(gateway: ApiGateway, urlOf: (apiId: string, stage: string) => string): ResourceBody[] {
  return [
    deploymentBody(gateway),
    stageBody(gateway, urlOf),
    methodSettingsBody(gateway),
    usagePlanBody(gateway),
    apiKeyBody(gateway),
    usagePlanKeyBody(gateway),
  ];
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
  replaceOn: ["restApi", "triggers"],
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
