/**
 * Writes docs/openapi.json (OpenAPI 3.1) from the schemas with which gateway and functions check requests, and from the problems that they
 * return; part of `npm run docs`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PROBLEM_RESPONSES } from "../components/scoring-api/problem-responses";
import { EVENTS_ANSWER_SCHEMA, eventsSchema } from "../functions/rest/events-schema";
import { FEEDBACK_ANSWER_SCHEMA, FEEDBACK_SCHEMA } from "../functions/rest/feedback-schema";
import { inputNames } from "../functions/rest/input-names";
import {
  DECISION_PROBLEMS,
  EVENTS_PROBLEMS,
  FEEDBACK_PROBLEMS,
  PROBLEMS,
  type ProblemKind,
  SCORE_PROBLEMS,
} from "../functions/rest/problems";
import { IDEMPOTENCY_KEY_SCHEMA } from "../functions/rest/read-request";
import type { JsonSchema } from "../functions/scoring/core/json-schema";
import { MAX_KEY_LENGTH } from "../functions/scoring/core/key-text";
import type { AnyProfile } from "../functions/scoring/core/profile";
import { PROFILES } from "../functions/scoring/profiles";

/** The REST routes of the platform. */
const ROUTES: readonly { readonly path: string; readonly profile: AnyProfile }[] = [
  { path: "/score", profile: PROFILES.lead },
  { path: "/predict", profile: PROFILES.churn },
  { path: "/device", profile: PROFILES.device },
];

const PROBLEM: JsonSchema = {
  title: "Problem",
  description: "RFC 9457 problem details.",
  type: "object",
  required: ["type", "title"],
  properties: {
    type: { type: "string", description: "urn:risk-scoring:problem:<kind>, with the kinds listed under each status." },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string", description: "Only in the gateway's own problems, whose type is about:blank." },
    instance: { type: "string" },
    requestId: { type: "string" },
    errors: {
      type: "array",
      items: { type: "object", properties: { pointer: { type: "string" }, detail: { type: "string" } } },
    },
  },
};

/** What was decided, the same in every answer. */
const decisionProperties = (profile: AnyProfile): NonNullable<JsonSchema["properties"]> => ({
  score: {
    type: "number",
    minimum: 0,
    maximum: profile.scale.max,
    description: "To a millionth of the scale; the warehouse has it unrounded.",
  },
  band: { type: "string", description: "The policy's band that contains the score." },
  reasons: {
    type: "array",
    description: "What moved the score; the contributions add up to it.",
    items: {
      type: "object",
      required: ["code", "text", "contribution"],
      properties: { code: { type: "string" }, text: { type: "string" }, contribution: { type: "number" } },
    },
  },
  flags: { type: "array", items: { type: "string" } },
  modelVersion: { type: "string" },
  modelRole: {
    type: "string",
    enum: ["champion", "challenger", "fallback"],
    description: "Absent when the champion answered.",
  },
  modelFallback: {
    type: "array",
    description: "Models that should have answered, and why they could not; absent when there are none.",
    items: {
      type: "object",
      required: ["model", "reason"],
      properties: { model: { type: "string" }, reason: { type: "string" } },
    },
  },
  policyVersion: { type: "string" },
});

const DECIDED = ["score", "band", "reasons", "flags", "modelVersion", "policyVersion"] as const;

function answerSchema(profile: AnyProfile): JsonSchema {
  return {
    title: `${profile.id} score`,
    type: "object",
    required: ["id", inputNames(profile.id).id, ...DECIDED, "cached", "timestamp"],
    properties: {
      id: { type: "string", description: "Id of this score; feedback names it as event_id." },
      [inputNames(profile.id).id]: { type: "string", description: "Id of the input; equal inputs have equal ids." },
      ...decisionProperties(profile),
      cached: { type: "boolean", description: "True when an equal input was scored within the cache's lifetime." },
      timestamp: { type: "string", description: "When the input was scored, ISO 8601." },
      ...profile.answerSchema.properties,
    },
  };
}

/** The problems of the handler and of the gateway in front of it, by status. */
function refusals(kinds: readonly ProblemKind[]): Record<string, unknown> {
  const found = new Map<string, string[]>();
  const add = (status: string, when: string) => found.set(status, [...(found.get(status) ?? []), when]);
  for (const kind of kinds) add(String(PROBLEMS[kind].status), `\`${kind}\`: ${PROBLEMS[kind].when}`);
  for (const { statusCode, responseType, title } of PROBLEM_RESPONSES) {
    if (statusCode !== undefined) add(statusCode, `\`${responseType.toLowerCase()}\` (gateway): ${title}.`);
  }
  return Object.fromEntries(
    [...found]
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([status, when]) => [
        status,
        {
          description: when.join(" "),
          content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
        },
      ]),
  );
}

