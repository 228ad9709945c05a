import { randomUUID } from "node:crypto";
import type { APIGatewayProxyEvent } from "aws-lambda";
import type { Validate } from "../core/json-schema";
import type { Clock } from "../shared/clock";
import { describeError, type Log } from "../shared/log";
import type { Metrics } from "../shared/metrics";
import { gzipLines } from "../shared/ndjson";
import { dateOf } from "../shared/object-keys";
import type { ObjectStore } from "../shared/object-store";
import { type Labels, readLabels } from "./feedback-labels";
import type { RestHandler } from "./handler";
import { problemAnswer, type Refusal } from "./problem";
import { answerHeaders, invalidInput, readJsonBody } from "./read-body";

export interface FeedbackArgs {
  readonly validate: Validate;
  /** Of the bucket whose `labels/` the warehouse loads. */
  readonly objects: Pick<ObjectStore, "putIfAbsent">;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** 500 labels with the longest ids and every member, escapes included. */
const LIMITS = { maxBytes: 2 * 1024 * 1024, maxDepth: 4 };

/**
 * REST proxy event → labels as one object under `labels/`, or `application/problem+json`. All of a request's labels are stored or none.
 * 202 says that they are stored; the warehouse has them after its next load. The same request again writes nothing: whoever got
 * no answer, or a 503, sends it again.
 */
export function createFeedbackHandler({ validate, objects, clock, log, metrics }: FeedbackArgs): RestHandler {
  return async (event: APIGatewayProxyEvent) => {
    const now = clock.now();
    const requestId = event.requestContext?.requestId ?? randomUUID();
    const headers = answerHeaders(event, requestId);
    const refuse = (refusal: Refusal) => {
      metrics.add("FeedbackRefused", "Count", 1);
      log.info("feedback_refused", { requestId, status: refusal.status, kind: refusal.kind });
      return problemAnswer(refusal, requestId, headers);
    };
    try {
      const body = readJsonBody(event, LIMITS);
      if (!body.ok) return refuse(body.refusal);
      const read = readLabels(body.value, validate, now);
      if (!read.ok) return refuse(invalidInput(read.problems));
      const { records, duplicates, batchId } = read.labels;
      const repeated = (await store(read.labels, now)) === "exists";
      metrics.add("LabelsAccepted", "Count", repeated ? 0 : records.length);
      metrics.add("LabelsRepeated", "Count", repeated ? records.length + duplicates : duplicates);
      log.info("feedback_taken", { requestId, batchId, labels: records.length, duplicates, repeated });
      return {
        statusCode: 202,
        headers,
        body: JSON.stringify({ accepted: records.length, duplicates, batchId, repeated }),
      };
    } catch (error) {
      metrics.add("FeedbackErrors", "Count", 1);
      log.error("feedback_failed", { requestId, ...describeError(error) });
      const refusal: Refusal = {
        status: 503,
        kind: "unavailable",
        detail: "The labels could not be stored. Send the same request again: labels are never counted twice.",
        headers: { "Retry-After": "1" },
      };
      return problemAnswer(refusal, requestId, headers);
    } finally {
      metrics.add("FeedbackLatency", "Milliseconds", clock.now() - now);
      metrics.property("requestId", requestId);
      metrics.flush();
    }
  };

  async function store({ records, batchId }: Labels, now: number): Promise<"created" | "exists"> {
    const lines = await gzipLines(records.map((record) => JSON.stringify(record)));
    return objects.putIfAbsent(`labels/dt=${dateOf(now)}/${batchId}.ndjson.gz`, lines);
  }
}
