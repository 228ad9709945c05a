/** Body and answer of `POST /events`, and the answer of `GET /decisions/{id}`. */
import type { JsonSchema } from "../scoring/core/json-schema";

/** Events per request: with the longest fields a body far below the gateway's 10 MB. */
export const MAX_EVENTS = 500;

/** @param item schema of an event, for documents. Gateway and function check the list first, and then each event for itself. */
export const eventsSchema = (item?: JsonSchema): JsonSchema => ({
  $id: "urn:risk-scoring:schema:events",
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "Events",
  description:
    "Events to be scored one by one, as if they came through the stream. Each is accepted or refused for itself; an event that is sent again counts once.",
  type: "object",
  required: ["events"],
  additionalProperties: false,
  properties: {
    events: { type: "array", minItems: 1, maxItems: MAX_EVENTS, ...(item === undefined ? {} : { items: item }) },
  },
});

export const EVENTS_SCHEMA = eventsSchema();

/** Body of the answer, 202. */
export const EVENTS_ANSWER_SCHEMA: JsonSchema = {
  title: "Events taken",
  type: "object",
  required: ["accepted", "refused", "unavailable", "events"],
  properties: {
    accepted: { type: "integer", description: "Events that will be scored." },
    refused: { type: "integer", description: "Events that don't fit; sending them again is useless." },
    unavailable: { type: "integer", description: "Events that could not be queued; send them again after Retry-After." },
    events: {
      type: "array",
      description: "What became of each event, in the order of the request.",
      items: {
        type: "object",
        required: ["status"],
        properties: {
          status: { type: "string", enum: ["accepted", "refused", "unavailable"] },
          id: { type: "string", description: "For GET /decisions/{id}; absent when the event is refused." },
          errors: {
            type: "array",
            description: "Every problem of a refused event; pointers are relative to it.",
            items: { type: "object", properties: { pointer: { type: "string" }, detail: { type: "string" } } },
          },
        },
      },
    },
  },
};
