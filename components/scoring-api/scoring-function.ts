/** The function behind one route, with its policy and, if configured, warm executions. */
import type { Table } from "@pulumi/aws/dynamodb";
import { Alias, ProvisionedConcurrencyConfig } from "@pulumi/aws/lambda";
import type { Parameter } from "@pulumi/aws/ssm";
import type * as pulumi from "@pulumi/pulumi";
import type { PlatformContext } from "../shared/context";
import { PlatformFunction } from "../shared/function";
import type { Statement } from "../shared/iam";
import { modelStatements, modelsParameter } from "../shared/models-parameter";
import { environmentOf } from "../shared/naming";
import { policyParameter, readParameter } from "../shared/policy-parameter";
import { tableStatement } from "../shared/tables";
import type { ScoringRoute } from "./args";
import { eventNames } from "./event-names";
import { type RouteTarget, requestModel } from "./route";
import type { ScoringSettings } from "./settings";

export interface ScoringFunction {
  readonly route: Required<ScoringRoute>;
  readonly policy: Parameter;
  readonly models: Parameter;
  readonly fn: PlatformFunction;
  /** What the gateway calls. */
  readonly target: RouteTarget;
}

export const METRIC_NAMESPACE = "LeadScoring";

export function createScoringFunction(
  instance: string,
  route: Required<ScoringRoute>,
  scores: Table,
  settings: ScoringSettings,
  parent: pulumi.Resource,
): ScoringFunction {
  const name = `${instance}-${route.profile.id}`;
  const { context, function: size, transform } = settings;
  const { policy, models } = createParameters(name, route, context, parent);
  const resources = { scores, policy, models };
  const fn = new PlatformFunction(
    name,
    {
      ...context,
      description: `Scores ${route.profile.id} requests at POST ${route.path}`,
      entry: "rest-scoring",
      callbackFactory: () => require("./bundles/rest-scoring/index.js").handler,
      memoryMb: size.memoryMb,
      timeoutSeconds: size.timeoutSeconds,
      ...(size.reservedConcurrency === undefined ? {} : { reservedConcurrency: size.reservedConcurrency }),
      publish: size.provisionedConcurrency > 0,
      environment: environment(route, resources, settings),
      permissions: permissions(route, resources, settings, parent),
      ...(transform.scoring ? { transform: transform.scoring } : {}),
    },
    { parent },
  );
  return { route, policy, models, fn, target: targetOf(name, route, fn, size.provisionedConcurrency, parent) };
}

/** What the function reads and writes. */
interface ScoringResources {
  readonly scores: Table;
  readonly policy: Parameter;
  readonly models: Parameter;
}

function createParameters(
  name: string,
  { profile, policy, models }: Required<ScoringRoute>,
  { naming: { environment: stage, suffix }, deletionProtection }: PlatformContext,
  parent: pulumi.Resource,
): Pick<ScoringResources, "policy" | "models"> {
  const path = `/${name}-scoring/${stage}/${suffix}`;
  return {
    policy: policyParameter(`${name}-policy`, { parameterName: `${path}/policy`, policy }, { parent }),
    models: modelsParameter(
      `${name}-models`,
      { parameterName: `${path}/models`, profile: profile.id, initial: models.initial },
      { parent, protect: deletionProtection },
    ),
  };
}

function environment(
  { profile, models: { store } }: Required<ScoringRoute>,
  { scores, policy, models }: ScoringResources,
  { context, bus, archive, tokenSecret, function: size, cacheTtlSeconds, demoJitter }: ScoringSettings,
): Record<string, pulumi.Input<string>> {
  const events = eventNames(profile.id);
  return {
    PROFILE: profile.id,
    SCORES_TABLE: scores.name,
    POLICY_PARAMETER: policy.name,
    MODELS_PARAMETER: models.name,
    MODEL_BUCKET: store.bucket.bucketName,
    EVENT_BUS_NAME: bus.busName,
    EVENT_SOURCE: events.source,
    EVENT_DETAIL_TYPE: events.detailType,
    METRIC_NAMESPACE,
    POLICY_TTL_SECONDS: String(size.policyTtlSeconds),
    ENVIRONMENT: environmentOf(context.naming),
    CACHE_TTL_SECONDS: String(cacheTtlSeconds),
    ARCHIVE_BUCKET: archive.bucket.bucketName,
    TOKEN_SECRET_ARN: tokenSecret.arn,
    DEMO_JITTER: demoJitter ? "1" : "0",
    LOG_LEVEL: "info",
  };
}

function permissions(
  route: Required<ScoringRoute>,
  { scores, policy, models }: ScoringResources,
  { tokenSecret, bus, archive }: ScoringSettings,
  parent: pulumi.Resource,
): Statement[] {
  return [
    tableStatement("Scores", scores, ["Query", "GetItem", "PutItem", "DeleteItem"]),
    readParameter(policy),
    ...modelStatements(models, route.models, route.profile.id, parent),
    ...tokenSecret.readStatements(),
    ...bus.publishStatements(),
    ...archive.bucket.writeStatements(["archive/"]),
  ];
}

/** The function, or an alias of it with warm executions. */
function targetOf(
  name: string,
  { path, profile }: Required<ScoringRoute>,
  fn: PlatformFunction,
  warmExecutions: number,
  parent: pulumi.Resource,
): RouteTarget {
  const { function: lambda } = fn.nodes;
  const route = {
    method: "POST" as const,
    path,
    id: profile.id,
    description: profile.description,
    operationName: `${profile.id}Score`,
    model: requestModel(profile),
    functionName: lambda.name,
  };
  if (warmExecutions === 0) return { ...route, invokeArn: lambda.invokeArn, qualifier: undefined };
  const alias = new Alias(
    `${name}-live`,
    { name: "live", functionName: lambda.name, functionVersion: lambda.version },
    { parent },
  );
  new ProvisionedConcurrencyConfig(
    `${name}-warm`,
    { functionName: lambda.name, qualifier: alias.name, provisionedConcurrentExecutions: warmExecutions },
    { parent },
  );
  return { ...route, invokeArn: alias.invokeArn, qualifier: alias.name };
}
