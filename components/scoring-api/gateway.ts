/** The REST API in front of the scoring functions: resources, methods, models, errors, stage, throttles. */
import {
  Authorizer,
  Deployment,
  type Method,
  type Model,
  RequestValidator,
  Response,
  RestApi,
  type RestApiArgs,
  type Stage,
} from "@pulumi/aws/apigateway";
import type { LogGroup } from "@pulumi/aws/cloudwatch";
import type * as pulumi from "@pulumi/pulumi";
import { type Transform, withTransform } from "../shared/transform";
import type { ApiAuth } from "./args";
import { PROBLEM_RESPONSES, problemHeaders, problemTemplate } from "./problem-responses";
import { createRoute, type RouteTarget } from "./route";
import { ApiSnapshot } from "./snapshot";
import { createStage, type StageArgs } from "./stage";

export interface GatewayArgs extends StageArgs {
  readonly auth: ApiAuth;
  readonly routes: readonly RouteTarget[];
  readonly transform?: Transform<RestApiArgs> | undefined;
}

export interface Gateway {
  readonly api: RestApi;
  readonly stage: Stage;
  readonly accessLogs: LogGroup;
  readonly methods: readonly Method[];
  readonly models: readonly Model[];
}

export function createGateway(name: string, args: GatewayArgs, parent: pulumi.Resource): Gateway {
  const snapshot = new ApiSnapshot();
  const api = createApi(name, snapshot, args.transform, parent);
  const validator = createValidator(name, snapshot, api, parent);
  const authorizer = createAuthorizer(name, snapshot, api, args.auth, parent);
  const parts = { api, snapshot, validator, authorizer, auth: args.auth };
  const routes = args.routes.map((target) => createRoute(name, parts, target, parent));
  describeProblems(name, snapshot, api, parent);
  const permissions = routes.map(({ permission }) => permission);
  const deployment = deploy(name, snapshot, api, permissions, parent);
  const { stage, accessLogs } = createStage(name, api, deployment, args, parent);
  return {
    api,
    stage,
    accessLogs,
    methods: routes.map(({ method }) => method),
    models: routes.flatMap(({ model }) => model ?? []),
  };
}

function createApi(
  name: string,
  snapshot: ApiSnapshot,
  transform: Transform<RestApiArgs> | undefined,
  parent: pulumi.Resource,
): RestApi {
  return snapshot.part(
    RestApi,
    `${name}-api`,
    withTransform<RestApiArgs, RestApiArgs>({ description: "Risk scores over REST" }, transform, {
      endpointConfiguration: { types: "REGIONAL" },
    }),
    { parent },
  );
}

function createValidator(name: string, snapshot: ApiSnapshot, api: RestApi, parent: pulumi.Resource): RequestValidator {
  return snapshot.part(
    RequestValidator,
    `${name}-validator`,
    { restApi: api.id, validateRequestBody: true, validateRequestParameters: true },
    { parent },
  );
}

/** Turns every refusal of the gateway itself into a problem document. */
function describeProblems(name: string, snapshot: ApiSnapshot, api: RestApi, parent: pulumi.Resource): void {
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
      { parent },
    );
  }
}

/**
 * A changed hash replaces the deployment: a new one is created, the stage switches to it, and whatever the program no longer has (the
 * old deployment, an alias, an authoriser) is deleted last. A removed route is still in that snapshot, and disappears with the next
 * deployment (pulumi-aws #3289).
 */
function deploy(
  name: string,
  snapshot: ApiSnapshot,
  api: RestApi,
  permissions: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): Deployment {
  return new Deployment(
    `${name}-deployment`,
    { restApi: api.id, triggers: { definition: snapshot.hash } },
    // Wait for the permissions too: the stage needs them from its first request on.
    { parent, dependsOn: [...snapshot.parts, ...permissions] },
  );
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
