import type { PolicyDocument } from "../../core/policy-document";

/** The fitted model alone decides; rules may be added for kinds of exits that the model has not seen. */
export const CHURN_POLICY: PolicyDocument = {
  version: "churn-1",
  profile: "churn",
  model: { kind: "logistic", name: "churn-logistic-1" },
  // Lowest score that is answered with "Will Exit".
  thresholds: { will_exit: 0.5 },
  rules: [],
  bands: [
    { name: "low", min: 0 },
    { name: "medium", min: 0.25 },
    { name: "high", min: 0.5, alert: true },
    { name: "critical", min: 0.8, alert: true },
  ],
};
