import type { APIGatewayProxyEvent } from "aws-lambda";
import { accept } from "../scoring/core/accept";
import type { Validate } from "../scoring/core/json-schema";
import type { AnyProfile } from "../scoring/core/profile";
import type { BodyProblem, Refusal } from "./problems";
import { header, invalidInput, readJsonBody } from "./read-body";

export type RequestInput =
  | { readonly ok: true; readonly input: unknown; readonly idempotencyKey: string | null }
  | { readonly ok: false; readonly refusal: Refusal<BodyProblem | "invalid-input" | "invalid-idempotency-key"> };

/** No profile's input comes close; API Gateway itself stops at 10 MB. */
export const MAX_REQUEST_BYTES = 64 * 1024;
const MAX_DEPTH = 16;

/** 1 to 255 visible ASCII characters: what the IETF draft's string can hold without escapes, quoted or not. */
export const IDEMPOTENCY_KEY_SCHEMA = { type: "string", minLength: 1, maxLength: 255, pattern: "^[!-~]+$" } as const;
const IDEMPOTENCY_KEY = new RegExp(IDEMPOTENCY_KEY_SCHEMA.pattern);

const isIdempotencyKey = (text: string): boolean => text.length <= IDEMPOTENCY_KEY_SCHEMA.maxLength && IDEMPOTENCY_KEY.test(text);

/** Reads and checks everything that the caller sent. Never throws. */
export function readRequest(event: APIGatewayProxyEvent, profile: AnyProfile, validate: Validate): RequestInput {
  const idempotencyKey = header(event, "idempotency-key") ?? null;
  if (idempotencyKey !== null && !isIdempotencyKey(idempotencyKey)) {
    const detail = "Expected an Idempotency-Key of 1 to 255 visible ASCII characters without spaces.";
    return { ok: false, refusal: { kind: "invalid-idempotency-key", detail } };
  }
  const body = readJsonBody(event, { maxBytes: MAX_REQUEST_BYTES, maxDepth: MAX_DEPTH });
  if (!body.ok) return body;

  const accepted = accept(profile, validate, body.value);
  if (accepted.ok) return { ok: true, input: accepted.input, idempotencyKey };
  return { ok: false, refusal: invalidInput(accepted.problems) };
}
