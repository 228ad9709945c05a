/** The Lambda proxy integration: request → event (payload format 1.0), and the function's result → response. */
import type { Match, Stage } from "./api";
import { type Call, requestTime } from "./call";
import type { Answer } from "./errors";

/** Where a call goes, and what it carries. */
interface Destination {
  readonly stage: Stage;
  readonly match: Match;
  readonly accountId: string;
  /** Below the stage, still encoded: `/score`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

/** Text bodies are UTF-8; invalid bytes arrive as U+FFFD, as behind the real gateway. */
export function proxyEvent(call: Call, to: Destination): Record<string, unknown> {
  const { request, headers, callerArn } = call;
  const { stage, match, accountId } = to;
  const multiValueHeaders: Record<string, string[]> = {};
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? "";
    multiValueHeaders[name] = [...(multiValueHeaders[name] ?? []), request.rawHeaders[index + 1] ?? ""];
  }
  multiValueHeaders["X-Amzn-Trace-Id"] = [call.traceId];
  multiValueHeaders["X-Forwarded-For"] = [call.sourceIp];
  multiValueHeaders["X-Forwarded-Proto"] = ["http"];
  const multiValueQuery: Record<string, string[]> = {};
  for (const [name, value] of to.query) multiValueQuery[name] = [...(multiValueQuery[name] ?? []), value];
  const last = (values: Record<string, string[]>) =>
    Object.fromEntries(Object.entries(values).map(([name, list]) => [name, list.at(-1) ?? ""]));
  const orNull = <T extends object>(value: T): T | null => (Object.keys(value).length === 0 ? null : value);
  return {
    resource: match.resourcePath,
    path: to.path,
    httpMethod: call.method,
    headers: last(multiValueHeaders),
    multiValueHeaders,
    queryStringParameters: orNull(last(multiValueQuery)),
    multiValueQueryStringParameters: orNull(multiValueQuery),
    pathParameters: orNull(match.parameters),
    stageVariables: null,
    requestContext: {
      resourceId: match.resourceId,
      resourcePath: match.resourcePath,
      httpMethod: call.method,
      extendedRequestId: call.requestId,
      requestTime: requestTime(call.receivedAt),
      path: `/${stage.name}${to.path}`,
      accountId,
      protocol: `HTTP/${request.httpVersion}`,
      stage: stage.name,
      domainPrefix: stage.deployed.id,
      requestTimeEpoch: call.receivedAt,
      requestId: call.requestId,
      identity: {
        cognitoIdentityPoolId: null,
        accountId: callerArn === undefined ? null : accountId,
        cognitoIdentityId: null,
        caller: callerArn ?? null,
        sourceIp: call.sourceIp,
        principalOrgId: null,
        accessKey: null,
        cognitoAuthenticationType: null,
        cognitoAuthenticationProvider: null,
        userArn: callerArn ?? null,
        userAgent: headers["user-agent"] ?? null,
        user: callerArn ?? null,
        ...(call.apiKey === undefined ? {} : { apiKey: call.apiKey.value, apiKeyId: call.apiKey.id }),
      },
      domainName: headers.host ?? "127.0.0.1",
      apiId: stage.deployed.id,
    },
    body: to.body.length === 0 ? null : to.body.toString(),
    isBase64Encoded: false,
  };
}

/** The response in a function's result; undefined when it is malformed (the caller gets a 502). */
export function proxyAnswer(payload: string): Answer | undefined {
  const value: unknown = JSON.parse(payload);
  if (typeof value !== "object" || value === null || !("statusCode" in value)) return undefined;
  const { statusCode, headers, multiValueHeaders, body, isBase64Encoded } = value as Readonly<Record<string, unknown>>;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 100 || status > 599) return undefined;
  if (body !== undefined && body !== null && typeof body !== "string") return undefined;
  if ([headers, multiValueHeaders].some((map) => map !== undefined && map !== null && typeof map !== "object")) return undefined;
  const all: Record<string, string | readonly string[]> = { "content-type": "application/json" };
  for (const [name, entry] of Object.entries(headers ?? {})) {
    if (!["string", "number", "boolean"].includes(typeof entry)) return undefined;
    all[name.toLowerCase()] = String(entry);
  }
  for (const [name, entries] of Object.entries(multiValueHeaders ?? {})) {
    if (!Array.isArray(entries)) return undefined;
    all[name.toLowerCase()] = entries.map(String);
  }
  // The gateway sets these itself.
  for (const name of ["connection", "content-length", "transfer-encoding", "date"]) delete all[name];
  return {
    status,
    headers: all,
    body: Buffer.from(typeof body === "string" ? body : "", isBase64Encoded === true ? "base64" : "utf8"),
  };
}
