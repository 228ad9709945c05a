/** The function behind one route, with its policy and, where wanted, warm executions in front of it. */
import type { Table } from "@pulumi/aws/dynamodb";
import { Alias, ProvisionedConcurrencyConfig } from "@pulumi/aws/lambda";
import type { Parameter } from "@pulumi/aws/ssm";
import type * as pulumi from "@pulumi/pulumi";
import { PlatformFunction } from "../shared/function";
import { modelStatements, modelsParameter } from "../shared/models-parameter";
import { environmentOf } from "../shared/naming";
import { policyParameter, readParameter } from "../shared/policy-parameter";
import { tableStatement } from "../shared/tables";
import type { ScoringApiArgs, ScoringRoute } from "./args";
import { eventNames } from "./event-names";
import { type RouteTarget, requestModel } from "./gateway";

export interface ScoringFunction {
  readonly route: ScoringRoute;
  readonly policy: Parameter;
  readonly models: Parameter;
  readonly fn: PlatformFunction;
  /** What the gateway calls. */
  readonly target: RouteTarget;
}

export const METRIC_NAMESPACE = "LeadScoring";

export function createScoringFunction(
  instance: string,
  route: ScoringRoute,
  scores: Table,
  args: ScoringApiArgs,
  parent: pulumi.Resource,
): ScoringFunction {
  const name = `${instance}-${route.profile.id}`;
  const { environment: stage, suffix } = args.naming;
  const events = eventNames(route.profile.id);
  const policy = policyParameter(
    `${name}-policy`,
    { parameterName: `/${name}-scoring/${stage}/${suffix}/policy`, policy: route.policy },
    { parent },
  );
  const models = modelsParameter(
    `${name}-models`,
    {
      parameterName: `/${name}-scoring/${stage}/${suffix}/models`,
      profile: route.profile.id,
      initial: route.models.initial,
    },
    { parent, protect: args.context.deletionProtection },
  );
  const fn = new PlatformFunction(
    name,
    {
      ...args.context,
      description: `Scores ${route.profile.id} requests at POST ${route.path}`,
      bundle: args.bundles.scoring,
      callbackFactory: () => require("./bundles/rest-scoring/index.js").handler,
      memoryMb: args.memoryMb,
      timeoutSeconds: args.timeoutSeconds,
      ...(args.reservedConcurrency === undefined ? {} : { reservedConcurrency: args.reservedConcurrency }),
      publish: args.provisionedConcurrency > 0,
      environment: {
        PROFILE: route.profile.id,
        SCORES_TABLE: scores.name,
        POLICY_PARAMETER: policy.name,
        MODELS_PARAMETER: models.name,
        MODEL_BUCKET: route.models.store.bucket.bucketName,
        EVENT_BUS_NAME: args.bus.busName,
        EVENT_SOURCE: events.source,
        EVENT_DETAIL_TYPE: events.detailType,
        METRIC_NAMESPACE,
        POLICY_TTL_SECONDS: String(args.policyTtlSeconds),
        ENVIRONMENT: environmentOf(args.naming),
        CACHE_TTL_SECONDS: String(args.cacheTtlSeconds),
        ARCHIVE_BUCKET: args.archive.bucketName,
        TOKEN_SECRET_ARN: args.tokenSecret.arn,
        DEMO_JITTER: args.demoJitter ? "1" : "0",
        LOG_LEVEL: "info",
      },
      permissions: [
        tableStatement("Scores", scores, ["Query", "GetItem", "PutItem", "DeleteItem"]),
        readParameter(policy),
        ...modelStatements(models, route.models, route.profile.id, parent),
        ...args.tokenSecret.readStatements(),
        ...args.bus.publishStatements(),
        ...args.archive.writeStatements(["archive/"]),
      ],
      ...(args.transform?.scoring ? { transform: args.transform.scoring } : {}),
    },
    { parent },
  );
  return { route, policy, models, fn, target: targetOf(name, route, fn, args.provisionedConcurrency, parent) };
}

/** The function, or an alias with warm executions in front of it. */
function targetOf(
  name: string,
  { path, profile }: ScoringRoute,
  fn: PlatformFunction,
  warmExecutions: number,
  parent: pulumi.Resource,
): RouteTarget {
  const { function: lambda } = fn.nodes;
  const route = {
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
