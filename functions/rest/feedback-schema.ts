/** Body of `POST /feedback`. Plain data: Ajv, API Gateway, OpenAPI and the command line read the same object. */
import type { JsonSchema } from "../scoring/core/json-schema";
import { KEY_PATTERN, MAX_KEY_LENGTH } from "../scoring/core/key-text";

/** Labels per request: an object that the warehouse loads in one go, and a body far below the gateway's 10 MB. */
export const MAX_LABELS = 500;
/** Source of labels whose body doesn't name one. */
export const DEFAULT_SOURCE = "api";

/** The times with separators that `parseTimestamp` reads, except for the length of the months. */
const DATE = "(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])";
const HOUR = "([01][0-9]|2[0-3])";
const MINUTE = "[0-5][0-9]";
const TIME = `${HOUR}:${MINUTE}(:${MINUTE}([.,][0-9]{1,9})?)?`;

export const LABEL_SCHEMA: JsonSchema = {
  title: "Label",
  type: "object",
  required: ["event_id", "label"],
  additionalProperties: false,
  properties: {
    event_id: {
      type: "string",
      minLength: 1,
      maxLength: MAX_KEY_LENGTH,
      pattern: KEY_PATTERN,
      description: "The scored event: transaction_id of a transaction, id of a REST answer.",
      examples: ["txn-0b242abb"],
    },
    label: { type: "boolean", description: "True: it was fraud, the customer left, the lead bought.", examples: [true] },
    labelled_at: {
      type: "string",
      maxLength: 64,
      pattern: `^${DATE}([Tt ]${TIME}( ?(Z|z|[+-]${HOUR}(:?${MINUTE})?))?)?$`,
      description:
        "When the verdict was reached, ISO 8601, UTC unless it has an offset; not in the future. Default: when the label arrives.",
      examples: ["2026-03-20T09:30:00Z"],
    },
    source: {
      type: "string",
      maxLength: 64,
      pattern: "^[a-z][a-z0-9_-]*$",
      description: `Who says so. Default: ${DEFAULT_SOURCE}.`,
      examples: ["chargeback", "investigation", "crm"],
    },
  },
};

export const FEEDBACK_SCHEMA: JsonSchema = {
  $id: "urn:risk-scoring:schema:feedback",
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "Feedback",
  description:
    "What became of scored events. Repeating a label changes nothing; a verdict that flips is a label with a later time.",
  type: "object",
  required: ["labels"],
  additionalProperties: false,
  properties: { labels: { type: "array", minItems: 1, maxItems: MAX_LABELS, items: LABEL_SCHEMA } },
  examples: [
    {
      labels: [
        { event_id: "txn-0b242abb", label: true, labelled_at: "2026-03-20T09:30:00Z", source: "chargeback" },
        { event_id: "txn-77f1", label: false },
      ],
    },
  ],
};

/** Body of the answer, 202. */
export const FEEDBACK_ANSWER_SCHEMA: JsonSchema = {
  title: "Feedback taken",
  type: "object",
  required: ["accepted", "duplicates", "batchId", "repeated"],
  properties: {
    accepted: { type: "integer", description: "Different labels of the request." },
    duplicates: { type: "integer", description: "Labels that the request holds more than once." },
    batchId: { type: "string", description: "Name of the stored batch: equal labels have equal ids." },
    repeated: { type: "boolean", description: "True when the same labels had been taken before: nothing new was stored." },
  },
};
