/** Those who send: producers of the stream, and callers of the API, who try again until they have an answer. */
import type { APIGatewayProxyEvent } from "aws-lambda";
import { eventsFunction, feedbackFunction, INCOMING, scoreFunction } from "./functions";
import { Process } from "./kernel/process";
import type { Arrival } from "./plan";
import type { World } from "./world";

const TRIES = 6;
const API_TIMEOUT_MS = 29_000;
const FUNCTION_TIMEOUT_MS = 30_000;

/** What callers were told: ids of scores with their profiles, and labels by their keys. */
export interface Accepted {
  readonly scores: Map<string, string>;
  readonly labels: Map<string, Set<boolean>>;
}

export interface Label {
  readonly event_id: string;
  readonly labelled_at: string;
  readonly label: boolean;
}

export const labelKey = ({ event_id, labelled_at }: Label): string => `${event_id} ${new Date(labelled_at).toISOString()}`;

export async function putRecord(world: World, arrival: Extract<Arrival, { kind: "record" }>): Promise<void> {
  const { partitionKey, data, label } = arrival;
  const producer = new Process("producer", world.scheduler, Number.POSITIVE_INFINITY, undefined);
  // The producer can't know what became of a put without an answer, so it may put the record twice.
  const put = () => {
    const { shardId, sequence } = world.stream.put(partitionKey, Buffer.from(data, "base64"));
    world.trace("stream", `${label} …${sequence.slice(-4)} in ${shardId}: ${Buffer.from(data, "base64").toString("latin1")}`);
  };
  await world.network
    .call(producer, { service: "kinesis", action: "PutRecord", writes: true, attempts: TRIES, timeoutMs: 5_000, effect: put })
    .catch(() => {});
}

type Events = Extract<Arrival, { kind: "events" }>;

/** Each event as an entry of its own; the producer may put one twice, like a record. */
export async function putEvents(world: World, { events }: Events): Promise<void> {
  const producer = new Process("producer", world.scheduler, Number.POSITIVE_INFINITY, undefined);
  for (const event of JSON.parse(events) as readonly object[]) {
    const Entries = [{ Source: "fraud.events", DetailType: INCOMING, Detail: JSON.stringify(event) }];
    const put = () => world.incoming.handle("PutEvents", { Entries });
    await world.network
      .call(producer, { service: "bus", action: "PutEvents", writes: true, attempts: TRIES, timeoutMs: 5_000, effect: put })
      .catch(() => {});
  }
}

/** What calls the API: everything but records of the stream and events of the bus. */
type Request = Extract<Arrival, { kind: "score" | "feedback" }> | Events;

export async function callApi(world: World, arrival: Request, accepted: Accepted): Promise<void> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const answer = await world.invoke(arrival.kind, FUNCTION_TIMEOUT_MS, (process) => {
      const event = requestOf(arrival, process.name);
      if (arrival.kind === "score") return scoreFunction(world.tools, process, arrival.profile)(event);
      const functionOf = arrival.kind === "events" ? eventsFunction : feedbackFunction;
      return functionOf(world.tools, process)(event);
    });
    const isLost = world.happens("api", "lost");
    if (answer !== undefined && !isLost) {
      if (answer.statusCode === 200) accepted.scores.set(String(JSON.parse(answer.body).id), arrival.kind);
      if (answer.statusCode === 202 && arrival.kind === "feedback") acceptLabels(arrival.body, accepted);
      if (answer.statusCode < 409) return;
    }
    await world.scheduler.sleep(answer === undefined ? API_TIMEOUT_MS : 5_000 * attempt);
  }
}

function acceptLabels(body: string, { labels }: Accepted): void {
  const given = (JSON.parse(body) as { readonly labels: readonly Label[] }).labels;
  for (const label of given) {
    const key = labelKey(label);
    const values = labels.get(key) ?? new Set();
    labels.set(key, values.add(label.label));
  }
}

const bodyOf = (arrival: Request): string => (arrival.kind === "events" ? `{"events":${arrival.events}}` : arrival.body);

function requestOf(arrival: Request, requestId: string): APIGatewayProxyEvent {
  const headers = { "Content-Type": "application/json", ...(arrival.kind === "score" ? { "Idempotency-Key": arrival.key } : {}) };
  const request: Partial<APIGatewayProxyEvent> = { headers, body: bodyOf(arrival), isBase64Encoded: false, httpMethod: "POST" };
  // Of the gateway's event, functions read headers, body and the request's id.
  return { ...request, requestContext: { requestId } } as APIGatewayProxyEvent;
}
