import type { Condition, PolicyDocument } from "../../core/policy-document";
import { FLAGGED_BURST } from "./features";

/**
 * `velocity_flag` below the bursts that set it by themselves: then it is the sender's verdict. Above them the counts are known, and the
 * thresholds alone decide.
 */
const SENDER_SAYS_FAST: Condition = {
  all: [
    { field: "velocity_flag", op: "==", value: 1 },
    {
      not: {
        any: [
          { field: "count_1m", op: ">=", value: FLAGGED_BURST.count_1m },
          { field: "count_5m", op: ">=", value: FLAGGED_BURST.count_5m },
          { field: "count_1h", op: ">=", value: FLAGGED_BURST.count_1h },
        ],
      },
    },
  ],
};

/**
 * A high amount, odd geography and high frequency together make 1 − 0.58³ = 0.805: three independent signs, each of which
 * alone (0.42) stays below the alert at 0.6, and two of which (0.66) exceed it. Impossible travel reaches it alone.
 */
export const FRAUD_POLICY: PolicyDocument = {
  version: "fraud-3",
  profile: "fraud",
  model: { kind: "rules-only" },
  thresholds: {
    high_amount: 1000,
    extreme_amount: 10_000,
    unusual_zscore: 4,
    unusual_amount: 100,
    travel_km: 300,
    travel_kmh: 900,
    burst_1m: FLAGGED_BURST.count_1m,
    burst_5m: FLAGGED_BURST.count_5m,
    burst_1h: FLAGGED_BURST.count_1h,
    spend_1h: 3000,
    testing_amount: 2,
    new_device_amount: 250,
  },
  rules: [
    {
      id: "high_amount",
      when: { field: "amount", op: ">=", value: "$high_amount" },
      weight: 0.42,
      text: "Amount {amount} is high",
    },
    {
      id: "extreme_amount",
      when: { field: "amount", op: ">=", value: "$extreme_amount" },
      weight: 0.3,
      text: "Amount {amount} is extreme",
    },
    {
      id: "unusual_amount",
      when: {
        all: [
          { field: "amount_zscore", op: ">=", value: "$unusual_zscore" },
          { field: "amount", op: ">=", value: "$unusual_amount" },
        ],
      },
      weight: 0.3,
      text: "Amount {amount} is {amount_ratio} times the user's mean",
    },
    {
      id: "location_mismatch",
      when: { field: "location_mismatch", op: "==", value: 1 },
      weight: 0.42,
      text: "The place does not fit the user",
    },
    {
      id: "impossible_travel",
      when: {
        all: [
          { field: "distance_km", op: ">=", value: "$travel_km" },
          { field: "speed_kmh", op: ">", value: "$travel_kmh" },
        ],
      },
      weight: 0.6,
      text: "Travelled {distance_km} km in {minutes_travelled} minutes",
    },
    {
      id: "high_velocity",
      when: {
        any: [
          { field: "count_1m", op: ">=", value: "$burst_1m" },
          { field: "count_5m", op: ">=", value: "$burst_5m" },
          { field: "count_1h", op: ">=", value: "$burst_1h" },
          SENDER_SAYS_FAST,
        ],
      },
      weight: 0.42,
      text: "Many transactions in a short time: {count_1m} in a minute, {count_1h} in an hour",
    },
    {
      id: "spending_burst",
      when: {
        all: [
          { field: "sum_1h", op: ">=", value: "$spend_1h" },
          { field: "count_1h", op: ">=", value: 3 },
        ],
      },
      weight: 0.3,
      text: "Spent {sum_1h} in {count_1h} transactions within an hour",
    },
    {
      id: "card_testing",
      when: {
        all: [
          { field: "amount", op: "<=", value: "$testing_amount" },
          { field: "count_5m", op: ">=", value: 3 },
        ],
      },
      weight: 0.35,
      text: "Small amounts in a row: {count_5m} transactions in five minutes",
    },
    {
      id: "new_device",
      when: {
        all: [
          { field: "new_device", op: "==", value: 1 },
          { field: "amount", op: ">=", value: "$new_device_amount" },
        ],
      },
      weight: 0.15,
      text: "Amount {amount} from a device not seen before",
    },
    { id: "night", when: { field: "is_night", op: "==", value: 1 }, weight: 0.05, text: "At hour {hour}, in the night" },
    // Rules on amounts don't fire without a rate, so the decision says that they could not be judged.
    {
      id: "currency_unknown",
      when: { field: "currency_unknown", op: "==", value: 1 },
      weight: 0,
      text: "The amount is in a currency without an exchange rate",
    },
  ],
  bands: [
    { name: "low", min: 0 },
    { name: "medium", min: 0.3 },
    { name: "high", min: 0.6, alert: true },
    { name: "critical", min: 0.85, alert: true },
  ],
};
