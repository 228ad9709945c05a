/** One route of the API: resource, model, method, integration and the permission to call its function. */
import {
  type Authorizer,
  Integration,
  Method,
  Model,
  type RequestValidator,
  Resource,
  type RestApi,
} from "@pulumi/aws/apigateway";
import { Permission } from "@pulumi/aws/lambda";
import * as pulumi from "@pulumi/pulumi";
import { type Draft04Schema, toDraft04 } from "../../functions/scoring/core/draft04";
import type { AnyProfile } from "../../functions/scoring/core/profile";
import type { ApiAuth } from "./args";
import type { ApiSnapshot } from "./snapshot";

/** A function that a route calls. */
export interface RouteTarget {
  readonly method: "GET" | "POST";
  /** One segment, or a second one that is a parameter: `/score`, `/decisions/{id}`. */
  readonly path: string;
  /** Unique in the API; part of the model's name. */
  readonly id: string;
  readonly description: string;
  readonly operationName: string;
  /** The schema that the gateway checks bodies with; undefined for a method without a body. */
  readonly model: Draft04Schema | undefined;
  /** What the gateway calls: the function, or its alias with provisioned concurrency. */
  readonly invokeArn: pulumi.Output<string>;
  readonly functionName: pulumi.Output<string>;
  /** Alias of the function; undefined for the function itself. */
  readonly qualifier: pulumi.Output<string> | undefined;
}

/** What the routes of an API have in common. */
export interface ApiParts {
  readonly api: RestApi;
  readonly snapshot: ApiSnapshot;
  readonly validator: RequestValidator;
  readonly authorizer: Authorizer | undefined;
  readonly auth: ApiAuth;
}

export interface Route {
  readonly method: Method;
  readonly model: Model | undefined;
  readonly permission: Permission;
}

const AUTHORIZATION = { apiKey: "NONE", none: "NONE", iam: "AWS_IAM", cognito: "COGNITO_USER_POOLS" } as const;

/** API Gateway's longest integration timeout unless a higher quota is granted. */
const INTEGRATION_TIMEOUT_MS = 29_000;

export function createRoute(name: string, parts: ApiParts, target: RouteTarget, parent: pulumi.Resource): Route {
  // Not named after its path: a changed path is renamed in place.
  const prefix = `${name}-${target.id}`;
  const resource = createResource(prefix, parts, target, parent);
  const model = createModel(prefix, parts, target, parent);
  const method = createMethod(prefix, parts, target, resource, model, parent);
  integrate(prefix, parts, target, resource, method, parent);
  return { method, model, permission: permitCalls(prefix, parts, target, parent) };
}

function createResource(prefix: string, { api, snapshot }: ApiParts, { path }: RouteTarget, parent: pulumi.Resource): Resource {
  const [first = "", parameter] = path.slice(1).split("/");
  const resource = (name: string, parentId: pulumi.Input<string>, pathPart: string) =>
    snapshot.part(Resource, name, { restApi: api.id, parentId, pathPart }, { parent });
  const top = resource(`${prefix}-resource`, api.rootResourceId, first);
  return parameter === undefined ? top : resource(`${prefix}-parameter`, top.id, parameter);
}

function createModel(
  prefix: string,
  { api, snapshot }: ApiParts,
  target: RouteTarget,
  parent: pulumi.Resource,
): Model | undefined {
  if (target.model === undefined) return undefined;
  return snapshot.part(
    Model,
    `${prefix}-model`,
    {
      restApi: api.id,
      // API Gateway only allows letters and digits.
      name: `${target.id.replace(/[^A-Za-z0-9]/g, "")}Request`,
      description: target.description,
      contentType: "application/json",
      schema: JSON.stringify(target.model),
    },
    { parent },
  );
}

function createMethod(
  prefix: string,
  { api, snapshot, validator, authorizer, auth }: ApiParts,
  { operationName, method }: RouteTarget,
  resource: Resource,
  model: Model | undefined,
  parent: pulumi.Resource,
): Method {
  return snapshot.part(
    Method,
    `${prefix}-${method.toLowerCase()}`,
    {
      restApi: api.id,
      resourceId: resource.id,
      httpMethod: method,
      operationName,
      authorization: AUTHORIZATION[auth.mode],
      ...(authorizer ? { authorizerId: authorizer.id } : {}),
      apiKeyRequired: auth.mode === "apiKey",
      requestValidatorId: validator.id,
      ...(model ? { requestModels: { "application/json": model.name } } : {}),
    },
    { parent },
  );
}

function integrate(
  prefix: string,
  { api, snapshot }: ApiParts,
  { invokeArn }: RouteTarget,
  resource: Resource,
  { httpMethod }: Method,
  parent: pulumi.Resource,
): void {
  snapshot.part(
    Integration,
    `${prefix}-integration`,
    {
      restApi: api.id,
      resourceId: resource.id,
      httpMethod,
      type: "AWS_PROXY",
      // Lambda is always invoked with POST.
      integrationHttpMethod: "POST",
      uri: invokeArn,
      timeoutMilliseconds: INTEGRATION_TIMEOUT_MS,
    },
    { parent },
  );
}

function permitCalls(
  prefix: string,
  { api }: ApiParts,
  { method, path, functionName, qualifier }: RouteTarget,
  parent: pulumi.Resource,
): Permission {
  return new Permission(
    `${prefix}-permission`,
    {
      action: "lambda:InvokeFunction",
      function: functionName,
      ...(qualifier === undefined ? {} : { qualifier }),
      principal: "apigateway.amazonaws.com",
      sourceArn: pulumi.interpolate`${api.executionArn}/*/${callOf(method, path)}`,
    },
    { parent },
  );
}

/** Calls of a route in ARNs, in which a parameter has its value: `POST/score`, `GET/decisions/*`. */
export const callOf = (method: RouteTarget["method"], path: string): string => `${method}${path.replace(/\{\w+\}/, "*")}`;

/**
 * The model that the gateway checks a body with: the profile's own schema. A profile that prescribes the wording of its errors
 * gets a model that only requires an object, since the gateway would otherwise answer first in its own words; the function checks the rest.
 */
export function requestModel(profile: AnyProfile): Draft04Schema {
  if (profile.describeErrors === undefined) return toDraft04(profile.schema);
  return toDraft04({ title: profile.schema.title ?? profile.id, type: "object" });
}
