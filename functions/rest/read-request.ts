import type { APIGatewayProxyEvent } from "aws-lambda";
import { accept } from "../core/accept";
import type { Validate } from "../core/json-schema";
import type { AnyProfile } from "../core/profile";
import { duplicateName, parseJsonBytes } from "../shared/json-input";
import type { Refusal } from "./problem";

export type RequestInput =
  | { readonly ok: true; readonly input: unknown; readonly idempotencyKey: string | null }
  | { readonly ok: false; readonly refusal: Refusal };

/** No profile's input comes near; API Gateway itself stops at 10 MB. */
const MAX_BYTES = 64 * 1024;
const MAX_DEPTH = 16;

/** 1 to 255 visible ASCII characters: what the IETF draft's string can hold without escapes, quoted or not. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** Value of a header, whatever the case of its name. */
export function header(event: Pick<APIGatewayProxyEvent, "headers">, name: string): string | undefined {
  for (const [key, value] of Object.entries(event.headers ?? {})) {
    if (key.toLowerCase() === name) return value;
  }
  return undefined;
}

/** Reads and judges everything the caller sent. Total: every input gets an answer. */
export function readRequest(event: APIGatewayProxyEvent, profile: AnyProfile, validate: Validate): RequestInput {
  const refuse = (status: Refusal["status"], kind: string, detail: string, errors?: Refusal["errors"]): RequestInput => ({
    ok: false,
    refusal: { status, kind, detail, ...(errors === undefined ? {} : { errors }) },
  });

  const contentType = header(event, "content-type");
  if (contentType !== undefined && !isJson(contentType)) {
    return refuse(415, "unsupported-media-type", "Expected Content-Type application/json in UTF-8; send the input as JSON.");
  }
  const idempotencyKey = header(event, "idempotency-key") ?? null;
  if (idempotencyKey !== null && !IDEMPOTENCY_KEY.test(idempotencyKey)) {
    return refuse(
      400,
      "invalid-idempotency-key",
      "Expected an Idempotency-Key of 1 to 255 visible ASCII characters without spaces.",
    );
  }

  const body = event.body ?? "";
  // A gateway that decodes the body itself leaves U+FFFD where the bytes were not UTF-8.
  if (!event.isBase64Encoded && body.includes("\uFFFD")) {
    return refuse(400, "not-utf8", "Expected a body in UTF-8, got bytes that are not UTF-8.");
  }
  const bytes = Buffer.from(body, event.isBase64Encoded ? "base64" : "utf8");
  const parsed = parseJsonBytes(bytes, { maxBytes: MAX_BYTES, maxDepth: MAX_DEPTH });
  if (!parsed.ok) {
    if (parsed.reason === "too_large") return refuse(413, "too-large", parsed.detail);
    const errors = parsed.reason === "invalid" ? [splitPointer(parsed.detail)] : undefined;
    return refuse(400, parsed.reason.replaceAll("_", "-"), parsed.detail, errors);
  }
  const repeated = duplicateName(bytes.toString("utf8"));
  if (repeated !== null) {
    return refuse(400, "duplicate-name", `Expected each name once, got "${repeated.slice(0, 64)}" twice in one object.`);
  }

  const accepted = accept(profile, validate, parsed.value);
  if (accepted.ok) return { ok: true, input: accepted.input, idempotencyKey };
  const [only] = accepted.problems;
  const detail =
    accepted.problems.length === 1 && only !== undefined
      ? only.detail
      : `The input has ${accepted.problems.length} problems; each is named in errors.`;
  return refuse(400, "invalid-input", detail, accepted.problems);
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
