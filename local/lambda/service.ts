/** The Lambda API of the shared endpoint, and everything behind it. */
import { randomBytes } from "node:crypto";
import {
  AwsError,
  type AwsRequest,
  type AwsResponse,
  type AwsService,
  type DeliverOptions,
  type LocalContext,
  type Part,
  type Permission,
} from "../contracts.js";
import { type AsyncConfig, AsyncInvocations, defaultAsyncConfig } from "./async-invocations.js";
import { type FunctionConfig, FunctionPool, type InvokeResult } from "./functions.js";
import type { MappingConfig, Poller } from "./mapping.js";
import type { LambdaPorts, Timers } from "./ports.js";
import { systemTimers } from "./ports.js";
import { QueuePoller } from "./queue-poller.js";
import { describeFunction, describeMapping, errorOf, type Route, routeOf } from "./rest.js";
import { StreamPoller } from "./stream-poller.js";

/** A statement of a function's resource policy. */
export interface ResourcePermission {
  readonly id: string;
  readonly functionName: string;
  readonly action: string;
  /** `apigateway.amazonaws.com`, an account id or `*`. */
  readonly principal: string;
  readonly sourceArn: string | undefined;
  readonly qualifier: string | undefined;
}

export interface LambdaOptions {
  readonly timers?: Timers;
  readonly maxProcesses?: number;
  /** First wait of a stream mapping before a retry; default 200 ms. */
  readonly retryMs?: number;
  readonly asyncRetryDelaysMs?: readonly number[];
}

/** Limit of an asynchronous request. */
const maxAsyncBytes = 1024 * 1024;

export class LambdaService implements AwsService, Part {
  readonly name = "lambda";
  readonly title = "functions";
  readonly pool: FunctionPool;
  private readonly asynchronous: AsyncInvocations;
  private readonly timers: Timers;
  private readonly permissionsByFunction = new Map<string, ResourcePermission[]>();
  private readonly aliases = new Map<
    string,
    { readonly name: string; readonly functionName: string; readonly version: string; readonly description: string }
  >();
  private readonly mappings = new Map<string, { readonly config: MappingConfig; readonly poller: Poller }>();
  private active = false;

  constructor(
    private readonly context: LocalContext,
    private readonly ports: LambdaPorts,
    private readonly options: LambdaOptions = {},
  ) {
    this.timers = options.timers ?? systemTimers;
    this.pool = new FunctionPool(context, ports, options.maxProcesses);
    this.asynchronous = new AsyncInvocations(context, ports, this.pool, this.timers, options.asyncRetryDelaysMs);
  }

  addPermission(permission: ResourcePermission): void {
    const others = (this.permissionsByFunction.get(permission.functionName) ?? []).filter(({ id }) => id !== permission.id);
    this.permissionsByFunction.set(permission.functionName, [...others, permission]);
  }

  removePermission(functionName: string, id: string): void {
    const others = (this.permissionsByFunction.get(functionName) ?? []).filter((permission) => permission.id !== id);
    this.permissionsByFunction.set(functionName, others);
  }

  /**
   * Creates a function or changes it: new invocations run the new code and configuration. Its mappings follow.
   * @throws AwsError InvalidParameterValueException when a queue of a mapping gives less time than the function takes.
   */
  async putFunction(config: FunctionConfig): Promise<void> {
    const own = [...this.mappings.values()].filter((mapping) => mapping.config.functionName === config.name);
    for (const mapping of own) this.checkVisibility(mapping.config, config);
    const previous = this.pool.get(config.name)?.config;
    await this.pool.put(config);
    if (previous !== undefined && previous.roleArn !== config.roleArn)
      for (const mapping of own) await this.putMapping(mapping.config);
  }

  /** Takes resource policy, aliases and asynchronous settings along; mappings stay and find no function. */
  async deleteFunction(name: string): Promise<void> {
    await this.pool.remove(name);
    this.permissionsByFunction.delete(name);
    this.asynchronous.reset(name);
    for (const [key, alias] of this.aliases) if (alias.functionName === name) this.aliases.delete(key);
  }

