import { hashJson } from "../scoring/core/hash";
import type { Validate } from "../scoring/core/json-schema";
import { callersKey, type OnceTools, once } from "./once";
import { SCORE_PROBLEMS } from "./problems";
import { readRequest } from "./read-request";
import { answering, type RestHandler } from "./route";
import { type ScoreRequestArgs, scoreRequest } from "./score-request";

export type RestHandlerArgs = ScoreRequestArgs & OnceTools & { readonly validate: Validate };

const SCORING = {
  problems: SCORE_PROBLEMS,
  metrics: { latency: "ScoringLatency", refused: "Refused", errors: "ScoringErrors" },
  log: { refused: "refused", failed: "scoring_failed" },
  unavailable: "The score could not be made or recorded; nothing was stored. Try again.",
} as const;

/**
 * REST proxy event → score or `application/problem+json`. The request alone decides between 2xx and 4xx; 503 means that the score
 * could not be recorded anywhere. Nothing is stored on a 4xx.
 */
export function createRestHandler(args: RestHandlerArgs): RestHandler {
  const { profile, validate } = args;
  return answering(SCORING, args, async ({ event, requestId, headers }) => {
    const request = readRequest(event, profile, validate);
    if (!request.ok) return request.refusal;
    const { input, idempotencyKey } = request;
    const score = () => scoreRequest(input, requestId, headers, args);
    if (idempotencyKey === null) return score();
    return once(args, callersKey(event, profile.id, idempotencyKey), hashJson(profile.stored(input)), score);
  });
}
