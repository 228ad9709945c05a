/** The REST API in front of the scoring functions: resources, methods, models, errors, stage, throttles. */
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
import type { PlatformContext } from "../shared/context";
import { type Transform, withTransform } from "../shared/transform";
import type { ApiAuth } from "./args";
import { PROBLEM_RESPONSES, problemHeaders, problemTemplate } from "./problem-responses";
import { ApiSnapshot } from "./snapshot";

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
  readonly context: Pick<PlatformContext, "key" | "logRetentionDays" | "tracing">;
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
  const snapshot = new ApiSnapshot();
  const api = snapshot.part(
    RestApi,
    `${name}-api`,
    withTransform<RestApiArgs, RestApiArgs>({ description: "Risk scores over REST" }, args.transform, {
      endpointConfiguration: { types: "REGIONAL" },
    }),
    child,
  );
  const validator = snapshot.part(
    RequestValidator,
    `${name}-validator`,
    { restApi: api.id, validateRequestBody: true, validateRequestParameters: true },
    child,
  );
  const authorizer = createAuthorizer(name, snapshot, api, args.auth, parent);
  const target = { api, validator, authorizer, auth: args.auth };
  const routes = args.routes.map((route) => createRoute(name, snapshot, target, route, parent));
  for (const response of PROBLEM_RESPONSES) {
    snapshot.part(
      Response,
      `${name}-${response.responseType.toLowerCase().replaceAll("_", "-")}`,
      {
        restApiId: api.id,
        responseType: response.responseType,
        ...(response.statusCode === undefined ? {} : { statusCode: response.statusCode }),
        responseTemplates: { "application/json": problemTemplate(response) },
        responseParameters: problemHeaders(response),
      },
      child,
    );
  }
  // A changed hash replaces the deployment: a new one is created, the stage turns to it, and whatever the program no longer has (the
  // old deployment, an alias, an authoriser) is deleted last. A route that is taken out is still in that snapshot and goes with the
  // deployment after it (pulumi-aws #3289).
  const deployment = new Deployment(
    `${name}-deployment`,
    { restApi: api.id, triggers: { definition: snapshot.hash } },
    // The permissions too: from its first request the stage calls what they are for.
    { parent, dependsOn: [...snapshot.parts, ...routes.map(({ permission }) => permission)] },
  );
  const { stage, accessLogs } = createStage(name, api, deployment, args, parent);
  return { api, stage, accessLogs, methods: routes.map(({ method }) => method), models: routes.map(({ model }) => model) };
}

function createAuthorizer(
  name: string,
  snapshot: ApiSnapshot,
  api: RestApi,
  auth: ApiAuth,
  parent: pulumi.Resource,
): Authorizer | undefined {
  if (auth.mode !== "cognito") return undefined;
  return snapshot.part(
    Authorizer,
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

/** What all routes share. */
interface RouteParts {
  readonly api: RestApi;
  readonly validator: RequestValidator;
  readonly authorizer: Authorizer | undefined;
  readonly auth: ApiAuth;
}

/** One route: resource, model, method, integration and the permission to call the function. */
function createRoute(
  name: string,
  snapshot: ApiSnapshot,
  { api, validator, authorizer, auth }: RouteParts,
  route: RouteTarget,
  parent: pulumi.Resource,
): { readonly method: Method; readonly model: Model; readonly permission: Permission } {
  const child = { parent };
  // Not after its path: a path that changes is renamed in place.
  const prefix = `${name}-${route.id}`;
  const resource = snapshot.part(
    Resource,
    `${prefix}-resource`,
    { restApi: api.id, parentId: api.rootResourceId, pathPart: route.path.slice(1) },
    child,
  );
  const model = snapshot.part(
    Model,
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
  const method = snapshot.part(
    Method,
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
  snapshot.part(
    Integration,
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
  const permission = new Permission(
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
  return { method, model, permission };
}

/**
 * The model that the gateway checks a body against: the profile's own schema. A profile that prescribes the wording of its
 * errors gets a model that only asks for an object, since the gateway would answer in its own words first; the function checks the rest.
 */
export function requestModel(profile: AnyProfile): Draft04Schema {
  if (profile.describeErrors === undefined) return toDraft04(profile.schema);
  return toDraft04({ title: profile.schema.title ?? profile.id, type: "object" });
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
