/** One call: what becomes known of it while it is answered, and the metrics and the line of the access log that it leaves. */
import type { IncomingMessage } from "node:http";
import type { ApiDefinition, Match, Stage } from "./api";
import { type ContextValues, substitute } from "./context";
import type { Answer, GatewayError } from "./errors";
import type { ApiPorts } from "./ports";
import { type IncomingCall, requestTime } from "./proxy";

export interface Call {
  readonly request: IncomingMessage;
  readonly requestId: string;
  readonly traceId: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
}

export interface CallState {
  api?: ApiDefinition;
  stage?: Stage;
  match?: Match;
  apiKey?: IncomingCall["apiKey"];
  callerArn?: string;
  integrationMs?: number;
  error?: GatewayError;
}

export function contextValues(
  { request, requestId, receivedAt }: Call,
  { error, apiKey, integrationMs, match }: CallState,
  answer: Answer | undefined,
  latencyMs: number,
): ContextValues {
  return {
    "error.messageString": error === undefined ? "" : JSON.stringify(error.message),
    "error.responseType": error?.type ?? "",
    "error.validationErrorString": error?.validationErrors ?? "",
    httpMethod: request.method ?? "",
    "identity.apiKeyId": apiKey?.id ?? "",
    "identity.sourceIp": request.socket.remoteAddress ?? "127.0.0.1",
    "identity.userAgent": request.headers["user-agent"] ?? "",
    integrationLatency: integrationMs === undefined ? "" : String(Math.round(integrationMs)),
    requestId,
    requestTime: requestTime(receivedAt),
    resourcePath: match?.resourcePath ?? "",
    responseLatency: String(Math.round(latencyMs)),
    responseLength: String(answer?.body.length ?? 0),
    status: String(answer?.status ?? ""),
  };
}

/** @param latencyMs from the first byte of the request to the answer */
export function recordCall(
  ports: Pick<ApiPorts, "metric" | "writeLog">,
  call: Call,
  state: CallState,
  answer: Answer,
  latencyMs: number,
): void {
  const { api, stage, integrationMs } = state;
  if (api === undefined || stage === undefined) return;
  for (const dimensions of [{ ApiName: api.name }, { ApiName: api.name, Stage: stage.name }]) {
    ports.metric("Count", 1, "Count", dimensions);
    ports.metric("4XXError", answer.status >= 400 && answer.status < 500 ? 1 : 0, "Count", dimensions);
    ports.metric("5XXError", answer.status >= 500 ? 1 : 0, "Count", dimensions);
    ports.metric("Latency", latencyMs, "Milliseconds", dimensions);
    if (integrationMs !== undefined) ports.metric("IntegrationLatency", integrationMs, "Milliseconds", dimensions);
  }
  if (stage.accessLog === undefined) return;
  const line = substitute(stage.accessLog.format, contextValues(call, state, answer, latencyMs), "log");
  ports.writeLog(stage.accessLog.groupArn, `${api.id}-${stage.name}`, line);
}
