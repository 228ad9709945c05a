import type { Problem } from "../core/types";

export interface RestAnswer {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** A refusal before it is bound to a request. */
export interface Refusal {
  readonly status: 400 | 409 | 413 | 415 | 422 | 500 | 503;
  /** Last part of `type`: `invalid-input`. */
  readonly kind: string;
  readonly detail: string;
  readonly errors?: readonly Problem[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** RFC 9457 `application/problem+json`; `instance` names the request, so that a caller can ask about it. */
export function problemAnswer(refusal: Refusal, requestId: string, headers: Readonly<Record<string, string>>): RestAnswer {
  return {
    statusCode: refusal.status,
    headers: { ...headers, ...refusal.headers, "Content-Type": "application/problem+json" },
    body: JSON.stringify({
      type: `urn:risk-scoring:problem:${refusal.kind}`,
      title: TITLES[refusal.status],
      status: refusal.status,
      detail: refusal.detail,
      instance: `urn:request:${requestId}`,
      ...(refusal.errors === undefined ? {} : { errors: refusal.errors }),
    }),
  };
}
