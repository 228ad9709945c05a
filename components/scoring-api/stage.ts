/** The stage of the API: deployment, access logs, throttles. */
import { type Deployment, MethodSettings, type RestApi, Stage } from "@pulumi/aws/apigateway";
import { LogGroup } from "@pulumi/aws/cloudwatch";
import * as pulumi from "@pulumi/pulumi";
import type { PlatformContext } from "../shared/context";
import type { RequestLimits } from "./args";

export interface StageArgs {
  readonly context: Pick<PlatformContext, "key" | "logRetentionDays" | "tracing">;
  readonly stageName: string;
  /** Limits for all callers together. */
  readonly limits: Pick<RequestLimits, "perSecond" | "burst">;
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

export function createStage(
  name: string,
  api: RestApi,
  deployment: Deployment,
  { context, stageName, limits }: StageArgs,
  parent: pulumi.Resource,
): { readonly stage: Stage; readonly accessLogs: LogGroup } {
  const logs = { retentionInDays: context.logRetentionDays, kmsKeyId: context.key.arn };
  const accessLogs = new LogGroup(`${name}-access-logs`, logs, { parent });
  const executionLogs = new LogGroup(
    `${name}-execution-logs`,
    // The gateway writes to this name; it is declared here so that it has a key and a retention.
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
        // Bodies hold customers' data, so they stay out of the logs.
        dataTraceEnabled: false,
        throttlingRateLimit: limits.perSecond,
        throttlingBurstLimit: limits.burst,
      },
    },
    { parent },
  );
  return { stage, accessLogs };
}
