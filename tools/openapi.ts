/**
 * Writes docs/openapi.json (OpenAPI 3.1) from the schemas that gateway and functions check requests with.
 * By hand: `node dist/tools/openapi.js`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { JsonSchema } from "../functions/core/json-schema";
import type { AnyProfile } from "../functions/core/profile";
import { PROFILES } from "../functions/profiles";
import { FEEDBACK_ANSWER_SCHEMA, FEEDBACK_SCHEMA } from "../functions/rest/feedback-schema";

/** The REST routes of the platform. */
const ROUTES: readonly { readonly path: string; readonly profile: AnyProfile }[] = [
  { path: "/score", profile: PROFILES.lead },
  { path: "/predict", profile: PROFILES.churn },
  { path: "/device", profile: PROFILES.device },
];

const ERRORS: Readonly<Record<string, string>> = {
  "400": "Invalid body; every problem is named.",
  "401": "Missing or invalid token (Cognito authorisation).",
  "403": "Missing or invalid API key, signature or permission.",
  "404": "No such route.",
  "413": "The body is too large.",
  "415": "Another media type than application/json.",
  "422": "The Idempotency-Key was used with another body.",
  "429": "Throttled, or over the daily quota; see Retry-After.",
  "500": "Unexpected error.",
  "503": "Scoring is not available for the moment.",
  "504": "Scoring did not answer in time.",
};

const PROBLEM: JsonSchema = {
  title: "Problem",
  description: "RFC 9457 problem details.",
  type: "object",
  required: ["type", "title"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string" },
    requestId: { type: "string" },
    errors: {
      type: "array",
      items: { type: "object", properties: { pointer: { type: "string" }, detail: { type: "string" } } },
    },
  },
};

function answerSchema(profile: AnyProfile): JsonSchema {
  return {
    title: `${profile.id} score`,
    type: "object",
    required: ["id", "score", "band", "reasons", "flags", "modelVersion", "policyVersion", "cached"],
    properties: {
      id: { type: "string", description: "Hash of the canonical input: equal inputs have equal ids." },
      score: { type: "number", minimum: 0, maximum: profile.scale.max },
      band: { type: "string", description: "Band of the policy that the score falls in." },
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
        description: "Present when not simply the champion answered.",
      },
      modelFallback: {
        type: "array",
        description: "Models that should have answered and why they could not; present when there are any.",
        items: {
          type: "object",
          required: ["model", "reason"],
          properties: { model: { type: "string" }, reason: { type: "string" } },
        },
      },
      policyVersion: { type: "string" },
      cached: { type: "boolean", description: "True when an equal input was scored within the cache's lifetime." },
      ...profile.answerSchema.properties,
    },
  };
}

const REFUSALS = Object.fromEntries(
  Object.entries(ERRORS).map(([status, description]) => [
    status,
    { description, content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } } },
  ]),
);

function operation(profile: AnyProfile): Record<string, unknown> {
  return {
    operationId: `${profile.id}Score`,
    summary: profile.description,
    parameters: [
      {
        name: "Idempotency-Key",
        in: "header",
        required: false,
        description: "Same key and body: same answer. Same key and another body: 422.",
        schema: { type: "string", maxLength: 255 },
      },
    ],
    requestBody: { required: true, content: { "application/json": { schema: profile.schema } } },
    responses: {
      "200": { description: "The score.", content: { "application/json": { schema: answerSchema(profile) } } },
      ...REFUSALS,
    },
  };
}

function feedbackOperation(): Record<string, unknown> {
  // Feedback needs no Idempotency-Key: the same labels are the same batch.
  const { "422": _, ...refusals } = REFUSALS;
  return {
    operationId: "giveFeedback",
    summary: FEEDBACK_SCHEMA.description,
    requestBody: { required: true, content: { "application/json": { schema: FEEDBACK_SCHEMA } } },
    responses: {
      "202": {
        description: "The labels are stored; the warehouse has them after its next load.",
        content: { "application/json": { schema: FEEDBACK_ANSWER_SCHEMA } },
      },
      ...refusals,
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
        description: "Output apiUrl of the stack, or of .local/outputs.json on one machine.",
        variables: { apiUrl: { default: "https://example.execute-api.us-east-1.amazonaws.com/v1" } },
      },
    ],
    security: [{ apiKey: [] }],
    paths: {
      ...Object.fromEntries(ROUTES.map(({ path, profile }) => [path, { post: operation(profile) }])),
      "/feedback": { post: feedbackOperation() },
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
