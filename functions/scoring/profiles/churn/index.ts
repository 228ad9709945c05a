import { featureSet } from "../../core/features";
import { problems } from "../../core/problems";
import { NO_COLUMNS, NO_FLAG_COLUMNS, type Profile } from "../../core/profile";
import { CHURN_POLICY } from "./policy";
import { CHURN_SCHEMA } from "./schema";

export interface ChurnInput {
  /** Names of the twelve numbers, in the order of the schema. */
  readonly data: readonly number[];
}

/** The contract's message for everything that isn't a list of twelve finite numbers. */
export const INVALID_CHURN_INPUT = "Invalid input. Expected a list of 12 numerical values.";

/** Threshold from which the answer is "Will Exit", if the policy names none. */
const DEFAULT_WILL_EXIT = 0.5;

/** Middle of the ages in the training data: squares around it are nearly independent of age itself. */
const AGE_CENTRE = 45;
/** Range of ages in the training data: beyond it the square would outgrow the linear term and reverse the effect. */
const MIN_AGE = 18;
const MAX_AGE = 92;

/** Bank customers over REST: probability that the customer leaves. */
export const CHURN: Profile<ChurnInput, never> = {
  id: "churn",
  description: "Bank customers, scored from 0 to 1 by the probability that they leave.",
  scale: { max: 1, combine: "noisy-or" },
  schema: CHURN_SCHEMA,
  answerSchema: {
    type: "object",
    required: ["result", "probability"],
    additionalProperties: false,
    properties: {
      result: {
        type: "string",
        enum: ["Will Exit", "Will Not Exit"],
        description: "Will Exit from the policy's threshold `will_exit` upwards.",
      },
      probability: {
        type: "number",
        minimum: 0,
        maximum: 1,
        description: "Probability that the customer leaves: the same as `score`.",
      },
    },
  },
  features: featureSet([
    { name: "credit_score", description: "Credit score" },
    { name: "male", description: "1 for male, 0 for female" },
    { name: "age", description: "Age", unit: "years" },
    { name: "tenure", description: "Years as a customer", unit: "years" },
    { name: "balance", description: "Balance of all accounts" },
    { name: "products", description: "Number of products" },
    { name: "has_card", description: "1 with a credit card" },
    { name: "active", description: "1 for an active member" },
    { name: "salary", description: "Estimated yearly salary" },
    { name: "france", description: "1 for France" },
    { name: "germany", description: "1 for Germany" },
    { name: "spain", description: "1 for Spain" },
    { name: "age_squared", description: "Squared distance of the age (18 to 92) from 45", unit: "years²" },
    { name: "has_balance", description: "1 when the balance is above 0", boolean: true },
    { name: "products_two", description: "1 with exactly two products", boolean: true },
    { name: "products_three_plus", description: "1 with three products or more", boolean: true },
    { name: "active_age", description: "Age above 45 of an active member, 0 of an inactive one", unit: "years" },
  ]),
  defaultPolicy: CHURN_POLICY,
  stateful: false,
  keys: [],

  // The schema has established the type.
  normalise: (raw) => ({ data: raw.data as readonly number[] }),
  check: () => [],
  describeErrors(errors, raw) {
    const unknown = errors.filter(({ keyword }) => keyword === "additionalProperties");
    const other = problems(unknown, raw);
    return unknown.length < errors.length ? [{ pointer: "/data", detail: INVALID_CHURN_INPUT }, ...other] : other;
  },
  eventId: () => null,
  occurredAtMs: () => null,
  userKey: () => null,
  extract({ data }, _state, out) {
    for (let index = 0; index < 12; index++) out[index] = data[index]!;
    const age = Math.min(Math.max(data[2]!, MIN_AGE), MAX_AGE) - AGE_CENTRE;
    const products = data[5]!;
    out[12] = age * age;
    out[13] = data[4]! > 0 ? 1 : 0;
    out[14] = products === 2 ? 1 : 0;
    out[15] = products >= 3 ? 1 : 0;
    out[16] = data[7]! * age;
  },
  fold() {
    throw new Error('Profile "churn" keeps no state; check `stateful` before folding.');
  },
  stored: ({ data }) => ({ data }),
  flagColumns: NO_FLAG_COLUMNS,
  columns: () => NO_COLUMNS,
  answer: (score, thresholds) => ({
    result: score >= (thresholds.will_exit ?? DEFAULT_WILL_EXIT) ? "Will Exit" : "Will Not Exit",
    probability: score,
  }),
};
