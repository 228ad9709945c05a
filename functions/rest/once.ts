/** `Idempotency-Key`: the same key and body give the same answer; the same key with another body is a problem. */
import type { APIGatewayProxyEvent } from "aws-lambda";
import { sha256 } from "../scoring/core/hash";
import { describeError, type Log } from "../shared/log";
import type { Metrics } from "../shared/metrics";
import type { IdempotencyStore } from "./ports";
import type { Refusal, RestAnswer } from "./problems";
import { RETRY_SECONDS } from "./route";

export interface OnceTools {
  readonly idempotency: IdempotencyStore;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** The key as stored: a hash that includes profile and caller, so that the keys of two callers never collide. */
export function callersKey(event: APIGatewayProxyEvent, profile: string, idempotencyKey: string): string {
  const identity = event.requestContext?.identity;
  const caller = identity?.apiKeyId ?? identity?.userArn ?? identity?.cognitoIdentityId ?? "";
  return sha256(JSON.stringify([profile, caller, idempotencyKey]));
}

/** Runs `work` unless the key was used before. If the table is down the work is done anyway: scores are deterministic. */
export async function once(
  { idempotency, log, metrics }: OnceTools,
  key: string,
  bodyHash: string,
  work: () => Promise<RestAnswer>,
): Promise<RestAnswer | Refusal<"idempotency-key-reused" | "request-in-flight">> {
  const unavailable = (error: unknown): null => {
    metrics.add("StoreFailures", "Count", 1);
    log.warn("idempotency_unavailable", describeError(error));
    return null;
  };
  const claim = await idempotency.claim(key, bodyHash).catch(unavailable);
  switch (claim?.kind) {
    case undefined: {
      const answer = await work();
      return { ...answer, headers: { ...answer.headers, "X-Degraded": "idempotency" } };
    }
    case "answered": {
      const { status, headers, body } = claim.answer;
      return { statusCode: status, headers: { ...headers, "Idempotency-Replayed": "true" }, body };
    }
    case "other_body":
      return {
        kind: "idempotency-key-reused",
        detail: "This Idempotency-Key was used with another body; send a new key with a new body.",
      };
    case "in_flight":
      return {
        kind: "request-in-flight",
        detail: "A request with this Idempotency-Key is being answered; repeat it in a moment.",
        retryAfterSeconds: RETRY_SECONDS,
      };
    case "claimed": {
      const answer = await work().catch(async (error: unknown) => {
        // The caller's retry must find the key free.
        await idempotency.release(key).catch(unavailable);
        throw error;
      });
      const { statusCode: status, headers, body } = answer;
      await idempotency.answer(key, bodyHash, { status, headers, body }).catch(unavailable);
      return answer;
    }
  }
}
