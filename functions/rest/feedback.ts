import type { Validate } from "../scoring/core/json-schema";
import { NDJSON, packLines } from "../shared/ndjson";
import { dateOf } from "../shared/object-keys";
import type { ObjectStore } from "../shared/object-store";
import { type Labels, readLabels } from "./feedback-labels";
import { FEEDBACK_PROBLEMS } from "./problems";
import { invalidInput, readJsonBody } from "./read-body";
import { answering, type RestHandler, type RouteTools } from "./route";

export interface FeedbackArgs extends RouteTools {
  readonly validate: Validate;
  /** The bucket whose `labels/` the warehouse loads. */
  readonly objects: Pick<ObjectStore, "putIfAbsent">;
}

/** Enough for 500 labels with the longest ids and every member, escapes included. */
const LIMITS = { maxBytes: 2 * 1024 * 1024, maxDepth: 4 };

const FEEDBACK = {
  problems: FEEDBACK_PROBLEMS,
  metrics: { latency: "FeedbackLatency", refused: "FeedbackRefused", errors: "FeedbackErrors" },
  log: { refused: "feedback_refused", failed: "feedback_failed" },
  unavailable: "The labels could not be stored. Send the same request again: labels are never counted twice.",
} as const;

/**
 * REST proxy event → labels as one object under `labels/`, or `application/problem+json`. Either all labels of a request are stored or
 * none. 202 means that they are stored; the warehouse has them after its next load. Sending the same request again writes nothing, so
 * callers repeat it when they got no answer or a 503.
 */
export function createFeedbackHandler(args: FeedbackArgs): RestHandler {
  const { validate, objects, log, metrics } = args;
  return answering(FEEDBACK, args, async ({ event, requestId, startedAt: now, headers }) => {
    const body = readJsonBody(event, LIMITS);
    if (!body.ok) return body.refusal;
    const read = readLabels(body.value, validate, now);
    if (!read.ok) return invalidInput(read.problems);
    const { records, duplicates, batchId } = read.labels;
    const repeated = (await store(read.labels, now)) === "exists";
    metrics.add("LabelsAccepted", "Count", repeated ? 0 : records.length);
    metrics.add("LabelsRepeated", "Count", repeated ? records.length + duplicates : duplicates);
    log.info("feedback_taken", { requestId, batchId, labels: records.length, duplicates, repeated });
    const taken = { accepted: records.length, duplicates, batchId, repeated };
    return { statusCode: 202, headers: { ...headers }, body: JSON.stringify(taken) };
  });

  async function store({ records, batchId }: Labels, now: number): Promise<"created" | "exists"> {
    const lines = await packLines(records.map((record) => JSON.stringify(record)));
    return objects.putIfAbsent(`labels/dt=${dateOf(now)}/${batchId}${NDJSON}`, lines);
  }
}
