/** What every route does with a request before it looks at the fields: media type, encoding, size, JSON. */
import type { APIGatewayProxyEvent } from "aws-lambda";
import type { Problem } from "../scoring/core/types";
import { duplicateName, type JsonLimits, parseJsonBytes } from "../shared/json-input";
import type { BodyProblem, Refusal } from "./problems";

export type RequestBody =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly refusal: Refusal<BodyProblem> };

/** The problem for each reason why a body can't be read. */
const UNREADABLE = {
  too_large: "too-large",
  not_utf8: "not-utf8",
  not_json: "not-json",
  duplicate_name: "duplicate-name",
  invalid: "invalid",
} as const;

/** Value of a header; its name is case-insensitive. */
export function header(event: Pick<APIGatewayProxyEvent, "headers">, name: string): string | undefined {
  for (const [key, value] of Object.entries(event.headers ?? {})) {
    if (key.toLowerCase() === name) return value;
  }
  return undefined;
}

/** Headers of every answer, so that a caller can trace a call. */
export function answerHeaders(event: Pick<APIGatewayProxyEvent, "headers">, requestId: string): Record<string, string> {
  const traceId = header(event, "x-amzn-trace-id");
  return {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    "X-Request-Id": requestId,
    ...(traceId === undefined ? {} : { "X-Amzn-Trace-Id": traceId, "X-Trace-Id": traceId }),
  };
}

/** The body's JSON value, or why there is none. Never throws. */
export function readJsonBody(event: APIGatewayProxyEvent, limits: JsonLimits): RequestBody {
  const refuse = (kind: BodyProblem, detail: string, errors?: readonly Problem[]): RequestBody => ({
    ok: false,
    refusal: { kind, detail, ...(errors === undefined ? {} : { errors }) },
  });

  const contentType = header(event, "content-type");
  if (contentType !== undefined && !isJson(contentType)) {
    return refuse("unsupported-media-type", "Expected Content-Type application/json in UTF-8; send the input as JSON.");
  }
  const encoding = header(event, "content-encoding");
  if (encoding !== undefined && encoding.trim().toLowerCase() !== "identity") {
    return refuse("unsupported-media-type", "Expected no Content-Encoding but identity; send the input uncompressed.");
  }
  const body = event.body ?? "";
  // A gateway that decodes the body itself puts U+FFFD where the bytes were not UTF-8.
  if (!event.isBase64Encoded && body.includes("\uFFFD")) {
    return refuse("not-utf8", "Expected a body in UTF-8, got bytes that are not UTF-8.");
  }
  const bytes = Buffer.from(body, event.isBase64Encoded ? "base64" : "utf8");
  const parsed = parseJsonBytes(bytes, limits);
  if (!parsed.ok) {
    const errors = parsed.reason === "invalid" ? [splitPointer(parsed.detail)] : undefined;
    const detail = parsed.reason === "duplicate_name" ? repeatedName(bytes) : parsed.detail;
    return refuse(UNREADABLE[parsed.reason], detail, errors);
  }
  return { ok: true, value: parsed.value };
}

/** Names the name, unlike quarantine lines: only the caller reads this. */
const repeatedName = (bytes: Buffer): string =>
  `Expected each name once, got "${duplicateName(bytes.toString("utf8"))?.slice(0, 64)}" twice in one object.`;

/** The refusal of an input with these problems. */
export function invalidInput(problems: readonly Problem[]): Refusal<"invalid-input"> {
  const [only] = problems;
  const detail =
    problems.length === 1 && only !== undefined ? only.detail : `The input has ${problems.length} problems; errors lists each.`;
  return { kind: "invalid-input", detail, errors: problems };
}

/** `application/json` or `application/…+json`, with no charset or UTF-8. */
function isJson(contentType: string): boolean {
  const [type = "", ...parameters] = contentType.toLowerCase().split(";");
  if (!/^application\/(?:[a-z0-9!#$&^_.-]+\+)?json$/.test(type.trim())) return false;
  return parameters.every((parameter) => {
    const [name = "", value = ""] = parameter.split("=");
    return name.trim() !== "charset" || /^"?utf-?8"?$/.test(value.trim());
  });
}

function splitPointer(detail: string): { readonly pointer: string; readonly detail: string } {
  const end = detail.indexOf(": ");
  return { pointer: detail.slice(0, end), detail: detail.slice(end + 2) };
}
