/** One call: what becomes known about it on the way, and its metrics and access-log line. */
import type { IncomingMessage } from "node:http";
import type { ApiDefinition, Match, Stage } from "./api";
import { type ContextValues, substitute } from "./context";
import type { Answer, GatewayError } from "./errors";
import type { ApiPorts } from "./ports";
import type { ApiKey } from "./usage";

export interface Call {
  readonly request: IncomingMessage;
  /** Lower-case names, repeated headers joined. */
  readonly headers: Readonly<Record<string, string>>;
  readonly method: string;
  readonly sourceIp: string;
  readonly requestId: string;
  readonly traceId: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  api?: ApiDefinition;
  stage?: Stage;
  match?: Match;
  apiKey?: ApiKey;
  callerArn?: string;
  integrationMs?: number;
  error?: GatewayError;
}

export function contextValues(call: Call, answer: Answer | undefined, latencyMs: number): ContextValues {
  const { error, apiKey, integrationMs } = call;
  return {
    "error.messageString": error === undefined ? "" : JSON.stringify(error.message),
    "error.responseType": error?.type ?? "",
    "error.validationErrorString": error?.validationErrors ?? "",
    httpMethod: call.method,
    "identity.apiKeyId": apiKey?.id ?? "",
    "identity.sourceIp": call.sourceIp,
    "identity.userAgent": call.headers["user-agent"] ?? "",
    integrationLatency: integrationMs === undefined ? "" : String(Math.round(integrationMs)),
    requestId: call.requestId,
    requestTime: requestTime(call.receivedAt),
    resourcePath: call.match?.resourcePath ?? "",
    responseLatency: String(Math.round(latencyMs)),
    responseLength: String(answer?.body.length ?? 0),
    status: String(answer?.status ?? ""),
  };
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `09/Apr/2015:12:34:56 +0000`. */
export function requestTime(time: number): string {
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, "0");
  const clock = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(":");
  return `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:${clock} +0000`;
}

/** @param latencyMs from the first byte of the request to the response */
export function recordCall(ports: Pick<ApiPorts, "metric" | "writeLog">, call: Call, answer: Answer, latencyMs: number): void {
  const { api, stage, integrationMs } = call;
  if (api === undefined || stage === undefined) return;
  for (const dimensions of [{ ApiName: api.name }, { ApiName: api.name, Stage: stage.name }]) {
    ports.metric("Count", 1, "Count", dimensions);
    ports.metric("4XXError", answer.status >= 400 && answer.status < 500 ? 1 : 0, "Count", dimensions);
    ports.metric("5XXError", answer.status >= 500 ? 1 : 0, "Count", dimensions);
    ports.metric("Latency", latencyMs, "Milliseconds", dimensions);
    if (integrationMs !== undefined) ports.metric("IntegrationLatency", integrationMs, "Milliseconds", dimensions);
  }
  if (stage.accessLog === undefined) return;
  const line = substitute(stage.accessLog.format, contextValues(call, answer, latencyMs), "log");
  ports.writeLog(stage.accessLog.groupArn, `${api.id}-${stage.name}`, line);
}
