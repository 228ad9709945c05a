import type { JsonSchema } from "../../core/json-schema";
import { CATEGORY_PATTERN } from "../category-text";

/** Body of `POST /score`. */
export const LEAD_SCHEMA: JsonSchema = {
  $id: "https://risk-scoring.example/schemas/lead.json",
  title: "Lead",
  description: "A sales lead to be scored from 0 to 100.",
  type: "object",
  required: ["companySize", "industry", "engagementMetrics"],
  additionalProperties: false,
  properties: {
    companySize: {
      type: "number",
      minimum: 0,
      maximum: 1e9,
      description: "Number of employees.",
      examples: [1200],
    },
    industry: {
      type: "string",
      minLength: 1,
      maxLength: 200,
      pattern: CATEGORY_PATTERN,
      description: "Industry of the company, in any spelling.",
      examples: ["technology"],
    },
    engagementMetrics: {
      type: "number",
      minimum: 0,
      maximum: 1e9,
      description: "Engagement points: visits, downloads and replies as the marketing system counts them.",
      examples: [64.5],
    },
  },
  examples: [{ companySize: 1200, industry: "technology", engagementMetrics: 64.5 }],
};
