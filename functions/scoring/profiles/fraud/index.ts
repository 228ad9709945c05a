import { coarse } from "../../core/geo";
import { isTimeZone } from "../../core/local-time";
import type { Profile } from "../../core/profile";
import { TIME_FORMS } from "../../core/timestamp";
import type { Problem } from "../../core/types";
import { extract, FRAUD_FEATURES, SLOT } from "./features";
import { type FraudInput, normalise, stored } from "./input";
import { FRAUD_POLICY } from "./policy";
import { FRAUD_SCHEMA } from "./schema";
import { type FraudState, fold } from "./state";

/** Transactions of a stream: probability of fraud from amount, place, frequency and habits. */
export const FRAUD: Profile<FraudInput, FraudState> = {
  id: "fraud",
  description: "Transactions, scored from 0 to 1 by amount, place, frequency and habits of the user.",
  scale: { max: 1, combine: "noisy-or" },
  schema: FRAUD_SCHEMA,
  answerSchema: { type: "object", properties: {}, additionalProperties: false },
  features: FRAUD_FEATURES,
  defaultPolicy: FRAUD_POLICY,
  stateful: true,
  keys: ["transaction_id", "user_id"],

  normalise,
  check,
  eventId: (input) => input.transactionId,
  occurredAtMs: (input) => input.occurredAtMs,
  userKey: (input) => input.userId,
  extract,
  fold,
  stored,
  flagColumns: {
    geo_flag: ["impossible_travel", "location_mismatch"],
    velocity_flag: ["high_velocity"],
    amount_flag: ["high_amount", "extreme_amount", "unusual_amount"],
    hour_flag: ["night"],
  },
  columns: (input, features) => ({
    amount: input.amount,
    currency: input.currency,
    category: input.category,
    country: input.country,
    latitude: input.latitude === null ? null : coarse(input.latitude),
    longitude: input.longitude === null ? null : coarse(input.longitude),
    distance_km: finite(features[SLOT.distance_km]!),
    speed_kmh: finite(features[SLOT.speed_kmh]!),
  }),
  answer: () => ({}),
};

const NO_PROBLEMS: readonly Problem[] = [];

/** Nothing of the record is quoted. */
function check({ occurredAtMs, timeZone, userId }: FraudInput): readonly Problem[] {
  const isZone = timeZone === null || isTimeZone(timeZone);
  if (Number.isFinite(occurredAtMs) && isZone && userId !== "") return NO_PROBLEMS;
  const problems: Problem[] = [];
  if (!Number.isFinite(occurredAtMs)) problems.push({ pointer: "/timestamp", detail: `${TIME_FORMS}.` });
  if (!isZone) problems.push({ pointer: "/time_zone", detail: "Expected a time zone such as America/Los_Angeles or +05:30." });
  if (userId === "") problems.push({ pointer: "/user_id", detail: "Expected an id that can be seen, got invisible characters." });
  return problems;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
