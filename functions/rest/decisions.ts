import type { APIGatewayProxyEvent } from "aws-lambda";
import { keyProblem, MAX_KEY_LENGTH } from "../scoring/core/key-text";
import type { AnyProfile } from "../scoring/core/profile";
import type { Decision } from "../scoring/core/types";
import { decisionMembers } from "./decision-answer";
import { DECISION_PROBLEMS } from "./problems";
import { answering, type RestHandler, type RouteTools } from "./route";

/** What is known about a scored event. */
export interface StoredDecision {
  readonly decision: Decision;
  /** ISO 8601. */
  readonly scoredAt: string;
}

export interface DecisionsArgs extends RouteTools {
  readonly profile: AnyProfile;
  readonly find: (eventId: string) => Promise<StoredDecision | null>;
}

const DECISIONS = {
  problems: DECISION_PROBLEMS,
  metrics: { latency: "DecisionLatency", refused: "DecisionRefused", errors: "DecisionErrors" },
  log: { refused: "decision_refused", failed: "decision_failed" },
  unavailable: "The decision could not be read. Send the same request again.",
} as const;

const UNKNOWN = {
  kind: "unknown-decision",
  detail: "No event of this id has been scored yet, or its result has expired.",
} as const;

/** `GET /decisions/{id}` → the decision on an event of the stream, whichever way it came; 404 until it is scored. */
export function createDecisionsHandler(args: DecisionsArgs): RestHandler {
  const { profile, find } = args;
  return answering(DECISIONS, args, async ({ event, headers }) => {
    const id = idIn(event);
    const found = id === null ? null : await find(id);
    if (id === null || found === null) return UNKNOWN;
    const answer = { id, ...decisionMembers(found.decision, profile), timestamp: found.scoredAt };
    return { statusCode: 200, headers: { ...headers }, body: JSON.stringify(answer) };
  });
}

/** The id in the path, which a REST API passes on as the caller encoded it; null when no event can have it. */
function idIn({ pathParameters }: Pick<APIGatewayProxyEvent, "pathParameters">): string | null {
  try {
    const id = decodeURIComponent(pathParameters?.id ?? "");
    return id !== "" && id.length <= MAX_KEY_LENGTH && keyProblem(id) === null ? id : null;
  } catch {
    return null;
  }
}