  deleteAlias(functionName: string, name: string): void {
    this.aliases.delete(`${functionName}:${name}`);
  }

  resetAsync(functionName: string): void {
    this.asynchronous.reset(functionName);
  }

  putAlias(alias: { name: string; functionName: string; version: string; description: string }): void {
    this.aliases.set(`${alias.functionName}:${alias.name}`, alias);
  }

  configureAsync(functionName: string, config: Partial<AsyncConfig>): void {
    this.asynchronous.configure(functionName, { ...defaultAsyncConfig, ...config });
  }

  /**
   * Registers a mapping, or changes one: it goes on where it was. It starts with {@link activate}, or at once after that. The
   * function's role is checked as Lambda does at creation.
   * @throws AwsError InvalidParameterValueException, ResourceNotFoundException, ResourceConflictException.
   */
  async putMapping(config: MappingConfig): Promise<void> {
    const state = this.functionState(config.functionName);
    this.checkOnlyMapping(config);
    const isQueue = config.sourceArn.split(":")[2] === "sqs";
    const needed = isQueue
      ? ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
      : ["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:ListShards"];
    this.requireOfRole(config.functionName, state.config.roleArn, needed, config.sourceArn);
    this.checkFailureDestination(config, state.config.roleArn);
    this.checkVisibility(config, state.config);
    const invoke = (payload: string) => this.pool.invoke(config.functionName, payload);
    const common = { context: this.context, ports: this.ports, timers: this.timers, mapping: config, invoke };
    const poller = isQueue
      ? new QueuePoller(common)
      : new StreamPoller({
          ...common,
          roleArn: state.config.roleArn,
          functionArn: state.config.arn,
          retryMs: this.options.retryMs ?? 200,
        });
    await this.mappings.get(config.uuid)?.poller.end();
    this.mappings.set(config.uuid, { config, poller });
    if (this.active && config.enabled) poller.start();
  }

  /** Batches that run end; where the mapping was in its stream is forgotten. */
  async deleteMapping(uuid: string): Promise<void> {
    const mapping = this.mappings.get(uuid);
    if (mapping === undefined) return;
    this.mappings.delete(uuid);
    await mapping.poller.end();
    if (mapping.config.sourceArn.split(":")[2] === "kinesis")
      this.context.db.prepare("DELETE FROM lambda_checkpoints WHERE mapping = ?").run(uuid);
  }

  private checkOnlyMapping({ uuid, sourceArn, functionName }: MappingConfig): void {
    const twin = [...this.mappings.values()].find(
      ({ config }) => config.uuid !== uuid && config.sourceArn === sourceArn && config.functionName === functionName,
    );
    if (twin !== undefined)
      throw new AwsError(
        "ResourceConflictException",
        `An event source mapping with event source ${sourceArn} and function ${functionName} already exists: ${twin.config.uuid}. Update or delete it first.`,
        409,
      );
  }

  private checkVisibility({ sourceArn }: MappingConfig, { name, timeoutSeconds }: FunctionConfig): void {
    if (sourceArn.split(":")[2] !== "sqs") return;
    const visibility = this.ports.queues.visibilityTimeoutSeconds(sourceArn);
    if (visibility < timeoutSeconds)
      throw new AwsError(
        "InvalidParameterValueException",
        `Queue visibility timeout: ${visibility} seconds is less than Function timeout: ${timeoutSeconds} seconds (${name})`,
      );
  }

  private checkFailureDestination(config: MappingConfig, roleArn: string): void {
    if (config.onFailure === undefined) return;
    const action = { s3: "s3:PutObject", sqs: "sqs:SendMessage", sns: "sns:Publish" }[config.onFailure.split(":")[2] ?? ""];
    if (action === undefined)
      throw new AwsError(
        "InvalidParameterValueException",
        `Failure destination ${config.onFailure}: expected a bucket, queue or topic.`,
      );
    const resource = action === "s3:PutObject" ? `${config.onFailure}/aws/lambda/${config.uuid}/*` : config.onFailure;
    this.requireOfRole(config.functionName, roleArn, [action], resource);
  }

