/** The parts of a REST API, and the method that a request reaches. */
export interface ApiMethod {
  readonly resourceId: string;
  readonly httpMethod: string;
  readonly authorization: "NONE" | "AWS_IAM";
  readonly apiKeyRequired: boolean;
  readonly validatorId: string | undefined;
  /** Model name by content type. */
  readonly requestModels: Readonly<Record<string, string>>;
}

export interface Integration {
  readonly functionArn: string;
  readonly timeoutMs: number;
}

interface GatewayResponse {
  readonly statusCode: number | undefined;
  /** Of JSON; the default body without one. */
  readonly template: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface Throttle {
  /** Requests per second. */
  readonly rate: number;
  readonly burst: number;
}

export interface Stage {
  readonly name: string;
  readonly arn: string;
  readonly accessLog: { readonly groupArn: string; readonly format: string } | undefined;
  /** By method path: `*` + `/*`, or `score/POST`. */
  readonly throttles: Map<string, Throttle>;
  /** Id of the deployment that it serves. */
  readonly deployment: string;
  /** What the stage serves: the API as it was when its deployment was created. */
  readonly deployed: ApiDefinition;
}

/** The part of an API that a deployment freezes. */
export interface ApiDefinition {
  readonly id: string;
  readonly name: string;
  readonly rootResourceId: string;
  readonly resources: Map<string, { readonly parentId: string; readonly pathPart: string }>;
  /** Key: `<resource id> <method>`. */
  readonly methods: Map<string, ApiMethod>;
  readonly integrations: Map<string, Integration>;
  /** Schema text by model name. */
  readonly models: Map<string, unknown>;
  readonly validators: Map<string, { readonly body: boolean }>;
  readonly responses: Map<string, GatewayResponse>;
}

/** An API as it is configured now. Requests see it only once it is deployed. */
export interface Api extends ApiDefinition {
  readonly deployments: Map<string, ApiDefinition>;
  readonly stages: Map<string, Stage>;
}

export const newApi = (id: string, name: string, rootResourceId: string): Api => ({
  id,
  name,
  rootResourceId,
  resources: new Map(),
  methods: new Map(),
  integrations: new Map(),
  models: new Map(),
  validators: new Map(),
  responses: new Map(),
  deployments: new Map(),
  stages: new Map(),
});

/** A snapshot of the API: entries are replaced, never changed, so copies of the maps are enough. @throws Error as CreateDeployment does. */
export function snapshotOf(api: Api): ApiDefinition {
  if (api.methods.size === 0) throw new Error("The REST API doesn't contain any methods.");
  for (const key of api.methods.keys())
    if (!api.integrations.has(key)) throw new Error(`No integration defined for method ${key}: deploy after the integrations.`);
  const { deployments: _, stages: __, ...definition } = api;
  return {
    ...definition,
    resources: new Map(api.resources),
    methods: new Map(api.methods),
    integrations: new Map(api.integrations),
    models: new Map(api.models),
    validators: new Map(api.validators),
    responses: new Map(api.responses),
  };
}

export interface Match {
  readonly resourceId: string;
  /** `/score`, `/decisions/{id}`. */
  readonly resourcePath: string;
  readonly method: ApiMethod;
  /** By name; a REST API doesn't decode them. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Name of a path part that stands for any segment, `{id}`; undefined for a literal one. */
export const parameterOf = (pathPart: string): string | undefined => /^\{([A-Za-z0-9._-]+)\}$/.exec(pathPart)?.[1];

/** Path of a resource from the root. */
export function resourcePath(api: ApiDefinition, resourceId: string): string {
  if (resourceId === api.rootResourceId) return "/";
  const resource = api.resources.get(resourceId);
  if (resource === undefined) return "/";
  const parent = resourcePath(api, resource.parentId);
  return `${parent === "/" ? "" : parent}/${resource.pathPart}`;
}

export function matchRoute(api: ApiDefinition, method: string, path: string): Match | undefined {
  let resourceId: string | undefined = api.rootResourceId;
  const parameters: Record<string, string> = {};
  // An empty segment names no resource: `/score/` and `//score` are no routes of an API that has `/score`.
  for (const segment of path === "/" ? [] : path.slice(1).split("/")) {
    const parent: string = resourceId;
    const children = [...api.resources].filter(([, child]) => child.parentId === parent);
    // A literal part goes before a parameter, which matches any segment but an empty one.
    const literal = children.find(([, { pathPart }]) => pathPart === segment);
    const variable = children.find(([, { pathPart }]) => segment !== "" && parameterOf(pathPart) !== undefined);
    const found = literal ?? variable;
    if (found === undefined) return undefined;
    const name = literal === undefined ? parameterOf(found[1].pathPart) : undefined;
    if (name !== undefined) parameters[name] = segment;
    resourceId = found[0];
  }
  const definition = api.methods.get(`${resourceId} ${method}`);
  if (definition === undefined) return undefined;
  return { resourceId, resourcePath: resourcePath(api, resourceId), method: definition, parameters };
}
