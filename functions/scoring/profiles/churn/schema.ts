import type { JsonSchema } from "../../core/json-schema";

/** Body of `POST /predict`. */
export const CHURN_SCHEMA: JsonSchema = {
  $id: "https://risk-scoring.example/schemas/churn.json",
  title: "ChurnRequest",
  description: "A bank customer, as the twelve numbers that the churn model was fitted on.",
  type: "object",
  required: ["data"],
  additionalProperties: false,
  properties: {
    data: {
      type: "array",
      description:
        "CreditScore, Gender (male 1, female 0), Age (years), Tenure (years), Balance, NumOfProducts, HasCrCard (0 or 1), " +
        "IsActiveMember (0 or 1), EstimatedSalary, then the country as three 0-or-1 numbers: France, Germany, Spain.",
      minItems: 12,
      maxItems: 12,
      items: { type: "number", minimum: -1e12, maximum: 1e12 },
      examples: [[619, 0, 42, 2, 0, 1, 1, 1, 101348.88, 1, 0, 0]],
    },
  },
  examples: [{ data: [619, 0, 42, 2, 0, 1, 1, 1, 101348.88, 1, 0, 0] }],
};
