/** The REST API in front of the scoring functions: resources, methods, models, errors, stage, throttles. */

import { createHash } from "node:crypto";
import {
  Authorizer,
  Deployment,
  Integration,
  Method,
  MethodSettings,
  Model,
  RequestValidator,
  Resource,
  Response,
  RestApi,
  type RestApiArgs,
  Stage,
} from "@pulumi/aws/apigateway";
import { LogGroup } from "@pulumi/aws/cloudwatch";
import { Permission } from "@pulumi/aws/lambda";
import * as pulumi from "@pulumi/pulumi";
import { type Draft04Schema, toDraft04 } from "../../functions/core/draft04";
import type { AnyProfile } from "../../functions/core/profile";
import type { PlatformContext } from "../lib/context";
import { type Transform, withTransform } from "../lib/transform";
import type { ApiAuth } from "./args";
import { PROBLEM_RESPONSES, problemHeaders, problemTemplate } from "./problem-responses";

/** A function that a route calls. */
export interface RouteTarget {
  /** One segment: `/score`. */
  readonly path: string;
  /** Unique in the API: names the model. */
  readonly id: string;
  readonly description: string;
  readonly operationName: string;
  /** What the gateway checks a body against. */
  readonly model: Draft04Schema;
  /** What the gateway calls: the function, or its alias with provisioned concurrency. */
  readonly invokeArn: pulumi.Output<string>;
  readonly functionName: pulumi.Output<string>;
  /** Alias of the function; undefined for the function itself. */
  readonly qualifier: pulumi.Output<string> | undefined;
}

export interface GatewayArgs {
  readonly context: PlatformContext;
  readonly auth: ApiAuth;
  readonly routes: readonly RouteTarget[];
  readonly stageName: string;
  /** Requests a second over all callers, and how many may come at once. */
  readonly throttle: { readonly rateLimit: number; readonly burstLimit: number };
  readonly transform?: Transform<RestApiArgs> | undefined;
}

export interface Gateway {
  readonly api: RestApi;
  readonly stage: Stage;
  readonly accessLogs: LogGroup;
  readonly methods: readonly Method[];
  readonly models: readonly Model[];
}

/** One line of the access log; JSON, so that Logs Insights can query it. */
const ACCESS_LOG_FORMAT = JSON.stringify({
  requestId: "$context.requestId",
  time: "$context.requestTime",
  method: "$context.httpMethod",
  path: "$context.resourcePath",
  status: "$context.status",
  responseLength: "$context.responseLength",
  latencyMs: "$context.responseLatency",
  integrationMs: "$context.integrationLatency",
  sourceIp: "$context.identity.sourceIp",
  apiKeyId: "$context.identity.apiKeyId",
  userAgent: "$context.identity.userAgent",
  error: "$context.error.responseType",
});

/** API Gateway's longest integration time without a raised quota. */
const INTEGRATION_TIMEOUT_MS = 29_000;

export function createGateway(name: string, args: GatewayArgs, parent: pulumi.Resource): Gateway {
  const child = { parent };
  const api = new RestApi(
    `${name}-api`,
    withTransform<RestApiArgs, RestApiArgs>({ description: "Risk scores over REST" }, args.transform, {
      endpointConfiguration: { types: "REGIONAL" },
    }),
    child,
  );
  const validator = new RequestValidator(
    `${name}-validator`,
    { restApi: api.id, validateRequestBody: true, validateRequestParameters: true },
    child,
  );
  const authorizer = createAuthorizer(name, api, args.auth, parent);
  const routes = args.routes.map((route) => createRoute(name, api, validator, authorizer, args.auth, route, parent));
  const responses = PROBLEM_RESPONSES.map(
    (response) =>
      new Response(
        `${name}-${response.responseType.toLowerCase().replaceAll("_", "-")}`,
        {
          restApiId: api.id,
          responseType: response.responseType,
          ...(response.statusCode === undefined ? {} : { statusCode: response.statusCode }),
          responseTemplates: { "application/json": problemTemplate(response) },
          responseParameters: problemHeaders(response),
        },
        child,
      ),
  );
  const deployment = new Deployment(
    `${name}-deployment`,
    // A deployment is a snapshot: without a new one, a changed route stays invisible.
    { restApi: api.id, triggers: { definition: definitionHash(args) } },
    { parent, dependsOn: [...routes.flatMap(({ method, integration }) => [method, integration]), ...responses] },
  );
  const { stage, accessLogs } = createStage(name, api, deployment, args, parent);
  return { api, stage, accessLogs, methods: routes.map(({ method }) => method), models: routes.map(({ model }) => model) };
}

function createAuthorizer(name: string, api: RestApi, auth: ApiAuth, parent: pulumi.Resource): Authorizer | undefined {
  if (auth.mode !== "cognito") return undefined;
  return new Authorizer(
    `${name}-authorizer`,
    {
      restApi: api.id,
      name: `${name}-users`,
      type: "COGNITO_USER_POOLS",
      providerArns: [...auth.userPoolArns],
      identitySource: "method.request.header.Authorization",
    },
    { parent },
  );
}

