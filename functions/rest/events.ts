import { RECORD_LIMITS } from "../formats/decode";
import type { QueueSender } from "../shared/queue-sender";
import { messageBody } from "../stream/queue-message";
import { EVENTS_PROBLEMS, type RestAnswer } from "./problems";
import { invalidInput, readJsonBody } from "./read-body";
import { type ReadEvent, type ReadEventsArgs, readEvents } from "./read-events";
import { answering, type Call, RETRY_SECONDS, type RestHandler, type RouteTools } from "./route";

export interface EventsArgs extends RouteTools, ReadEventsArgs {
  readonly queue: QueueSender;
}

/** 500 transactions have about 200 KB; a record may be as deep as one of the stream. */
const LIMITS = { maxBytes: 2 * 1024 * 1024, maxDepth: RECORD_LIMITS.maxDepth + 2 };

const EVENTS = {
  problems: EVENTS_PROBLEMS,
  metrics: { latency: "EventsLatency", refused: "EventsRefused", errors: "EventsErrors" },
  log: { refused: "events_refused", failed: "events_failed" },
  unavailable: "The events could not be queued. Send the same request again: an event is never counted twice.",
} as const;

/** Why a request with valid events is answered with 503. */
class QueueUnavailableError extends Error {
  override readonly name = "QueueUnavailableError";
}

/**
 * REST proxy event → messages of the event queue, or `application/problem+json`. 202 says of each event what became of it; when none is
 * accepted, the answer is a problem. Sending an event again is harmless: its id says that it is the same.
 */
export function createEventsHandler(args: EventsArgs): RestHandler {
  const { queue, log, metrics } = args;
  return answering(EVENTS, args, async ({ event, requestId, startedAt, headers }) => {
    const body = readJsonBody(event, LIMITS);
    if (!body.ok) return body.refusal;
    const read = readEvents(body.value, startedAt, args);
    if (!read.ok) return invalidInput(read.problems);
    const unavailable = await send(read.events, requestId, queue);
    const statuses = read.events.map((one, index) => statusOf(one, unavailable.has(index)));
    const count = (status: EventStatus["status"]) => statuses.filter((one) => one.status === status).length;
    const counts = { accepted: count("accepted"), refused: count("refused"), unavailable: count("unavailable") };
    metrics.add("EventsAccepted", "Count", counts.accepted);
    metrics.add("EventsInvalid", "Count", counts.refused);
    metrics.add("EventsUnavailable", "Count", counts.unavailable);
    if (counts.accepted === 0) throw new QueueUnavailableError(`The queue took none of ${counts.unavailable} events.`);
    if (counts.unavailable > 0) metrics.add(EVENTS.metrics.errors, "Count", 1);
    log.info("events_taken", { requestId, ...counts });
    return answer({ ...counts, events: statuses }, headers);
  });
}

interface EventStatus {
  readonly status: "accepted" | "refused" | "unavailable";
  readonly id?: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

function statusOf(event: ReadEvent, isUnavailable: boolean): EventStatus {
  if (event.ok) return { status: isUnavailable ? "unavailable" : "accepted", id: event.id };
  return { status: "refused", errors: event.problems.map(({ pointer, detail }) => ({ pointer, detail })) };
}

/** @returns indexes of the events that the queue didn't take */
async function send(events: readonly ReadEvent[], requestId: string, queue: QueueSender): Promise<ReadonlySet<number>> {
  const valid = events.flatMap((event, index) => (event.ok ? [{ index, json: event.json }] : []));
  const bodies = valid.map(({ index, json }) => messageBody({ source: "rest", id: `${requestId}:${index}`, event: json }));
  const refused = await queue.send(bodies);
  return new Set(refused.map((position) => valid[position]?.index ?? -1));
}

interface Taken {
  readonly accepted: number;
  readonly refused: number;
  readonly unavailable: number;
  readonly events: readonly EventStatus[];
}

const answer = (taken: Taken, headers: Call["headers"]): RestAnswer => ({
  statusCode: 202,
  headers: { ...headers, ...(taken.unavailable === 0 ? {} : { "Retry-After": String(RETRY_SECONDS) }) },
  body: JSON.stringify(taken),
});
