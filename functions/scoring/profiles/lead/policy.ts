import type { PolicyDocument } from "../../core/policy-document";

/** The formula alone decides; the bands match the routes of scored leads (over 80: logged, over 95: notified). */
export const LEAD_POLICY: PolicyDocument = {
  version: "lead-1",
  profile: "lead",
  model: { kind: "heuristic", name: "lead-heuristic-1" },
  thresholds: {},
  rules: [],
  bands: [
    { name: "low", min: 0 },
    { name: "medium", min: 40 },
    { name: "high", min: 80, alert: true },
    { name: "critical", min: 95, alert: true },
  ],
};
