/** Local bodies of APIs and their parts: resources, methods, integrations, models, validators, responses. */
import { AwsError, type GraphResource, type NameRule, type ResourceBody } from "../../../contracts";
import { fieldsOf, writtenBy } from "../../../engine/fields";
import { physicalName } from "../../../engine/names";
import { type Api, type ApiMethod, newApi, parameterOf, resourcePath } from "../api";
import { checkName, checkTemplate } from "../context";
import { customisable } from "../errors";
import type { ApiGateway } from "../server";
import { compileModel } from "../validation";
import { anyName, apiOf, findApi, idOf, tags, texts } from "./inputs";

/** A generated name has a hyphen, so that a model always needs one of its own: API Gateway API reference, CreateModel. */
const modelName: NameRule = {
  field: "name",
  maxLength: 255,
  characters: { pattern: /^[A-Za-z0-9]+$/, words: "letters and digits" },
};

/** @param order ids of the APIs in the order of evaluation; restApi bodies append to it */
export function definitionBodies(gateway: ApiGateway, order: string[]): ResourceBody[] {
  return [
    restApiBody(gateway, order),
    resourceBody(gateway),
    methodBody(gateway),
    integrationBody(gateway),
    modelBody(gateway),
    validatorBody(gateway),
    responseBody(gateway),
    authorizerBody(),
  ];
}

const methodKey = ({ resourceId, httpMethod }: GraphResource["inputs"]): string => `${String(resourceId)} ${String(httpMethod)}`;

const restApiBody = (gateway: ApiGateway, order: string[]): ResourceBody => ({
  type: "aws:apigateway/restApi:RestApi",
  honoured: ["name"],
  cloudOnly: {
    ...tags,
    description: "shown in the console only",
    endpointConfiguration: "there is one local endpoint",
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
    gateway.apis.set(resource.id, newApi(resource.id, fields.need("name"), fields.need("rootResourceId")));
  },
  update: (resource) => {
    const api = gateway.apis.get(resource.id);
    if (api !== undefined) gateway.apis.set(api.id, { ...api, name: fieldsOf(resource).need("name") });
  },
  delete: ({ id }) => void gateway.apis.delete(id),
});

const resourceBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/resource:Resource",
  honoured: ["restApi", "parentId", "pathPart"],
  cloudOnly: {},
  replaceOn: ["restApi"],
  outputs: resourceOutputs(gateway),
  ...writtenBy((fields, resource) => {
    const api = apiOf(gateway, fields);
    const entry = { parentId: fields.need("parentId"), pathPart: fields.need("pathPart") };
    const isParameter = parameterOf(entry.pathPart) !== undefined;
    if (!isParameter && entry.pathPart.includes("{"))
      throw new Error(
        `pathPart ${entry.pathPart}: expected a literal or one parameter such as {id}; {proxy+} has no local body.`,
      );
    const siblings = [...api.resources].filter(([id, other]) => id !== resource.id && other.parentId === entry.parentId);
    if (siblings.some(([, { pathPart }]) => pathPart === entry.pathPart))
      throw new Error(`Another resource with the same parent already has this name: ${entry.pathPart}`);
    const variable = siblings.find(([, { pathPart }]) => isParameter && parameterOf(pathPart) !== undefined);
    if (variable !== undefined)
      throw new Error(
        `A sibling (${variable[1].pathPart}) of this resource already has a variable path part -- only one unique variable path part is allowed`,
      );
    api.resources.set(resource.id, entry);
  }),
  delete: ({ id, inputs }) => void findApi(gateway, inputs)?.resources.delete(id),
});

/** A resource's path begins with its parent's, which may be new as well. */
function resourceOutputs(gateway: ApiGateway): ResourceBody["outputs"] {
  const planned = new Map<string, string>();
  return ({ name, inputs }) => {
    const id = idOf("resource", name);
    const parentId = String(inputs.parentId);
    const api = findApi(gateway, inputs);
    const parent = planned.get(parentId) ?? (api === undefined ? "/" : resourcePath(api, parentId));
    const path = `${parent === "/" ? "" : parent}/${String(inputs.pathPart)}`;
    planned.set(id, path);
    return { id, state: { path } };
  };
}

const methodBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/method:Method",
  honoured: ["restApi", "resourceId", "httpMethod", "authorization", "apiKeyRequired", "requestValidatorId", "requestModels"],
  cloudOnly: { operationName: "used by generated client libraries only" },
  replaceOn: ["restApi", "resourceId", "httpMethod"],
  outputs: ({ inputs }) => ({
    id: `agm-${String(inputs.restApi)}-${String(inputs.resourceId)}-${String(inputs.httpMethod)}`,
    state: {},
  }),
  ...writtenBy((fields) => {
    const authorization = fields.need("authorization");
    if (authorization !== "NONE" && authorization !== "AWS_IAM") {
      throw new Error(
        `authorization ${authorization}: a local runtime has no Cognito or custom authoriser; use NONE with an API key, or AWS_IAM, for this stack.`,
      );
    }
    const [resourceId, httpMethod] = [fields.need("resourceId"), fields.need("httpMethod")];
    if (httpMethod === "ANY") throw new Error("httpMethod ANY: methods are named one by one here.");
    apiOf(gateway, fields).methods.set(`${resourceId} ${httpMethod}`, {
      resourceId,
      httpMethod,
      authorization,
      apiKeyRequired: fields.flag("apiKeyRequired") ?? false,
      validatorId: fields.text("requestValidatorId"),
      requestModels: texts(fields.record("requestModels")),
    });
  }),
  delete: ({ inputs }) => void findApi(gateway, inputs)?.methods.delete(methodKey(inputs)),
});

const integrationBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/integration:Integration",
  honoured: ["restApi", "resourceId", "httpMethod", "type", "integrationHttpMethod", "uri", "timeoutMilliseconds"],
  cloudOnly: {},
  replaceOn: ["restApi", "resourceId", "httpMethod", "type", "integrationHttpMethod"],
  deleteBeforeReplace: true,
  outputs: ({ inputs }) => ({
    id: `agi-${String(inputs.restApi)}-${String(inputs.resourceId)}-${String(inputs.httpMethod)}`,
    state: {},
  }),
  ...writtenBy((fields) => {
    if (fields.need("type") !== "AWS_PROXY")
      throw new Error(`type ${fields.need("type")}: only AWS_PROXY integrations have a local body.`);
    const functionArn = /\/functions\/(arn:[^/]+)\/invocations$/.exec(fields.need("uri"))?.[1];
    if (functionArn === undefined) throw new Error(`uri ${fields.need("uri")}: expected a function's invokeArn.`);
    if (fields.text("integrationHttpMethod") !== "POST")
      throw new Error("integrationHttpMethod: functions are invoked with POST.");
    apiOf(gateway, fields).integrations.set(`${fields.need("resourceId")} ${fields.need("httpMethod")}`, {
      functionArn,
      timeoutMs: fields.number("timeoutMilliseconds") ?? 29_000,
    });
  }),
  delete: ({ inputs }) => void findApi(gateway, inputs)?.integrations.delete(methodKey(inputs)),
});

const modelBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/model:Model",
  honoured: ["restApi", "name", "schema", "contentType"],
  cloudOnly: { description: "shown in the console only" },
  replaceOn: ["restApi", "name", "contentType"],
  autoName: modelName,
  outputs: ({ name, inputs }) => ({ id: idOf("model", name), state: { name: physicalName(modelName, name, inputs) } }),
  ...writtenBy((fields) => {
    const schema: unknown = JSON.parse(fields.need("schema"));
    compileModel(schema);
    apiOf(gateway, fields).models.set(fields.need("name"), schema);
  }),
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

const validatorBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/requestValidator:RequestValidator",
  honoured: ["restApi", "name", "validateRequestBody"],
  cloudOnly: { validateRequestParameters: "no method has parameters here" },
  replaceOn: ["restApi"],
  autoName: anyName,
  outputs: ({ name, inputs }) => ({ id: idOf("validator", name), state: { name: physicalName(anyName, name, inputs) } }),
  ...writtenBy((fields, resource) => {
    apiOf(gateway, fields).validators.set(resource.id, { body: fields.flag("validateRequestBody") ?? false });
  }),
  delete: ({ id, inputs }) => deleteValidator(findApi(gateway, inputs), id),
});

const responseBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/response:Response",
  honoured: ["restApiId", "responseType", "statusCode", "responseTemplates", "responseParameters"],
  cloudOnly: {},
  replaceOn: ["restApiId", "responseType"],
  outputs: ({ inputs }) => ({ id: `aggr-${String(inputs.restApiId)}-${String(inputs.responseType)}`, state: {} }),
  ...writtenBy((fields) => {
    const type = fields.need("responseType");
    if (!customisable.includes(type)) throw new Error(`responseType ${type}: expected one of ${customisable.join(", ")}.`);
    const { "application/json": template, ...others } = texts(fields.record("responseTemplates"));
    if (Object.keys(others).length > 0)
      throw new Error(`responseTemplates: expected one of application/json, got ${Object.keys(others).join(", ")}.`);
    if (template !== undefined) checkTemplate(template, `${type} application/json`);
    const parameters = texts(fields.record("responseParameters"));
    for (const source of Object.values(parameters))
      if (!source.startsWith("'")) checkName(source.replace(/^context\./, ""), `${type} responseParameters`);
    const status = fields.text("statusCode");
    apiOf(gateway, fields).responses.set(type, {
      statusCode: status === undefined ? undefined : Number(status),
      template,
      parameters,
    });
  }),
  delete: ({ inputs }) => void findApi(gateway, inputs)?.responses.delete(String(inputs.responseType)),
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
