import { existsSync } from "node:fs";
import { LogGroup } from "@pulumi/aws/cloudwatch";
import type { Role, RolePolicy } from "@pulumi/aws/iam";
import { CallbackFunction, type CallbackFunctionArgs } from "@pulumi/aws/lambda";
import * as pulumi from "@pulumi/pulumi";
import type { EncryptionKey } from "./encryption-key";
import { grant, mergeStatements, type Statement, serviceRole } from "./iam";
import { withTransform } from "./transform";

/** Event and result are the entry's own JSON; the adapters under `functions/` check them. */
export type Handler = (event: unknown, context: unknown) => Promise<unknown>;

/** Settings that all functions of a stack share. */
export interface FunctionDefaults {
  /** Encrypts everything that the stack stores, logs included. Default: a key of the component's own. */
  readonly key: EncryptionKey;
  /** Days that logs are kept; one of CloudWatch's values (1, 3, 5, 7, 14, 30, 60, 90 …). Default 30. */
  readonly logRetentionDays: number;
  /** X-Ray: costs $5 per million traces, and shows where a slow call spent its time. Default true. */
  readonly tracing: boolean;
  /** False for accounts that can't reserve executions (a new account has 10 in total): then functions share the account's. Default true. */
  readonly reserveConcurrency: boolean;
}

export interface PlatformFunctionArgs extends FunctionDefaults {
  readonly description: string;
  /** Name of a file of `functions/entries/`, such as `stream-scoring`: the archive contains its bundle. */
  readonly entry: string;
  /**
   * `() => require("./bundles/<entry>/index.js").handler`. It is serialised into the archive, so it must not capture anything:
   * a captured config value or secret would be in plain text in the deployment package.
   */
  readonly callbackFactory: () => Handler;
  /** Physical name. Default: chosen by Pulumi. */
  readonly functionName?: string;
  /** MB, 128 to 10240; CPU grows with it. */
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  /** Reserved executions, which are also the function's maximum. Default: none. Ignored when `reserveConcurrency` is false. */
  readonly reservedConcurrency?: number;
  readonly environment: Readonly<Record<string, pulumi.Input<string>>>;
  /** What the function may do, besides writing its own logs and traces. */
  readonly permissions: readonly Statement[];
  /** Tags of the role; Redshift reads database roles from `RedshiftDbRoles`. */
  readonly roleTags?: Readonly<Record<string, string>>;
  /** Publishes a numbered version at every change, for aliases. Default false. */
  readonly publish?: boolean;
  readonly transform?: FunctionTransform;
}

type FunctionArgs = CallbackFunctionArgs<unknown, unknown>;
/** May change anything except the role, the code, the log group and the runtime. */
export type FunctionTransform = (args: FunctionArgs) => Partial<FunctionArgs>;

/** A Lambda function with a role of its own, a log group of its own and an archive that contains one bundle. */
export class PlatformFunction extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  readonly functionName: pulumi.Output<string>;
  readonly role: Role;
  /** Everything that calls the function must wait for its permissions: depend on this. */
  readonly policy: RolePolicy;
  readonly nodes: { readonly function: CallbackFunction<unknown, unknown>; readonly logGroup: LogGroup };

  constructor(name: string, args: PlatformFunctionArgs, opts?: pulumi.ComponentResourceOptions) {
    super("risk:lib:Function", name, {}, opts);
    const logGroup = new LogGroup(
      `${name}-logs`,
      { retentionInDays: args.logRetentionDays, kmsKeyId: args.key.arn },
      { parent: this },
    );
    this.role = serviceRole(
      `${name}-role`,
      { service: "lambda.amazonaws.com", description: args.description, ...(args.roleTags ? { tags: args.roleTags } : {}) },
      { parent: this },
    );
    this.policy = grant(
      `${name}-permissions`,
      this.role,
      [...ownStatements(logGroup, args.tracing), ...mergeStatements(args.permissions)],
      { parent: this },
    );
    const lambda = new CallbackFunction<unknown, unknown>(
      `${name}-function`,
      withTransform<FunctionArgs, Partial<FunctionArgs>>(tunables(args), args.transform, invariants(args, this.role, logGroup)),
      { parent: this, dependsOn: [this.policy] },
    );
    this.arn = lambda.arn;
    this.functionName = lambda.name;
    this.nodes = { function: lambda, logGroup };
    this.registerOutputs({ arn: this.arn, functionName: this.functionName });
  }
}

function tunables(args: PlatformFunctionArgs): FunctionArgs {
  return {
    ...(args.functionName === undefined ? {} : { name: args.functionName }),
    description: args.description,
    memorySize: args.memoryMb,
    timeout: args.timeoutSeconds,
    environment: { variables: { ...args.environment } },
    ...(args.reserveConcurrency && args.reservedConcurrency !== undefined
      ? { reservedConcurrentExecutions: args.reservedConcurrency }
      : {}),
    ...(args.publish ? { publish: true } : {}),
  };
}

function invariants(args: PlatformFunctionArgs, role: Role, logGroup: LogGroup): Partial<FunctionArgs> {
  return {
    callbackFactory: args.callbackFactory,
    // Only the bundle: it contains its dependencies, so the archive needs no packages of node_modules.
    codePathOptions: { extraIncludePaths: [bundleOf(args.entry)] },
    role,
    runtime: "nodejs24.x",
    architectures: ["arm64"],
    tracingConfig: { mode: args.tracing ? "Active" : "PassThrough" },
    // Text, because in the JSON format Lambda wraps each line, and embedded metrics would no longer be at its root.
    loggingConfig: { logFormat: "Text", logGroup: logGroup.name },
  };
}

/** The path of an entry's bundle, in the project and in the archive. The program runs in the project's root. */
function bundleOf(entry: string): string {
  const path = `./bundles/${entry}/index.js`;
  if (existsSync(path)) return path;
  throw new Error(
    `Function "${entry}" has no bundle: expected ${path}, made from functions/entries/${entry}.ts. Build it in the project's root: npm run build`,
  );
}

function ownStatements(logGroup: LogGroup, tracing: boolean): Statement[] {
  return [
    {
      sid: "WriteLogs",
      actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
      resources: [pulumi.interpolate`${logGroup.arn}:*`],
    },
    // X-Ray does not support resources.
    ...(tracing
      ? [{ sid: "WriteTraces", actions: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], resources: ["*"] }]
      : []),
  ];
}
