/** What a route answers instead of a result: RFC 9457 problems. Handlers answer from this table, and OpenAPI documents it. */
import type { Problem } from "../scoring/core/types";

export interface RestAnswer {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** By the last part of a problem's `type`. */
export const PROBLEMS = {
  "not-utf8": { status: 400, when: "The body is not UTF-8." },
  "not-json": { status: 400, when: "The body is not JSON." },
  invalid: {
    status: 400,
    when: "The body is JSON that is not accepted: nested too deep, a number beyond a double, a reserved name.",
  },
  "duplicate-name": { status: 400, when: "An object in the body has the same name twice." },
  "invalid-input": { status: 400, when: "The input does not fit the schema; errors names every problem." },
  "invalid-idempotency-key": { status: 400, when: "Idempotency-Key is not 1 to 255 visible ASCII characters." },
  "request-in-flight": {
    status: 409,
    when: "A request with this Idempotency-Key is being answered right now; repeat it after Retry-After.",
  },
  "unknown-decision": {
    status: 404,
    when: "No event of this id has been scored, or its result has expired. An event that was accepted is scored within seconds.",
  },
  "too-large": { status: 413, when: "The body is too large." },
  "unsupported-media-type": { status: 415, when: "Content-Type is not JSON in UTF-8, or Content-Encoding is not identity." },
  "idempotency-key-reused": { status: 422, when: "The Idempotency-Key was used with another body." },
  unavailable: { status: 503, when: "Nothing was accepted; send the same request again after Retry-After." },
} as const satisfies Readonly<Record<string, { readonly status: number; readonly when: string }>>;

export type ProblemKind = keyof typeof PROBLEMS;

const BODY_PROBLEMS = [
  "not-utf8",
  "not-json",
  "invalid",
  "duplicate-name",
  "too-large",
  "unsupported-media-type",
] as const satisfies readonly ProblemKind[];

/** What the scoring routes may answer; the compiler makes sure that the handler does. */
export const SCORE_PROBLEMS = [
  ...BODY_PROBLEMS,
  "invalid-input",
  "invalid-idempotency-key",
  "request-in-flight",
  "idempotency-key-reused",
  "unavailable",
] as const satisfies readonly ProblemKind[];

/** The same for `POST /feedback`. It needs no Idempotency-Key: the same labels are the same batch. */
export const FEEDBACK_PROBLEMS = [...BODY_PROBLEMS, "invalid-input", "unavailable"] as const satisfies readonly ProblemKind[];

/** The same for `POST /events`, whose ids make it idempotent. */
export const EVENTS_PROBLEMS = FEEDBACK_PROBLEMS;

/** The same for `GET /decisions/{id}`. */
export const DECISION_PROBLEMS = ["unknown-decision", "unavailable"] as const satisfies readonly ProblemKind[];

export type BodyProblem = (typeof BODY_PROBLEMS)[number];

/** Names of the statuses in RFC 9110. */
const TITLES: Readonly<Record<(typeof PROBLEMS)[ProblemKind]["status"], string>> = {
  400: "Bad Request",
  404: "Not Found",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  503: "Service Unavailable",
};

/** A refusal that isn't tied to a request yet. */
export interface Refusal<Kind extends ProblemKind = ProblemKind> {
  readonly kind: Kind;
  readonly detail: string;
  readonly errors?: readonly Problem[];
  /** Seconds after which the same request may succeed. */
  readonly retryAfterSeconds?: number;
}

/** `application/problem+json`; `instance` names the request, so that a caller can ask about it. */
export function problemAnswer(
  { kind, detail, errors, retryAfterSeconds }: Refusal,
  requestId: string,
  headers: Readonly<Record<string, string>>,
): RestAnswer {
  const { status } = PROBLEMS[kind];
  return {
    statusCode: status,
    headers: {
      ...headers,
      ...(retryAfterSeconds === undefined ? {} : { "Retry-After": String(retryAfterSeconds) }),
      "Content-Type": "application/problem+json",
    },
    body: JSON.stringify({
      type: `urn:risk-scoring:problem:${kind}`,
      title: TITLES[status],
      status,
      detail,
      instance: `urn:request:${requestId}`,
      ...(errors === undefined ? {} : { errors: errors.map(({ pointer, detail }) => ({ pointer, detail })) }),
    }),
  };
}
