/** Serves the REST APIs of a program on one loopback port. */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { AwsError, type LocalContext, type Part, type Principal } from "../contracts.js";
import { newTraceId } from "../lambda/functions.js";
import { type Api, type ApiDefinition, type Match, matchRoute, type Stage } from "./api.js";
import { type ContextValues, substitute } from "./context.js";
import { type Answer, GatewayError, renderError } from "./errors.js";
import type { Firewall } from "./firewall.js";
import { type IncomingCall, proxyAnswer, proxyEvent, requestTime } from "./proxy.js";
import { Usage } from "./usage.js";
import { validateRequest } from "./validation.js";

export interface ApiPorts {
  /** Invokes with the right of a resource policy; rejects with an AwsError when there is none or the function is throttled. */
  readonly invoke: (
    functionArn: string,
    payload: string,
    caller: { readonly principal: string; readonly sourceArn: string },
    traceId: string,
  ) => Promise<{ readonly payload: string; readonly functionError: string | undefined; readonly requestId: string }>;
  /** Verifies a signature of service `execute-api`. @throws AwsError. */
  readonly verify: (request: {
    readonly method: string;
    readonly target: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Buffer;
  }) => Principal | Promise<Principal>;
  readonly isAllowed: (principal: Principal, action: string, resource: string) => boolean;
  readonly writeLog: (groupArn: string, stream: string, message: string) => void;
  readonly metric: (
    name: string,
    value: number,
    unit: "Count" | "Milliseconds",
    dimensions: Readonly<Record<string, string>>,
  ) => void;
}

const maxBodyBytes = 10 * 1024 * 1024;

/** What becomes known of a call while it is answered. */
interface CallState {
  api?: ApiDefinition;
  stage?: Stage;
  match?: Match;
  apiKey?: IncomingCall["apiKey"];
  callerArn?: string;
  integrationMs?: number;
  functionRequestId?: string;
  error?: GatewayError;
}

export class ApiGateway implements Part {
  readonly title = "REST APIs";
  readonly usage: Usage;
  /** By id, in the order of creation. */
  readonly apis = new Map<string, Api>();
  private server: Server | undefined;
  /** By the ARN of the stage. */
  private readonly firewalls = new Map<string, () => Firewall | undefined>();

  constructor(
    private readonly context: LocalContext,
    private readonly ports: ApiPorts,
    /** The port that URLs name; chosen before the program is evaluated. */
    readonly port: number,
  ) {
    this.usage = new Usage(context.db, () => context.clock.now());
  }

  /** Puts a web ACL in front of a stage. */
  protect(stageArn: string, firewall: () => Firewall | undefined): void {
    this.firewalls.set(stageArn, firewall);
  }

  unprotect(stageArn: string): void {
    this.firewalls.delete(stageArn);
  }

