import type { HeuristicSpec } from "../heuristic";

/** `min(100, companySize / 1000 × 30 + engagementMetrics × 0.7)`: the formula that sales agreed on. */
export const LEAD_HEURISTIC_1: HeuristicSpec = {
  version: "lead-heuristic-1",
  max: 100,
  terms: [
    { feature: "company_size", per: 1000, points: 30, label: "Company size" },
    { feature: "engagement", per: 1, points: 0.7, label: "Engagement" },
  ],
};
