/** Serves the REST APIs of a program on one loopback port. */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { AwsError, type LocalContext, type Part, type Principal } from "../../contracts";
import { readBody } from "../../endpoint/port";
import type { SignedRequest } from "../../endpoint/signature-claim";
import { newTraceId } from "../../lambda/trace";
import { type Api, type ApiDefinition, type Match, matchRoute, type Stage } from "./api";
import { type Call, contextValues, recordCall } from "./call";
import { type Answer, GatewayError, renderError } from "./errors";
import type { Firewall } from "./firewall";
import type { ApiPorts } from "./ports";
import { proxyAnswer, proxyEvent } from "./proxy";
import { Usage } from "./usage";
import { validateRequest } from "./validation";

const MAX_BODY_BYTES = 10 * 1024 * 1024;

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
    const traceId = request.headers["x-amzn-trace-id"]?.toString() ?? newTraceId(receivedAt, false);
    const call: Call = {
      request,
      headers: plainHeaders(request),
      method: request.method ?? "GET",
      sourceIp: request.socket.remoteAddress ?? "127.0.0.1",
      requestId,
      traceId,
      receivedAt,
    };
    let answer: Answer;
    try {
      answer = await this.answer(call, await readBody(request, MAX_BODY_BYTES));
    } catch (error) {
      if (!(error instanceof GatewayError)) this.context.log(`REST API: ${String(error)}`);
      // What failed here, like a full disk, is the gateway's own fault: the caller gets an answer, not a broken connection.
      const known = error instanceof GatewayError ? error : new GatewayError("API_CONFIGURATION_ERROR");
      call.error = known;
      answer = renderError(call.api, known, contextValues(call, undefined, 0));
    }
    const latencyMs = performance.now() - started;
    const headers: Record<string, string | readonly string[]> = {
      ...answer.headers,
      "x-amzn-requestid": requestId,
      "x-amz-apigw-id": requestId.replaceAll("-", "").slice(0, 15),
      "x-amzn-trace-id": traceId,
      "content-length": String(answer.body.length),
    };
    // The rest of an unread body would be taken for the next request.
    if (answer.status === 413) headers.connection = "close";
    response.writeHead(
      answer.status,
      Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, typeof v === "string" ? v : [...v]])),
    );
    response.end(request.method === "HEAD" ? undefined : answer.body);
    recordCall(this.ports, call, answer, latencyMs);
  }

  /** `body` is undefined when it was longer than the gateway takes. */
  private async answer(call: Call, body: Buffer | undefined): Promise<Answer> {
    const { request, headers, method } = call;
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const { api, stage, path } = this.locate(url.pathname);
    call.api = api;
    call.stage = stage;
    // Before anything else of the API: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-aws-waf.html
    const blockedBy = this.firewalls.get(stage.arn)?.()?.({
      path: url.pathname,
      headers,
      bodyBytes: body?.length ?? Number.POSITIVE_INFINITY,
    });
    if (blockedBy !== undefined) {
      this.context.log(`${method} ${url.pathname}: blocked by ${blockedBy} of the web ACL.`);
      throw new GatewayError("WAF_FILTERED");
    }
    const match = matchRoute(api, method, path);
    if (match === undefined) throw new GatewayError("MISSING_AUTHENTICATION_TOKEN");
    call.match = match;
    // Only now that the API is known, since it may have a response of its own for this error.
    if (body === undefined) throw new GatewayError("REQUEST_TOO_LARGE");
    const sourceArn = `arn:aws:execute-api:${this.context.region}:${this.context.accountId}:${api.id}/${stage.name}/${method}${path}`;
    if (match.method.authorization === "AWS_IAM") {
      call.callerArn = await this.authorise({ method, target: request.url ?? "/", headers, body }, sourceArn);
    }
    const methodPath = `${match.resourcePath.replace(/^\//, "")}/${match.method.httpMethod}`;
    if (match.method.apiKeyRequired) call.apiKey = this.usage.admit(headers["x-api-key"], api.id, stage.name, `/${methodPath}`);
    this.usage.admitStage(api.id, stage, methodPath);
    validateRequest(api, match.method, { contentType: headers["content-type"], body: body.toString() });
    const event = proxyEvent(call, {
      stage,
      match,
      accountId: this.context.accountId,
      path,
      query: url.searchParams,
      body,
    });
    return this.integrate(call, api, match, event, sourceArn);
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

  private async authorise(request: SignedRequest, resource: string): Promise<string> {
    if (request.headers.authorization === undefined) throw new GatewayError("MISSING_AUTHENTICATION_TOKEN");
    let principal: Principal;
    try {
      principal = await this.ports.verify(request);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      throw new GatewayError("INVALID_SIGNATURE", error.message);
    }
    if (!this.ports.isAllowed(principal, "execute-api:Invoke", resource)) {
      throw new GatewayError(
        "ACCESS_DENIED",
        `User: ${principal.arn} is not authorized to perform: execute-api:Invoke on resource: ${resource}`,
      );
    }
    return principal.arn;
  }

  private async integrate(call: Call, api: ApiDefinition, match: Match, event: object, sourceArn: string): Promise<Answer> {
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
        this.ports.invoke(integration.functionArn, JSON.stringify(event), caller, call.traceId),
        timeout,
      ]);
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
      // A function takes 6 MB, the gateway 10 MB: a body in between is the caller's mistake, not the API's.
      if (error instanceof AwsError && error.code === "RequestEntityTooLargeException")
        throw new GatewayError("REQUEST_TOO_LARGE");
      this.context.log(`${match.method.httpMethod} ${match.resourcePath}: ${String(error)}`);
      throw new GatewayError("API_CONFIGURATION_ERROR");
    } finally {
      clearTimeout(timer);
      call.integrationMs = performance.now() - started;
    }
  }
}

/** Lower-case names, repeated headers joined. */
function plainHeaders(request: IncomingMessage): Record<string, string> {
  const entries = Object.entries(request.headers).map(
    ([name, value]) => [name, Array.isArray(value) ? value.join(",") : (value ?? "")] as const,
  );
  return Object.fromEntries(entries);
}
