import { featureSet } from "../../core/features";
import { NO_COLUMNS, NO_FLAG_COLUMNS, type Profile } from "../../core/profile";
import { foldedText, visibleText } from "../../core/same-text";
import { LEAD_POLICY } from "./policy";
import { LEAD_SCHEMA } from "./schema";

export interface LeadInput {
  /** In employees. */
  readonly companySize: number;
  readonly industry: string;
  readonly engagementMetrics: number;
}

/** Industries that rules can name. Only append: archived features depend on the order. */
const INDUSTRIES = [
  "technology",
  "finance",
  "healthcare",
  "manufacturing",
  "retail",
  "education",
  "energy",
  "government",
  "media",
  "telecommunications",
  "transportation",
  "real estate",
  "hospitality",
  "professional services",
  "nonprofit",
] as const;

const INDUSTRY_INDEX = new Map<string, number>(INDUSTRIES.map((name, index) => [name, index]));

/** Sales leads over REST: points from 0 to 100 by a formula, with room for rules of the policy. */
export const LEAD: Profile<LeadInput, never> = {
  id: "lead",
  description: "Sales leads, scored from 0 to 100 by company size and engagement.",
  scale: { max: 100, combine: "additive" },
  schema: LEAD_SCHEMA,
  answerSchema: { type: "object", properties: {}, additionalProperties: false },
  features: featureSet([
    { name: "company_size", description: "Company size", unit: "employees" },
    { name: "engagement", description: "Engagement", unit: "points" },
    { name: "industry", description: "Industry", categories: INDUSTRIES },
  ]),
  defaultPolicy: LEAD_POLICY,
  stateful: false,
  keys: [],

  normalise(raw) {
    // The schema has established these types.
    return {
      companySize: raw.companySize as number,
      industry: visibleText(raw.industry as string),
      engagementMetrics: raw.engagementMetrics as number,
    };
  },
  check: () => [],
  eventId: () => null,
  occurredAtMs: () => null,
  userKey: () => null,
  extract(input, _state, out) {
    out[0] = input.companySize;
    out[1] = input.engagementMetrics;
    out[2] = INDUSTRY_INDEX.get(foldedText(input.industry)) ?? Number.NaN;
  },
  fold() {
    throw new Error('Profile "lead" keeps no state; check `stateful` before folding.');
  },
  stored: ({ companySize, industry, engagementMetrics }) => ({ companySize, industry, engagementMetrics }),
  flagColumns: NO_FLAG_COLUMNS,
  columns: () => NO_COLUMNS,
  answer: () => ({}),
};
