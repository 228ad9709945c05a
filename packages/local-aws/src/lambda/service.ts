/** Lambda on the shared endpoint: functions, their aliases, and who invokes them. */

import { messageOf } from "@risk/program-graph";
import type { AwsRequest, AwsResponse, AwsService, DeliverOptions, LocalContext, Part, Permission } from "../contracts";
import { AwsError } from "../contracts";
import { AsyncInvocations } from "./async-invocations";
import type { FunctionConfig, InvokeResult } from "./function-config";
import type { MappingConfig } from "./mapping";
import { EventSourceMappings } from "./mappings";
import { FunctionPool } from "./pool";
import { type LambdaPorts, systemTimers, type Timers } from "./ports";
import { ResourcePolicies, type ServiceCaller } from "./resource-policy";

interface LambdaOptions {
  readonly timers?: Timers;
  readonly maxProcesses?: number;
  /** First wait of a stream mapping before a retry; default 200 ms. */
  readonly retryMs?: number;
  readonly asyncRetryDelaysMs?: readonly number[];
}

/** A version or an alias of a function; `$LATEST` without one. */
interface Reference {
  readonly config: FunctionConfig;
  readonly qualifier: string;
}

const INVOKE = /^\/2015-03-31\/functions\/([^/]+)\/invocations\/?$/;

/** Name, `name:qualifier`, partial or full ARN. */
const REFERENCE =
  /^(?:(?:arn:aws[a-z-]*:lambda:[a-z0-9-]+:)?\d{12}:function:|function:)?([A-Za-z0-9_-]+)(?::([$A-Za-z0-9_-]+))?$/;

export class LambdaService implements AwsService, Part {
  readonly name = "lambda";
  readonly title = "functions";
  readonly pool: FunctionPool;
  readonly mappings: EventSourceMappings;
  /** Version by function and alias. */
  readonly aliases = new Map<string, Map<string, string>>();
  readonly policies = new ResourcePolicies();
  readonly asynchronous: AsyncInvocations;

  constructor(
    private readonly context: LocalContext,
    ports: LambdaPorts,
    options: LambdaOptions = {},
  ) {
    const timers = options.timers ?? systemTimers;
    this.pool = new FunctionPool(context, ports, options.maxProcesses);
    this.asynchronous = new AsyncInvocations(context, ports, this.pool, timers, options.asyncRetryDelaysMs);
    this.mappings = new EventSourceMappings({ context, ports, timers, pool: this.pool, retryMs: options.retryMs ?? 200 });
  }

  /**
   * Creates a function or changes it: new invocations run the new code and configuration. Its mappings follow.
   * @throws AwsError InvalidParameterValueException when the visibility timeout of a mapping's queue is shorter than the function's timeout.
   */
  async putFunction(config: FunctionConfig): Promise<void> {
    const own = this.mappings.of(config.name);
    for (const mapping of own) this.mappings.checkVisibility(mapping, config);
    const previous = this.pool.get(config.name)?.config;
    await this.pool.put(config);
    if (previous !== undefined && previous.roleArn !== config.roleArn)
      for (const mapping of own) await this.mappings.put(mapping, config);
  }

  /** Resource policy, aliases and asynchronous settings go too; mappings stay, without a function. */
  async deleteFunction(name: string): Promise<void> {
    await this.pool.remove(name);
    this.policies.forget(name);
    this.asynchronous.reset(name);
    this.aliases.delete(name);
  }

  /** @throws AwsError ResourceNotFoundException for a version that doesn't exist. */
  putAlias(functionName: string, alias: string, version: string): void {
    this.resolve(functionName, version);
    const known = this.aliases.get(functionName) ?? new Map();
    this.aliases.set(functionName, known.set(alias, version));
  }

  deleteAlias(functionName: string, alias: string): void {
    this.aliases.get(functionName)?.delete(alias);
  }

  /** @throws AwsError InvalidParameterValueException, ResourceNotFoundException, ResourceConflictException. */
  putMapping(config: MappingConfig): Promise<void> {
    return this.mappings.put(config, this.configOf(config.functionName));
  }

  /** Starts mappings and resumes unfinished asynchronous events; call it when every resource exists. */
  activate(): void {
    this.asynchronous.resume();
    this.mappings.activate();
  }

  /** Ends open batching windows now, for a caller that waits until everything has been processed. */
  flush(): void {
    this.mappings.flush();
  }

  /** No event source has work and no asynchronous event is unfinished. */
  idle(): boolean {
    return this.asynchronous.pending() === 0 && this.mappings.idle();
  }

  async end(): Promise<void> {
    const stopping = [this.mappings.end(), this.asynchronous.end()];
    await this.pool.end();
    await Promise.all(stopping);
  }