  async start(): Promise<void> {
    // A client that sends its request byte by byte is cut off.
    const server = createServer(
      { headersTimeout: 15_000, requestTimeout: 60_000, keepAliveTimeout: 5_000 },
      (request, response) => {
        this.serve(request, response).catch((error: unknown) => {
          this.context.log(`REST API: ${String(error)}`);
          response.destroy();
        });
      },
    );
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.port, "127.0.0.1", resolve);
    });
  }

  async end(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const receivedAt = this.context.clock.now();
    const started = performance.now();
    const requestId = randomUUID();
    const state: CallState = {};
    const traceId = request.headers["x-amzn-trace-id"]?.toString() ?? newTraceId(receivedAt, false);
    const call = { request, requestId, traceId, receivedAt };
    let answer: Answer;
    try {
      const body = await readBody(request);
      answer = await this.answer(call, body, state);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      state.error = error;
      answer = renderError(state.api, error, this.values(call, state, undefined, 0), String(request.headers.accept ?? ""));
    }
    const latencyMs = performance.now() - started;
    const headers: Record<string, string | readonly string[]> = {
      ...answer.headers,
      "x-amzn-requestid": requestId,
      "x-amz-apigw-id": requestId.replaceAll("-", "").slice(0, 15),
      "x-amzn-trace-id": traceId,
      "content-length": String(answer.body.length),
    };
    // A body that is not read to its end would be taken for the next request.
    if (answer.status === 413) headers.connection = "close";
    response.writeHead(
      answer.status,
      Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, typeof v === "string" ? v : [...v]])),
    );
    response.end(request.method === "HEAD" ? undefined : answer.body);
    this.account(call, state, answer, latencyMs);
  }

  /** `body` is undefined when it was longer than the gateway takes. */
  private async answer(call: Call, body: Buffer | undefined, state: CallState): Promise<Answer> {
    const { request } = call;
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const { api, stage, path } = this.locate(url.pathname);
    state.api = api;
    state.stage = stage;
    const headers = plainHeaders(request);
    // Before anything else of the API: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-aws-waf.html
    const blockedBy = this.firewalls.get(stage.arn)?.()?.({
      path: url.pathname,
      headers,
      bodyBytes: body?.length ?? Number.POSITIVE_INFINITY,
    });
    if (blockedBy !== undefined) {
      this.context.log(`${request.method} ${url.pathname}: blocked by ${blockedBy} of the web ACL.`);
      throw new GatewayError("WAF_FILTERED");
    }
    const method = request.method ?? "GET";
    const match = matchRoute(api, method, path);
    if (match === undefined) throw new GatewayError("MISSING_AUTHENTICATION_TOKEN");
    state.match = match;
    // Not before the API is known: its own response for this error is the answer.
    if (body === undefined) throw new GatewayError("REQUEST_TOO_LARGE");
    const sourceArn = `arn:aws:execute-api:${this.context.region}:${this.context.accountId}:${api.id}/${stage.name}/${method}${path}`;
    if (match.method.authorization === "AWS_IAM") {
      state.callerArn = await this.authorise({ method, target: request.url ?? "/", headers, body }, sourceArn);
    }
    const methodPath = `${match.resourcePath.replace(/^\//, "")}/${match.method.httpMethod}`;
    if (match.method.apiKeyRequired) state.apiKey = this.usage.admit(headers["x-api-key"], api.id, stage.name, `/${methodPath}`);
    this.usage.admitStage(api.id, stage, methodPath);
    validateRequest(api, match.method, {
      contentType: headers["content-type"],
      body: body.toString(),
      headers,
      query: url.searchParams,
    });
    const event = proxyEvent(api, stage, match, {
      requestId: call.requestId,
      method,
      path,
      rawHeaders: request.rawHeaders,
      headers,
      query: url.searchParams,
      body,
      sourceIp: request.socket.remoteAddress ?? "127.0.0.1",
      httpVersion: request.httpVersion,
      receivedAt: call.receivedAt,
      apiKey: state.apiKey,
      callerArn: state.callerArn,
      accountId: this.context.accountId,
      traceId: call.traceId,
    });
    return this.integrate(api, match, event, sourceArn, call.traceId, state);
  }

  /** `/<stage>/…` of the first API with that stage, or `/<api id>/<stage>/…`. */
  private locate(pathname: string): { api: ApiDefinition; stage: Stage; path: string } {
    const [, first = "", ...rest] = pathname.split("/");
    const named = this.apis.get(first);
    const [stageName, below] = named === undefined ? [first, rest] : [rest[0] ?? "", rest.slice(1)];
    const api = named ?? [...this.apis.values()].find(({ stages }) => stages.has(stageName));
    const stage = api?.stages.get(stageName);
    if (api === undefined || stage === undefined) throw new GatewayError("ACCESS_DENIED", "Forbidden");
    return { api: stage.deployed, stage, path: `/${below.join("/")}` };
  }

  private async authorise(request: Parameters<ApiPorts["verify"]>[0], resource: string): Promise<string> {
    const { headers } = request;
    if (headers.authorization === undefined && !request.target.includes("X-Amz-Signature="))
      throw new GatewayError("MISSING_AUTHENTICATION_TOKEN");
    let principal: Principal;
    try {
      principal = await this.ports.verify(request);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      throw new GatewayError(/expired/i.test(error.code) ? "EXPIRED_TOKEN" : "INVALID_SIGNATURE", error.message);
    }
    if (!this.ports.isAllowed(principal, "execute-api:Invoke", resource)) {
      throw new GatewayError(
        "ACCESS_DENIED",
        `User: ${principal.arn} is not authorized to perform: execute-api:Invoke on resource: ${resource}`,
      );
    }
    return principal.arn;
  }

  private async integrate(
    api: ApiDefinition,
    match: Match,
    event: object,
    sourceArn: string,
    traceId: string,
    state: CallState,
  ): Promise<Answer> {
    const integration = api.integrations.get(`${match.resourceId} ${match.method.httpMethod}`);
    if (integration === undefined) throw new GatewayError("API_CONFIGURATION_ERROR", "No integration defined for method");
    const started = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new GatewayError("INTEGRATION_TIMEOUT")), integration.timeoutMs);
    });
    try {
      const caller = { principal: "apigateway.amazonaws.com", sourceArn };
      const result = await Promise.race([
        this.ports.invoke(integration.functionArn, JSON.stringify(event), caller, traceId),
        timeout,
      ]);
      state.functionRequestId = result.requestId;
      const answer = result.functionError === undefined ? proxyAnswer(result.payload) : undefined;
      if (answer === undefined) {
        this.context.log(
          `${match.method.httpMethod} ${match.resourcePath}: the function's answer is ${result.functionError ?? "malformed"}: ${result.payload.slice(0, 300)}`,
        );
        throw new GatewayError("INTEGRATION_FAILURE");
      }
      return answer;
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      // A function takes 6 MB, the gateway 10 MB: what lies between is the caller's mistake, not the API's.
      if (error instanceof AwsError && error.code === "RequestEntityTooLargeException")
        throw new GatewayError("REQUEST_TOO_LARGE");
      this.context.log(`${match.method.httpMethod} ${match.resourcePath}: ${String(error)}`);
      throw new GatewayError("API_CONFIGURATION_ERROR");
    } finally {
      clearTimeout(timer);
      state.integrationMs = performance.now() - started;
    }
  }

  private values(call: Call, state: CallState, answer: Answer | undefined, latencyMs: number): ContextValues {
    const { request, requestId } = call;
    const pathname = new URL(request.url ?? "/", "http://127.0.0.1").pathname;
    const callerArn = state.callerArn ?? "";
    return {
      accountId: this.context.accountId,
      apiId: state.api?.id ?? "",
      domainName: request.headers.host ?? "",
      domainPrefix: state.api?.id ?? "",
      extendedRequestId: requestId,
      httpMethod: request.method ?? "",
      "identity.apiKey": state.apiKey?.value ?? "",
      "identity.apiKeyId": state.apiKey?.id ?? "",
      "identity.accountId": callerArn === "" ? "" : this.context.accountId,
      "identity.caller": callerArn,
      "identity.user": callerArn,
      "identity.userArn": callerArn,
      "identity.sourceIp": request.socket.remoteAddress ?? "127.0.0.1",
      "identity.userAgent": request.headers["user-agent"] ?? "",
      integrationLatency: state.integrationMs === undefined ? "" : String(Math.round(state.integrationMs)),
      "integration.latency": state.integrationMs === undefined ? "" : String(Math.round(state.integrationMs)),
      "integration.requestId": state.functionRequestId ?? "",
      awsEndpointRequestId: state.functionRequestId ?? "",
      "integration.status": state.functionRequestId === undefined ? "" : "200",
      integrationStatus: state.functionRequestId === undefined ? "" : "200",
      "integration.integrationStatus": state.functionRequestId === undefined ? "" : "200",
      integrationErrorMessage: state.error?.type.startsWith("INTEGRATION") ? state.error.message : "",
      "integration.error": state.error?.type.startsWith("INTEGRATION") ? state.error.message : "",
      "error.message": state.error?.message ?? "",
      "error.messageString": state.error === undefined ? "" : JSON.stringify(state.error.message),
      "error.responseType": state.error?.type ?? "",
      "error.validationErrorString": state.error?.validationErrors ?? "",
      path: pathname,
      protocol: `HTTP/${request.httpVersion}`,
      requestId,
      requestTime: requestTime(call.receivedAt),
      requestTimeEpoch: String(call.receivedAt),
      resourceId: state.match?.resourceId ?? "",
      resourcePath: state.match?.resourcePath ?? "",
      responseLatency: String(Math.round(latencyMs)),
      responseLength: String(answer?.body.length ?? 0),
      stage: state.stage?.name ?? "",
      status: String(answer?.status ?? ""),
      xrayTraceId: call.traceId,
    };
  }

  /** Metrics and the access log line. */
  private account(call: Call, state: CallState, answer: Answer, latencyMs: number): void {
    const { api, stage } = state;
    if (api === undefined || stage === undefined) return;
    for (const dimensions of [{ ApiName: api.name }, { ApiName: api.name, Stage: stage.name }]) {
      this.ports.metric("Count", 1, "Count", dimensions);
      this.ports.metric("4XXError", answer.status >= 400 && answer.status < 500 ? 1 : 0, "Count", dimensions);
      this.ports.metric("5XXError", answer.status >= 500 ? 1 : 0, "Count", dimensions);
      this.ports.metric("Latency", latencyMs, "Milliseconds", dimensions);
      if (state.integrationMs !== undefined)
        this.ports.metric("IntegrationLatency", state.integrationMs, "Milliseconds", dimensions);
    }
    if (stage.accessLog !== undefined) {
      const line = substitute(stage.accessLog.format, this.values(call, state, answer, latencyMs), "log");
      this.ports.writeLog(stage.accessLog.groupArn, `${api.id}-${stage.name}`, line);
    }
  }
}

interface Call {
  readonly request: IncomingMessage;
  readonly requestId: string;
  readonly traceId: string;
  readonly receivedAt: number;
}

/** Lower-case names, repeated headers joined. */
function plainHeaders(request: IncomingMessage): Record<string, string> {
  const entries = Object.entries(request.headers).map(
    ([name, value]) => [name, Array.isArray(value) ? value.join(",") : (value ?? "")] as const,
  );
  return Object.fromEntries(entries);
}

/** The whole body, or undefined when it is longer than the gateway takes. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes: Buffer = chunk;
    size += bytes.length;
    // Read on without keeping it: a client that is still sending would not see the answer.
    if (size <= maxBodyBytes) chunks.push(bytes);
  }
  return size > maxBodyBytes ? undefined : Buffer.concat(chunks);
}