  private requireOfRole(functionName: string, roleArn: string, actions: readonly string[], resource: string): void {
    const missing = new Set(actions.flatMap((action) => this.ports.missingActions(roleArn, action, resource)));
    if (missing.size === 0) return;
    const key = [...missing].some((action) => action.startsWith("kms:")) ? " or its key" : "";
    throw new AwsError(
      "InvalidParameterValueException",
      `The execution role ${roleArn} of ${functionName} lacks ${[...missing].join(", ")} on ${resource}${key}; grant it.`,
    );
  }

  /** Starts mappings and takes up unfinished asynchronous events; call it when every resource is there. */
  activate(): void {
    this.active = true;
    this.asynchronous.resume();
    for (const { config, poller } of this.mappings.values()) if (config.enabled) poller.start();
  }

  /** Ends open batching windows now, for a caller that wants to see everything settled. */
  flush(): void {
    for (const { poller } of this.mappings.values()) poller.flush();
  }

  /** No event source has work and no asynchronous event is unfinished. */
  idle(): boolean {
    return this.asynchronous.pending() === 0 && [...this.mappings.values()].every(({ poller }) => poller.idle());
  }

  async end(): Promise<void> {
    const stopping = [...this.mappings.values()].map(({ poller }) => poller.end());
    const async = this.asynchronous.end();
    await this.pool.end();
    await Promise.all([...stopping, async]);
  }

  /**
   * Invokes for another service, whose right to do so is a statement of the function's resource policy.
   * @throws AwsError AccessDeniedException when there is none.
   */
  invokeAsService(
    functionArn: string,
    payload: string,
    caller: { principal: string; sourceArn: string },
    traceId?: string,
  ): Promise<InvokeResult> {
    const { name } = this.resolve(functionArn);
    this.checkPermission(functionArn, caller.principal, caller.sourceArn);
    return this.pool.invoke(name, payload, { qualifiedArn: functionArn, ...(traceId === undefined ? {} : { traceId }) });
  }

  /** Delivery target: accepts an asynchronous event; a service needs a statement of the function's resource policy. */
  deliver(functionArn: string, payload: string, options: DeliverOptions = {}): Promise<void> {
    const { name } = this.resolve(functionArn);
    if (options.servicePrincipal !== undefined)
      this.checkPermission(functionArn, options.servicePrincipal, options.sourceArn ?? "");
    this.asynchronous.accept(name, payload);
    return Promise.resolve();
  }

  private checkPermission(functionArn: string, principal: string, sourceArn: string): void {
    const { name, qualifier } = this.resolve(functionArn);
    const statements = this.permissionsByFunction.get(name) ?? [];
    const allowed = statements.some(
      (statement) =>
        ["lambda:InvokeFunction", "lambda:*"].includes(statement.action) &&
        (statement.principal === principal || statement.principal === "*") &&
        (statement.qualifier ?? "$LATEST") === qualifier &&
        (statement.sourceArn === undefined || arnLike(statement.sourceArn, sourceArn)),
    );
    if (!allowed) {
      throw new AwsError(
        "AccessDeniedException",
        `${principal} (${sourceArn}) is not authorized to perform lambda:InvokeFunction on ${functionArn}: no aws.lambda.Permission allows it.`,
        403,
      );
    }
  }

  /** Name and qualifier of a function given as name, `name:qualifier`, partial or full ARN. @throws AwsError when there is no such function or version. */
  resolve(reference: string, qualifier?: string): { readonly name: string; readonly qualifier: string } {
    const match =
      /^(?:(?:arn:aws[a-z-]*:lambda:[a-z0-9-]+:)?\d{12}:function:|function:)?([A-Za-z0-9_-]+)(?::([$A-Za-z0-9_-]+))?$/.exec(
        reference,
      );
    const name = match?.[1] ?? reference;
    const state = this.functionState(name);
    const chosen = qualifier ?? match?.[2] ?? "$LATEST";
    const isKnown = chosen === "$LATEST" || chosen === state.config.version || this.aliases.has(`${name}:${chosen}`);
    if (!isKnown) throw new AwsError("ResourceNotFoundException", `Function not found: ${state.config.arn}:${chosen}`, 404);
    return { name, qualifier: chosen };
  }