  /**
   * Invokes for another service, whose right to do so is a statement of the function's resource policy.
   * @throws AwsError AccessDeniedException when there is none.
   */
  async invokeAsService(functionArn: string, payload: string, caller: ServiceCaller, traceId: string): Promise<InvokeResult> {
    const { config, qualifier } = this.resolve(functionArn);
    this.policies.check(config.name, qualifier, caller);
    return this.pool.invoke(config.name, payload, { qualifiedArn: functionArn, traceId });
  }

  /** Delivery target: accepts an asynchronous event; a service needs a statement of the function's resource policy. */
  async deliver(functionArn: string, payload: string, options: DeliverOptions = {}): Promise<void> {
    const { config, qualifier } = this.resolve(functionArn);
    const { servicePrincipal, sourceArn = "" } = options;
    if (servicePrincipal !== undefined) this.policies.check(config.name, qualifier, { principal: servicePrincipal, sourceArn });
    this.asynchronous.accept(config.name, payload);
  }

  /** @throws AwsError ResourceNotFoundException when there is no such function, version or alias. */
  resolve(reference: string, qualifier?: string): Reference {
    const [, name = reference, named = "$LATEST"] = REFERENCE.exec(reference) ?? [];
    const config = this.configOf(name);
    const chosen = qualifier ?? named;
    const isKnown = chosen === "$LATEST" || chosen === config.version || this.aliases.get(name)?.has(chosen);
    if (!isKnown) throw new AwsError("ResourceNotFoundException", `Function not found: ${config.arn}:${chosen}`, 404);
    return { config, qualifier: chosen };
  }

  private configOf(name: string): FunctionConfig {
    const state = this.pool.get(name);
    if (state !== undefined) return state.config;
    throw new AwsError("ResourceNotFoundException", `Function not found: ${this.arnOf(name)}`, 404);
  }

  private arnOf(name: string): string {
    return `arn:aws:lambda:${this.context.region}:${this.context.accountId}:function:${name}`;
  }

  /** @throws AwsError UnknownOperationException that names method and path. */
  actionOf({ method, url }: Pick<AwsRequest, "method" | "url">): string {
    if (method === "POST" && INVOKE.test(url.pathname)) return "Invoke";
    throw new AwsError(
      "UnknownOperationException",
      `Lambda ${method} ${url.pathname} is not supported by the local runtime. Supported: Invoke. Change functions in the program instead.`,
      404,
    );
  }

  permissions({ url }: AwsRequest): readonly Permission[] {
    const { reference, qualifier } = target(url);
    const name = reference.split(":function:").at(-1) ?? reference;
    const resource = this.arnOf(qualifier === undefined ? name : `${name}:${qualifier}`);
    return [{ action: "lambda:InvokeFunction", resource }];
  }

  async handle(request: AwsRequest): Promise<AwsResponse> {
    this.actionOf(request);
    const { reference, qualifier: given } = target(request.url);
    const { config, qualifier } = this.resolve(reference, given);
    const payload = jsonText(request.body);
    const type = request.headers["x-amz-invocation-type"] ?? "RequestResponse";
    if (type === "Event" && qualifier === "$LATEST") {
      const requestId = this.asynchronous.accept(config.name, payload);
      return { status: 202, headers: { "x-amzn-requestid": requestId }, body: "" };
    }
    if (type !== "RequestResponse") {
      const supported = "only RequestResponse is supported here, and Event without a qualifier";
      throw new AwsError("InvalidParameterValueException", `InvocationType ${type}: ${supported}.`);
    }
    const result = await this.pool.invoke(config.name, payload, {
      qualifiedArn: qualifier === "$LATEST" ? config.arn : `${config.arn}:${qualifier}`,
    });
    return {
      status: 200,
      headers: {
        "content-type": "application/json",
        "x-amzn-requestid": result.requestId,
        "x-amz-executed-version": this.aliases.get(config.name)?.get(qualifier) ?? qualifier,
        ...(result.functionError === undefined ? {} : { "x-amz-function-error": result.functionError }),
        ...(request.headers["x-amz-log-type"] === "Tail"
          ? { "x-amz-log-result": Buffer.from(result.logTail).toString("base64") }
          : {}),
      },
      body: result.payload,
    };
  }
}

/** The function that an Invoke names. */
function target(url: URL): { readonly reference: string; readonly qualifier: string | undefined } {
  const [, name = ""] = INVOKE.exec(url.pathname) ?? [];
  return { reference: decodeURIComponent(name), qualifier: url.searchParams.get("Qualifier") ?? undefined };
}

/** @throws AwsError InvalidRequestContentException for a body that isn't JSON; an empty one is `{}`. */
function jsonText(body: Buffer): string {
  if (body.length === 0) return "{}";
  const text = body.toString();
  try {
    JSON.parse(text);
    return text;
  } catch (error) {
    throw new AwsError("InvalidRequestContentException", `Could not parse request body into json: ${messageOf(error)}`);
  }
}
