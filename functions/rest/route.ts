/** What every route does around its work: answer headers, problems, metrics, and 503 for unexpected errors. */
import { randomUUID } from "node:crypto";
import type { APIGatewayProxyEvent } from "aws-lambda";
import type { Clock } from "../shared/clock";
import { describeError, type Log } from "../shared/log";
import type { Metrics } from "../shared/metrics";
import { type ProblemKind, problemAnswer, type Refusal, type RestAnswer } from "./problems";
import { answerHeaders } from "./read-body";

export type RestHandler = (event: APIGatewayProxyEvent) => Promise<RestAnswer>;

/** One request being processed. */
export interface Call {
  readonly event: APIGatewayProxyEvent;
  readonly requestId: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Headers of its answer. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Route<Kind extends ProblemKind> {
  /** The problems that it may answer; `unavailable` is always among them, since anything may fail. */
  readonly problems: readonly (Kind | "unavailable")[];
  /** Names of its metrics. */
  readonly metrics: { readonly latency: string; readonly refused: string; readonly errors: string };
  /** Names of its lines in the log. */
  readonly log: { readonly refused: string; readonly failed: string };
  /** Detail of the 503 that the caller gets. */
  readonly unavailable: string;
}

export interface RouteTools {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Seconds after which a caller may try again. */
export const RETRY_SECONDS = 1;

/** A handler that answers with the result of `work`, or with the problem that it refuses with: one that the route declares. */
export function answering<Kind extends ProblemKind>(
  route: Route<Kind>,
  { clock, log, metrics }: RouteTools,
  work: (call: Call) => Promise<RestAnswer | Refusal<NoInfer<Kind>>>,
): RestHandler {
  async function answer(call: Call): Promise<RestAnswer> {
    const { requestId, headers } = call;
    try {
      const result = await work(call);
      if (!("kind" in result)) return result;
      const refused = problemAnswer(result, requestId, headers);
      metrics.add(route.metrics.refused, "Count", 1);
      log.info(route.log.refused, { requestId, status: refused.statusCode, kind: result.kind });
      return refused;
    } catch (error) {
      metrics.add(route.metrics.errors, "Count", 1);
      log.error(route.log.failed, { requestId, ...describeError(error) });
      const refusal = { kind: "unavailable", detail: route.unavailable, retryAfterSeconds: RETRY_SECONDS } as const;
      return problemAnswer(refusal, requestId, headers);
    }
  }

  return async (event) => {
    const startedAt = clock.now();
    const requestId = event.requestContext?.requestId ?? randomUUID();
    const result = await answer({ event, requestId, startedAt, headers: answerHeaders(event, requestId) });
    metrics.add(route.metrics.latency, "Milliseconds", clock.now() - startedAt);
    metrics.property("requestId", requestId);
    metrics.property("status", result.statusCode);
    metrics.flush();
    return result;
  };
}