const AUTHORIZATION = { apiKey: "NONE", none: "NONE", iam: "AWS_IAM", cognito: "COGNITO_USER_POOLS" } as const;

/** One route: resource, model, method, integration and the permission to call the function. */
function createRoute(
  name: string,
  api: RestApi,
  validator: RequestValidator,
  authorizer: Authorizer | undefined,
  auth: ApiAuth,
  route: RouteTarget,
  parent: pulumi.Resource,
): { readonly method: Method; readonly integration: Integration; readonly model: Model } {
  const child = { parent };
  const segment = route.path.slice(1);
  const prefix = `${name}-${segment}`;
  const resource = new Resource(
    `${prefix}-resource`,
    { restApi: api.id, parentId: api.rootResourceId, pathPart: segment },
    child,
  );
  const model = new Model(
    `${prefix}-model`,
    {
      restApi: api.id,
      // API Gateway allows letters and digits only.
      name: `${route.id.replace(/[^A-Za-z0-9]/g, "")}Request`,
      description: route.description,
      contentType: "application/json",
      schema: JSON.stringify(route.model),
    },
    child,
  );
  const method = new Method(
    `${prefix}-post`,
    {
      restApi: api.id,
      resourceId: resource.id,
      httpMethod: "POST",
      operationName: route.operationName,
      authorization: AUTHORIZATION[auth.mode],
      ...(authorizer ? { authorizerId: authorizer.id } : {}),
      apiKeyRequired: auth.mode === "apiKey",
      requestValidatorId: validator.id,
      requestModels: { "application/json": model.name },
    },
    child,
  );
  const integration = new Integration(
    `${prefix}-integration`,
    {
      restApi: api.id,
      resourceId: resource.id,
      httpMethod: method.httpMethod,
      type: "AWS_PROXY",
      // Lambda is always invoked by POST.
      integrationHttpMethod: "POST",
      uri: route.invokeArn,
      timeoutMilliseconds: INTEGRATION_TIMEOUT_MS,
    },
    child,
  );
  new Permission(
    `${prefix}-permission`,
    {
      action: "lambda:InvokeFunction",
      function: route.functionName,
      ...(route.qualifier === undefined ? {} : { qualifier: route.qualifier }),
      principal: "apigateway.amazonaws.com",
      sourceArn: pulumi.interpolate`${api.executionArn}/*/POST${route.path}`,
    },
    child,
  );
  return { method, integration, model };
}

/**
 * The model that the gateway checks a body against: the profile's own schema. A profile that prescribes the wording of its
 * errors gets a model that only asks for an object, since the gateway would answer in its own words first; the function checks the rest.
 */
export function requestModel(profile: AnyProfile): Draft04Schema {
  if (profile.describeErrors === undefined) return toDraft04(profile.schema);
  return toDraft04({ title: profile.schema.title ?? profile.id, type: "object" });
}

/** Changes with everything that a deployment freezes. */
function definitionHash({ routes, auth }: GatewayArgs): string {
  const definition = {
    auth,
    routes: routes.map(({ path, model }) => ({ path, model })),
    responses: PROBLEM_RESPONSES.map((response) => [problemTemplate(response), problemHeaders(response), response.statusCode]),
    integrationTimeoutMs: INTEGRATION_TIMEOUT_MS,
  };
  return createHash("sha256").update(JSON.stringify(definition)).digest("hex").slice(0, 16);
}

function createStage(
  name: string,
  api: RestApi,
  deployment: Deployment,
  { context, stageName, throttle }: GatewayArgs,
  parent: pulumi.Resource,
): { readonly stage: Stage; readonly accessLogs: LogGroup } {
  const logs = { retentionInDays: context.logRetentionDays, kmsKeyId: context.key.arn };
  const accessLogs = new LogGroup(`${name}-access-logs`, logs, { parent });
  const executionLogs = new LogGroup(
    `${name}-execution-logs`,
    // The gateway writes to this name; declared here so that it has a key and an end.
    { name: pulumi.interpolate`API-Gateway-Execution-Logs_${api.id}/${stageName}`, ...logs },
    { parent },
  );
  const stage = new Stage(
    `${name}-stage`,
    {
      restApi: api.id,
      deployment: deployment.id,
      stageName,
      accessLogSettings: { destinationArn: accessLogs.arn, format: ACCESS_LOG_FORMAT },
      xrayTracingEnabled: context.tracing,
    },
    { parent, dependsOn: [executionLogs] },
  );
  new MethodSettings(
    `${name}-method-settings`,
    {
      restApi: api.id,
      stageName: stage.stageName,
      methodPath: "*/*",
      settings: {
        metricsEnabled: true,
        loggingLevel: "ERROR",
        // Bodies hold what customers send; they stay out of the logs.
        dataTraceEnabled: false,
        throttlingRateLimit: throttle.rateLimit,
        throttlingBurstLimit: throttle.burstLimit,
      },
    },
    { parent },
  );
  return { stage, accessLogs };
}
