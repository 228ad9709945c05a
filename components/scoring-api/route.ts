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
  /** One segment: `/score`. */
  readonly path: string;
  /** Unique in the API; part of the model's name. */
  readonly id: string;
  readonly description: string;
  readonly operationName: string;
  /** The schema that the gateway checks bodies with. */
  readonly model: Draft04Schema;
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
  readonly model: Model;
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
  return snapshot.part(
    Resource,
    `${prefix}-resource`,
    { restApi: api.id, parentId: api.rootResourceId, pathPart: path.slice(1) },
    { parent },
  );
}

function createModel(prefix: string, { api, snapshot }: ApiParts, target: RouteTarget, parent: pulumi.Resource): Model {
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
  { operationName }: RouteTarget,
  resource: Resource,
  model: Model,
  parent: pulumi.Resource,
): Method {
  return snapshot.part(
    Method,
    `${prefix}-post`,
    {
      restApi: api.id,
      resourceId: resource.id,
      httpMethod: "POST",
      operationName,
      authorization: AUTHORIZATION[auth.mode],
      ...(authorizer ? { authorizerId: authorizer.id } : {}),
      apiKeyRequired: auth.mode === "apiKey",
      requestValidatorId: validator.id,
      requestModels: { "application/json": model.name },
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
  { path, functionName, qualifier }: RouteTarget,
  parent: pulumi.Resource,
): Permission {
  return new Permission(
    `${prefix}-permission`,
    {
      action: "lambda:InvokeFunction",
      function: functionName,
      ...(qualifier === undefined ? {} : { qualifier }),
      principal: "apigateway.amazonaws.com",
      sourceArn: pulumi.interpolate`${api.executionArn}/*/POST${path}`,
    },
    { parent },
  );
}

/**
 * The model that the gateway checks a body with: the profile's own schema. A profile that prescribes the wording of its errors
 * gets a model that only requires an object, since the gateway would otherwise answer first in its own words; the function checks the rest.
 */
export function requestModel(profile: AnyProfile): Draft04Schema {
  if (profile.describeErrors === undefined) return toDraft04(profile.schema);
  return toDraft04({ title: profile.schema.title ?? profile.id, type: "object" });
}