  private functionState(name: string) {
    const state = this.pool.get(name);
    if (state !== undefined) return state;
    throw new AwsError(
      "ResourceNotFoundException",
      `Function not found: arn:aws:lambda:${this.context.region}:${this.context.accountId}:function:${name}`,
      404,
    );
  }

  actionOf(request: Pick<AwsRequest, "method" | "url">): string {
    return routeOf(request.method, request.url).action;
  }

  permissions(request: AwsRequest): readonly Permission[] {
    const route = routeOf(request.method, request.url);
    const action = route.action === "Invoke" ? "lambda:InvokeFunction" : `lambda:${route.action}`;
    const base = `arn:aws:lambda:${this.context.region}:${this.context.accountId}`;
    if (route.functionName === undefined) return [{ action, resource: "*" }];
    const name = route.functionName.split(":function:").at(-1) ?? route.functionName;
    const qualifier = request.url.searchParams.get("Qualifier");
    return [{ action, resource: `${base}:function:${name}${qualifier === null ? "" : `:${qualifier}`}` }];
  }

  async handle(request: AwsRequest): Promise<AwsResponse> {
    const route = routeOf(request.method, request.url);
    return route.action === "Invoke" ? this.handleInvoke(request, route) : json(this.read(request, route));
  }

  private async handleInvoke(request: AwsRequest, route: Route): Promise<AwsResponse> {
    const { name, qualifier } = this.resolve(route.functionName ?? "", request.url.searchParams.get("Qualifier") ?? undefined);
    const { config } = this.functionState(name);
    const payload = request.body.length === 0 ? "{}" : request.body.toString();
    try {
      JSON.parse(payload);
    } catch (error) {
      throw new AwsError("InvalidRequestContentException", `Could not parse request body into json: ${errorOf(error)}`);
    }
    const type = request.headers["x-amz-invocation-type"] ?? "RequestResponse";
    if (type === "DryRun") return { status: 204, body: "" };
    if (type === "Event") {
      if (request.body.length > maxAsyncBytes) {
        throw new AwsError(
          "RequestEntityTooLargeException",
          `${request.body.length} byte payload is too large for the Event invocation type (limit ${maxAsyncBytes} bytes)`,
          413,
        );
      }
      return { status: 202, headers: { "x-amzn-requestid": this.asynchronous.accept(name, payload) }, body: "" };
    }
    if (type !== "RequestResponse")
      throw new AwsError("InvalidParameterValueException", `InvocationType ${type}: expected RequestResponse, Event or DryRun.`);
    const result = await this.pool.invoke(name, payload, {
      qualifiedArn: qualifier === "$LATEST" ? config.arn : `${config.arn}:${qualifier}`,
    });
    return {
      status: 200,
      headers: {
        "content-type": "application/json",
        "x-amzn-requestid": result.requestId,
        "x-amz-executed-version": this.aliases.get(`${name}:${qualifier}`)?.version ?? qualifier,
        ...(result.functionError === undefined ? {} : { "x-amz-function-error": result.functionError }),
        ...(request.headers["x-amz-log-type"] === "Tail"
          ? { "x-amz-log-result": Buffer.from(result.logTail).toString("base64") }
          : {}),
      },
      body: result.payload,
    };
  }