function operation(profile: AnyProfile): Record<string, unknown> {
  return {
    operationId: `${profile.id}Score`,
    summary: profile.description,
    parameters: [
      {
        name: "Idempotency-Key",
        in: "header",
        required: false,
        description: "The same key and body get the same answer; the same key with another body gets 422.",
        schema: IDEMPOTENCY_KEY_SCHEMA,
      },
    ],
    requestBody: { required: true, content: { "application/json": { schema: profile.schema } } },
    responses: {
      "200": { description: "The score.", content: { "application/json": { schema: answerSchema(profile) } } },
      ...refusals(SCORE_PROBLEMS),
    },
  };
}

function feedbackOperation(): Record<string, unknown> {
  return {
    operationId: "giveFeedback",
    summary: FEEDBACK_SCHEMA.description,
    requestBody: { required: true, content: { "application/json": { schema: FEEDBACK_SCHEMA } } },
    responses: {
      "202": {
        description: "The labels are stored; the warehouse has them after its next load.",
        content: { "application/json": { schema: FEEDBACK_ANSWER_SCHEMA } },
      },
      ...refusals(FEEDBACK_PROBLEMS),
    },
  };
}

/** Of a stack with the trigger rest. */
function eventsOperation(profile: AnyProfile): Record<string, unknown> {
  const schema = eventsSchema(profile.schema);
  return {
    operationId: "sendEvents",
    summary: schema.description,
    requestBody: { required: true, content: { "application/json": { schema } } },
    responses: {
      "202": {
        description: "At least one event is queued, and will be scored within seconds.",
        content: { "application/json": { schema: EVENTS_ANSWER_SCHEMA } },
      },
      ...refusals(EVENTS_PROBLEMS),
    },
  };
}

function decisionOperation(profile: AnyProfile): Record<string, unknown> {
  const schema: JsonSchema = {
    title: `${profile.id} decision`,
    type: "object",
    required: ["id", ...DECIDED, "timestamp"],
    properties: {
      id: { type: "string", description: "The event's." },
      ...decisionProperties(profile),
      timestamp: { type: "string", description: "When the event was scored, ISO 8601." },
    },
  };
  return {
    operationId: "getDecision",
    summary: "What was decided about an event, whichever way it came.",
    parameters: [
      {
        name: "id",
        in: "path",
        required: true,
        description: "transaction_id of the event, percent-encoded.",
        schema: { type: "string", minLength: 1, maxLength: MAX_KEY_LENGTH },
      },
    ],
    responses: {
      "200": { description: "The decision.", content: { "application/json": { schema } } },
      ...refusals(DECISION_PROBLEMS),
    },
  };
}

/** The OpenAPI 3.1 document as plain data. */
export function openApi(): Record<string, unknown> {
  return {
    openapi: "3.1.0",
    info: { title: "Risk scoring API", version: "1.0.0", license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    servers: [
      {
        url: "{apiUrl}",
        description: "apiUrl in the stack's outputs, or in .local/outputs.json on one machine.",
        variables: { apiUrl: { default: "https://example.execute-api.us-east-1.amazonaws.com/v1" } },
      },
    ],
    security: [{ apiKey: [] }],
    paths: {
      ...Object.fromEntries(ROUTES.map(({ path, profile }) => [path, { post: operation(profile) }])),
      "/feedback": { post: feedbackOperation() },
      "/events": { post: eventsOperation(PROFILES.fraud) },
      "/decisions/{id}": { get: decisionOperation(PROFILES.fraud) },
    },
    components: {
      schemas: { Problem: PROBLEM },
      securitySchemes: { apiKey: { type: "apiKey", in: "header", name: "x-api-key" } },
    },
  };
}

/** Writes the document below the project's root and returns its path. */
export function writeOpenApi(root: string = process.cwd()): string {
  const path = join(root, "docs", "openapi.json");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(openApi(), null, 2)}\n`);
  return path;
}

if (typeof require !== "undefined" && typeof module !== "undefined" && require.main === module) console.log(writeOpenApi());
