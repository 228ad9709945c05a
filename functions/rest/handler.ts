import { randomUUID } from "node:crypto";
import type { APIGatewayProxyEvent } from "aws-lambda";
import { hashJson, sha256 } from "../core/hash";
import { describeError } from "../shared/log";
import { problemAnswer, type Refusal, type RestAnswer } from "./problem";
import { answerHeaders } from "./read-body";
import { readRequest } from "./read-request";
import { type ScoreRequestArgs, scoreRequest } from "./score-request";

export type RestHandlerArgs = ScoreRequestArgs;

export type RestHandler = (event: APIGatewayProxyEvent) => Promise<RestAnswer>;

/** Seconds after which a caller may try again. */
const RETRY_SECONDS = "1";

/**
 * REST proxy event → score or `application/problem+json`. What the caller sends decides between 2xx and 4xx only; 503 means
 * that the score could not be recorded anywhere. Nothing is stored on a 4xx.
 */
export function createRestHandler(args: RestHandlerArgs): RestHandler {
  const { profile, clock, log, metrics } = args;
  return async (event) => {
    const startedAt = clock.now();
    const requestId = event.requestContext?.requestId ?? randomUUID();
    const headers = answerHeaders(event, requestId);
    const finish = (answer: RestAnswer): RestAnswer => {
      metrics.add("ScoringLatency", "Milliseconds", clock.now() - startedAt);
      metrics.property("requestId", requestId);
      metrics.property("status", answer.statusCode);
      metrics.flush();
      return answer;
    };
    const refuse = (refusal: Refusal): RestAnswer => problemAnswer(refusal, requestId, headers);

    try {
      const request = readRequest(event, profile, args.validate);
      if (!request.ok) {
        metrics.add("Refused", "Count", 1);
        log.info("refused", { requestId, status: request.refusal.status, kind: request.refusal.kind });
        return finish(refuse(request.refusal));
      }
      const work = () => scoreRequest(request.input, requestId, headers, args);
      return finish(
        request.idempotencyKey === null
          ? await work()
          : await once(keyOf(event, profile.id, request.idempotencyKey), hashJson(profile.stored(request.input)), work, refuse),
      );
    } catch (error) {
      metrics.add("ScoringErrors", "Count", 1);
      log.error("scoring_failed", { requestId, ...describeError(error) });
      return finish(
        refuse({
          status: 503,
          kind: "unavailable",
          detail: "The score could not be made or recorded; nothing was stored. Try again.",
          headers: { "Retry-After": RETRY_SECONDS },
        }),
      );
    }
  };

  /** Runs `work` unless the key was used before. With the table down the work is done all the same: scores are deterministic. */
  async function once(
    key: string,
    bodyHash: string,
    work: () => Promise<RestAnswer>,
    refuse: (refusal: Refusal) => RestAnswer,
  ): Promise<RestAnswer> {
    const claim = await args.idempotency.claim(key, bodyHash).catch((error: unknown) => {
      metrics.add("StoreFailures", "Count", 1);
      log.warn("idempotency_unavailable", describeError(error));
      return null;
    });
    if (claim === null) {
      const answer = await work();
      return { ...answer, headers: { ...answer.headers, "X-Degraded": "idempotency" } };
    }
    switch (claim.kind) {
      case "answered": {
        const { status, headers, body } = claim.answer;
        return { statusCode: status, headers: { ...headers, "Idempotency-Replayed": "true" }, body };
      }
      case "other_body":
        return refuse({
          status: 422,
          kind: "idempotency-key-reused",
          detail: "This Idempotency-Key was used with another body; send a new key with a new body.",
        });
      case "in_flight":
        return refuse({
          status: 409,
          kind: "request-in-flight",
          detail: "A request with this Idempotency-Key is being answered; repeat it in a moment.",
          headers: { "Retry-After": RETRY_SECONDS },
        });
      case "claimed":
        break;
    }
    try {
      const answer = await work();
      const { statusCode: status, headers, body } = answer;
      await args.idempotency.answer(key, bodyHash, { status, headers, body }).catch((error: unknown) => {
        metrics.add("StoreFailures", "Count", 1);
        log.warn("idempotency_unavailable", describeError(error));
      });
      return answer;
    } catch (error) {
      await args.idempotency
        .release(key)
        .catch((failure: unknown) => log.warn("idempotency_unavailable", describeError(failure)));
      throw error;
    }
  }
}

/** One caller's keys are none of another's business. */
function keyOf(event: APIGatewayProxyEvent, profile: string, idempotencyKey: string): string {
  const identity = event.requestContext?.identity;
  const caller = identity?.apiKeyId ?? identity?.userArn ?? identity?.cognitoIdentityId ?? "";
  return sha256(JSON.stringify([profile, caller, idempotencyKey]));
}
