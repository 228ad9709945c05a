/**
 * How requests and errors look on the wire in each of AWS's protocols. Services speak parsed values; this is the one
 * place that knows `__type` and `<Error>`.
 */

import { isRecord, messageOf } from "@risk/program-graph";
import { AwsError, type AwsRequest, type AwsResponse } from "../contracts";

export type Protocol = "json" | "query" | "rest-json" | "rest-xml";

interface Recognised {
  readonly protocol: Protocol;
  /** Absent for REST services: they derive it from method and path. */
  readonly action: string | undefined;
}

/** Recognises the protocol of a request from what the client sent; `service` is the signing name. */
export function recognise(request: Pick<AwsRequest, "body" | "headers"> & { readonly service: string }): Recognised {
  if (request.service === "s3") return { protocol: "rest-xml", action: undefined };
  const target = request.headers["x-amz-target"];
  if (target !== undefined) return { protocol: "json", action: target.slice(target.lastIndexOf(".") + 1) };
  // Forms in, XML out. Of the services here, only STS is spoken to like that.
  if (request.service === "sts") return { protocol: "query", action: formOf(request).get("Action") ?? undefined };
  return { protocol: "rest-json", action: undefined };
}

/** Parameters of a request in the query protocol. */
export const formOf = ({ body }: Pick<AwsRequest, "body">): URLSearchParams => new URLSearchParams(body.toString("utf8"));

/** The JSON object of a request; `{}` for an empty body. Throws SerializationException. */
export function jsonBody(request: Pick<AwsRequest, "body">): Record<string, unknown> {
  if (request.body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(request.body.toString("utf8"));
  } catch (cause) {
    throw new AwsError("SerializationException", `The request body is not JSON: ${messageOf(cause)}`);
  }
  if (!isRecord(value)) throw new AwsError("SerializationException", "The request body must be a JSON object.");
  return value;
}

export function jsonResponse(body: unknown, contentType = "application/x-amz-json-1.1"): AwsResponse {
  return { status: 200, headers: { "content-type": contentType }, body: JSON.stringify(body) };
}

const XML_ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\r": "&#xD;",
};

export function xmlEscape(text: string): string {
  return text.replace(/[&<>"'\r]/g, (character) => XML_ENTITIES[character] ?? character);
}

/** Encodes an error in the given protocol. */
export function errorResponse(
  error: AwsError,
  context: { readonly protocol: Protocol; readonly requestId: string; readonly method: string },
): AwsResponse {
  const { protocol, requestId } = context;
  const fault = error.status >= 500 ? "Receiver" : "Sender";
  if (protocol === "rest-xml") {
    const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${xmlEscape(error.code)}</Code><Message>${xmlEscape(error.message)}</Message><RequestId>${requestId}</RequestId></Error>`;
    // S3's response to HEAD has no body: clients only see the status.
    return {
      status: error.status,
      headers: { "content-type": "application/xml" },
      ...(context.method === "HEAD" ? {} : { body }),
    };
  }
  if (protocol === "query") {
    const body = `<ErrorResponse><Error><Type>${fault}</Type><Code>${xmlEscape(error.code)}</Code><Message>${xmlEscape(error.message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
    return { status: error.status, headers: { "content-type": "text/xml" }, body };
  }
  const headers: Record<string, string> = {
    "content-type": protocol === "json" ? "application/x-amz-json-1.1" : "application/json",
    "x-amzn-errortype": error.code,
  };
  const body =
    protocol === "json"
      ? { __type: error.code, message: error.message }
      : { Type: fault === "Sender" ? "User" : "Service", message: error.message, Message: error.message };
  return { status: error.status, headers, body: JSON.stringify(body) };
}

/** The code that a service uses for a denied request, and its HTTP status. */
export function deniedCode(protocol: Protocol, service: string): { readonly code: string; readonly status: number } {
  if (service === "sns") return { code: "AuthorizationError", status: 403 };
  if (protocol === "query" || protocol === "rest-xml") return { code: "AccessDenied", status: 403 };
  if (protocol === "rest-json") return { code: "AccessDeniedException", status: 403 };
  return { code: "AccessDeniedException", status: 400 };
}
