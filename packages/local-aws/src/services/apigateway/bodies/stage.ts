/** Local bodies of deployments, stages, and the stages' throttles. */
import { AwsError, type GraphResource, type ResourceBody } from "../../../contracts";
import { fieldsOf, writtenBy } from "../../../engine/fields";
import { type Stage, snapshotOf } from "../api";
import { checkTemplate } from "../context";
import type { ApiGateway } from "../server";
import { apiOf, findApi, idOf, tags } from "./inputs";

/** @param urlOf the address of a stage */
export function stageBodies(gateway: ApiGateway, urlOf: (apiId: string, stage: string) => string): ResourceBody[] {
  return [deploymentBody(gateway), stageBody(gateway, urlOf), methodSettingsBody(gateway)];
}

const deploymentBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/deployment:Deployment",
  honoured: ["restApi", "triggers"],
  cloudOnly: {},
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
  honoured: ["restApi", "deployment", "stageName", "accessLogSettings"],
  cloudOnly: {
    ...tags,
    xrayTracingEnabled: "trace ids are passed on; there is no trace store here",
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
  ...writtenBy((fields) => {
    const log = fields.in("accessLogSettings");
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
      // Method settings are the stage's own and outlast a deployment.
      throttles: api.stages.get(name)?.throttles ?? new Map(),
      deployment,
      deployed,
    };
    api.stages.set(stage.name, stage);
  }),
  delete: ({ inputs }) => void findApi(gateway, inputs)?.stages.delete(String(inputs.stageName)),
});

const methodSettingsBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/methodSettings:MethodSettings",
  honoured: ["restApi", "stageName", "methodPath", "settings"],
  cloudOnly: {},
  replaceOn: ["restApi", "stageName", "methodPath"],
  outputs: ({ inputs }) => ({
    id: `${String(inputs.restApi)}-${String(inputs.stageName)}-${String(inputs.methodPath)}`,
    state: {},
  }),
  ...writtenBy((fields, resource) => {
    const settings = fields.in("settings");
    const known = ["metricsEnabled", "loggingLevel", "dataTraceEnabled", "throttlingRateLimit", "throttlingBurstLimit"];
    for (const field of Object.keys(fields.record("settings"))) {
      if (!known.includes(field)) throw new Error(`settings.${field} has no local effect. Known: ${known.join(", ")}.`);
    }
    const stage = apiOf(gateway, fields).stages.get(fields.need("stageName"));
    if (stage === undefined) throw new Error(`stage ${fields.need("stageName")} does not exist.`);
    const [rate, burst] = [settings.number("throttlingRateLimit"), settings.number("throttlingBurstLimit")];
    if (rate !== undefined && burst !== undefined && rate >= 0)
      stage.throttles.set(throttlePath(resource.inputs), { rate, burst });
    else stage.throttles.delete(throttlePath(resource.inputs));
  }),
  delete: ({ inputs }) =>
    void findApi(gateway, inputs)?.stages.get(String(inputs.stageName))?.throttles.delete(throttlePath(inputs)),
});

const throttlePath = ({ methodPath }: GraphResource["inputs"]): string => String(methodPath).replaceAll("~1", "/");
