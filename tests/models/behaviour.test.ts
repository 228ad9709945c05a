import { describe, expect, it } from "vitest";
import { churn as validateChurn, fraud as validateFraud } from "#validators";
import { streamTraffic } from "../../cli/demo/traffic";
import { accept } from "../../functions/scoring/core/accept";
import type { CompiledPolicy } from "../../functions/scoring/core/policy";
import { score } from "../../functions/scoring/core/score";
import { CHURN } from "../../functions/scoring/profiles/churn";
import { FRAUD } from "../../functions/scoring/profiles/fraud";
import type { FraudInput } from "../../functions/scoring/profiles/fraud/input";
import type { FraudState } from "../../functions/scoring/profiles/fraud/state";
import { fraudPolicy } from "../helpers/stream-world";
import { modelOf, named } from "./shipped";

const NOON = Date.UTC(2026, 2, 1, 12);
const DAY = 86_400_000;

function transaction(raw: Readonly<Record<string, unknown>>): FraudInput {
  const result = accept(FRAUD, validateFraud, { transaction_id: "t", user_id: "u", amount: 20, timestamp: NOON, ...raw });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.input;
}

const folded = (state: FraudState | null, input: ReturnType<typeof transaction>) => FRAUD.fold(state, input, input.occurredAtMs);

describe.each(["fraud-trees-1", "fraud-trees-2"])("%s in front of the default rules", (name) => {
  const model = modelOf(named(name));
  const policy: CompiledPolicy = { ...fraudPolicy(), model };
  const decide = (raw: Readonly<Record<string, unknown>>, state: FraudState | null = null) => {
    const { decision, features } = score(FRAUD, policy, transaction(raw), state);
    return { ...decision, probability: model.score(features) };
  };

  it.each([
    ["nothing but an amount", {}],
    ["groceries", { amount: 129.9, currency: "USD", category: "grocery_pos" }],
    ["a sender without suspicion", { amount: 60, hour: 14, location_mismatch: 0, velocity_flag: 0 }],
  ])("an ordinary transaction stays below 0.1: %s", (_, raw) => {
    expect(decide(raw).score).toBeLessThan(0.1);
    expect(decide(raw).band).toBe("low");
  });

  it.each([1500, 5000, 9500])("a high amount of %d with odd geography and frequency stays at about 0.8", (amount) => {
    const decision = decide({ amount, hour: 14, location_mismatch: 1, velocity_flag: 1 });
    expect(decision.score).toBeCloseTo(0.8, 1);
    expect(decision.flags).toEqual(["high_amount", "location_mismatch", "high_velocity"]);
    expect(decision.modelVersion).toBe(name);
  });

  it("joins in where the account has a history that fits none of it", () => {
    let state: FraudState | null = null;
    for (let day = 30; day >= 1; day--) {
      const usual = { amount: 15 + (day % 7), hour: 14, location_mismatch: 0, velocity_flag: 0, timestamp: NOON - day * DAY };
      state = folded(state, transaction(usual));
    }
    const raw = { amount: 5000, hour: 14, location_mismatch: 1, velocity_flag: 1 };
    expect(decide(raw, state).probability).toBeGreaterThan(decide(raw).probability);
    expect(decide(raw, state).score).toBeGreaterThan(0.85);
  });

  it("knows a user's habits: the same purchase weighs more after a month of small ones", () => {
    let state: FraudState | null = null;
    for (let day = 1; day <= 30; day++) {
      state = folded(state, transaction({ amount: 15 + (day % 7), timestamp: NOON - day * DAY, device_id: "phone" }));
    }
    const purchase = { amount: 900, category: "electronics", device_id: "another", card_present: false };
    expect(decide(purchase, state).probability).toBeGreaterThan(5 * decide(purchase).probability);
    expect(decide(purchase, state).reasons.length).toBeGreaterThan(1);
  });

  it("leaves the demo's ordinary traffic alone and lifts its fraud", () => {
    const states = new Map<string, FraudState>();
    const byLabel = new Map<string, number[]>();
    for (const { data, expect: expected, label } of streamTraffic({ seed: 3, count: 2000, now: NOON }).records) {
      if (expected !== "scored") continue;
      const raw: Record<string, unknown> = JSON.parse(data.toString("utf8"));
      const input = transaction(raw);
      const state = states.get(input.userId) ?? null;
      const { probability } = decide(raw, state);
      states.set(input.userId, folded(state, input));
      byLabel.set(label, [...(byLabel.get(label) ?? []), probability]);
    }
    const ordinary = byLabel.get("ordinary")!;
    expect(ordinary.filter((probability) => probability < 0.1).length / ordinary.length).toBeGreaterThan(0.99);
    const fraud = [...byLabel].flatMap(([label, probabilities]) => (label === "ordinary" ? [] : probabilities));
    expect(fraud.length).toBeGreaterThan(5);
    expect(mean(fraud)).toBeGreaterThan(20 * mean(ordinary));
  });
});

describe("churn-trees-1", () => {
  const model = modelOf(named("churn-trees-1"));
  const probability = (data: readonly number[]): number => {
    const result = accept(CHURN, validateChurn, { data });
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    const vector = new Float64Array(CHURN.features.size);
    CHURN.extract(result.input, null, vector, 0);
    return model.score(vector);
  };

  it("keeps the active customer with two products and loses the inactive one of 56 with three", () => {
    expect(probability([700, 1, 34, 5, 0, 2, 1, 1, 60_000, 1, 0, 0])).toBeLessThan(0.1);
    expect(probability([600, 0, 56, 2, 120_000, 3, 1, 0, 60_000, 0, 1, 0])).toBeGreaterThan(0.8);
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