  private read(request: AwsRequest, route: Route): unknown {
    const { searchParams } = request.url;
    switch (route.action) {
      case "ListFunctions":
        return { Functions: this.pool.names().map((name) => describeFunction(this.functionState(name))) };
      case "ListEventSourceMappings": {
        const source = searchParams.get("EventSourceArn");
        const target = searchParams.get("FunctionName");
        const name = target === null ? undefined : this.resolve(target).name;
        const all = [...this.mappings.values()].map(({ config }) => config);
        const found = all.filter(
          (config) => (source === null || config.sourceArn === source) && (name === undefined || config.functionName === name),
        );
        return {
          EventSourceMappings: found.map((config) => describeMapping(config, this.functionState(config.functionName).config.arn)),
        };
      }
      case "GetEventSourceMapping": {
        const config = this.mappings.get(route.detail ?? "")?.config;
        if (config === undefined)
          throw new AwsError("ResourceNotFoundException", `The event source mapping ${route.detail} does not exist.`, 404);
        return describeMapping(config, this.functionState(config.functionName).config.arn);
      }
      default:
        return this.readFunction(route, searchParams.get("Qualifier") ?? undefined);
    }
  }

  private readFunction(route: Route, qualifier: string | undefined): unknown {
    const { name } = this.resolve(route.functionName ?? "", qualifier);
    const state = this.functionState(name);
    switch (route.action) {
      case "GetFunction":
        return {
          Configuration: describeFunction(state),
          Code: { RepositoryType: "local", Location: `file://${state.taskRoot}` },
          ...(state.config.reservedConcurrency === undefined
            ? {}
            : { Concurrency: { ReservedConcurrentExecutions: state.config.reservedConcurrency } }),
        };
      case "GetFunctionConfiguration":
        return describeFunction(state);
      case "GetFunctionConcurrency":
        return state.config.reservedConcurrency === undefined
          ? {}
          : { ReservedConcurrentExecutions: state.config.reservedConcurrency };
      case "ListAliases":
        return {
          Aliases: [...this.aliases.values()]
            .filter((alias) => alias.functionName === name)
            .map((alias) => this.describeAlias(alias, state.config.arn)),
        };
      case "GetAlias": {
        const alias = this.aliases.get(`${name}:${route.detail}`);
        if (alias === undefined)
          throw new AwsError("ResourceNotFoundException", `Cannot find alias arn: ${state.config.arn}:${route.detail}`, 404);
        return this.describeAlias(alias, state.config.arn);
      }
      case "GetPolicy":
        return this.policy(name, state.config.arn);
      default:
        throw new AwsError("UnknownOperationException", `lambda:${route.action} is not supported by the local runtime.`, 404);
    }
  }

  private describeAlias(alias: { name: string; version: string; description: string }, functionArn: string) {
    return {
      Name: alias.name,
      FunctionVersion: alias.version,
      Description: alias.description,
      AliasArn: `${functionArn}:${alias.name}`,
    };
  }

  private policy(name: string, arn: string): unknown {
    const statements = this.permissionsByFunction.get(name) ?? [];
    if (statements.length === 0)
      throw new AwsError("ResourceNotFoundException", `No policy is associated with the given resource ${arn}.`, 404);
    const Statement = statements.map((statement) => ({
      Sid: statement.id,
      Effect: "Allow",
      Principal:
        statement.principal === "*" ? "*" : { [/^\d+$/.test(statement.principal) ? "AWS" : "Service"]: statement.principal },
      Action: statement.action,
      Resource: statement.qualifier === undefined ? arn : `${arn}:${statement.qualifier}`,
      ...(statement.sourceArn === undefined ? {} : { Condition: { ArnLike: { "AWS:SourceArn": statement.sourceArn } } }),
    }));
    return {
      Policy: JSON.stringify({ Version: "2012-10-17", Id: "default", Statement }),
      RevisionId: randomBytes(8).toString("hex"),
    };
  }
}

const json = (body: unknown): AwsResponse => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

/** ArnLike: `*` and `?` within the six colon-separated parts. */
export function arnLike(pattern: string, arn: string): boolean {
  const split = (text: string) => {
    const parts = text.split(":");
    return [...parts.slice(0, 5), parts.slice(5).join(":")];
  };
  const parts = split(arn);
  return split(pattern).every((part, index) => {
    const expression = part
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".");
    return new RegExp(`^${expression}$`).test(parts[index] ?? "");
  });
}
