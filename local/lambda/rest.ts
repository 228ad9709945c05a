/** Paths and documents of the Lambda REST protocol. */
import { AwsError } from "../contracts.js";
import type { FunctionPool } from "./functions.js";
import type { MappingConfig } from "./mapping.js";

export interface Route {
  readonly action: string;
  readonly functionName?: string;
  /** Alias name or mapping id. */
  readonly detail?: string;
}

const routes: readonly { readonly method: string; readonly path: RegExp; readonly action: string }[] = [
  { method: "POST", path: /^\/2015-03-31\/functions\/(?<fn>[^/]+)\/invocations\/?$/, action: "Invoke" },
  { method: "GET", path: /^\/2015-03-31\/functions\/?$/, action: "ListFunctions" },
  { method: "GET", path: /^\/2015-03-31\/functions\/(?<fn>[^/]+)\/?$/, action: "GetFunction" },
  { method: "GET", path: /^\/2015-03-31\/functions\/(?<fn>[^/]+)\/configuration\/?$/, action: "GetFunctionConfiguration" },
  { method: "GET", path: /^\/2019-09-30\/functions\/(?<fn>[^/]+)\/concurrency\/?$/, action: "GetFunctionConcurrency" },
  { method: "GET", path: /^\/2015-03-31\/functions\/(?<fn>[^/]+)\/policy\/?$/, action: "GetPolicy" },
  { method: "GET", path: /^\/2015-03-31\/functions\/(?<fn>[^/]+)\/aliases\/?$/, action: "ListAliases" },
  { method: "GET", path: /^\/2015-03-31\/functions\/(?<fn>[^/]+)\/aliases\/(?<detail>[^/]+)\/?$/, action: "GetAlias" },
  { method: "GET", path: /^\/2015-03-31\/event-source-mappings\/?$/, action: "ListEventSourceMappings" },
  { method: "GET", path: /^\/2015-03-31\/event-source-mappings\/(?<detail>[^/]+)\/?$/, action: "GetEventSourceMapping" },
];

/** @throws AwsError that names method and path when the call is not supported. */
export function routeOf(method: string, url: URL): Route {
  const path = decodeURIComponent(url.pathname);
  for (const route of routes) {
    const match = route.method === method ? route.path.exec(path) : null;
    if (match === null) continue;
    const { fn, detail } = match.groups ?? {};
    return {
      action: route.action,
      ...(fn === undefined ? {} : { functionName: fn }),
      ...(detail === undefined ? {} : { detail }),
    };
  }
  const supported = routes.map(({ action }) => action).join(", ");
  throw new AwsError(
    "UnknownOperationException",
    `Lambda ${method} ${path} is not supported by the local runtime. Supported: ${supported}. Change functions in the program instead.`,
    404,
  );
}

export function describeFunction(state: NonNullable<ReturnType<FunctionPool["get"]>>) {
  const { config, codeSha256, codeSize } = state;
  return {
    FunctionName: config.name,
    FunctionArn: config.arn,
    Runtime: config.runtime,
    Role: config.roleArn,
    Handler: config.handler,
    CodeSize: codeSize,
    CodeSha256: codeSha256,
    Description: config.description,
    Timeout: config.timeoutSeconds,
    MemorySize: config.memoryMb,
    Version: config.version,
    Environment: { Variables: config.environment },
    TracingConfig: { Mode: config.tracing },
    Architectures: config.architectures,
    PackageType: "Zip",
    State: "Active",
    LastUpdateStatus: "Successful",
    LoggingConfig: { LogFormat: config.logFormat, LogGroup: config.logGroup },
    ...(config.deadLetterArn === undefined ? {} : { DeadLetterConfig: { TargetArn: config.deadLetterArn } }),
  };
}

export const describeMapping = (config: MappingConfig, functionArn: string) => ({
  UUID: config.uuid,
  EventSourceMappingArn: config.arn,
  EventSourceArn: config.sourceArn,
  FunctionArn: functionArn,
  State: config.enabled ? "Enabled" : "Disabled",
  BatchSize: config.batchSize,
  MaximumBatchingWindowInSeconds: config.windowSeconds,
  ...(config.sourceArn.split(":")[2] === "kinesis"
    ? {
        StartingPosition: config.startingPosition.kind,
        ParallelizationFactor: config.parallelizationFactor,
        MaximumRetryAttempts: config.maxRetries,
        MaximumRecordAgeInSeconds: config.maxRecordAgeSeconds,
        BisectBatchOnFunctionError: config.bisectOnError,
      }
    : {}),
  FunctionResponseTypes: config.reportsItemFailures ? ["ReportBatchItemFailures"] : [],
  ...(config.onFailure === undefined ? {} : { DestinationConfig: { OnFailure: { Destination: config.onFailure } } }),
  ...(config.filters.length === 0
    ? {}
    : { FilterCriteria: { Filters: config.filters.map((pattern) => ({ Pattern: JSON.stringify(pattern) })) } }),
});

export const errorOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
