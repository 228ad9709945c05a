import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fraud as validateFraud, policy as validatePolicy } from "#validators";
import { accept } from "../../../../functions/scoring/core/accept";
import { featureRecord } from "../../../../functions/scoring/core/features";
import { score } from "../../../../functions/scoring/core/score";
import { compilePolicy } from "../../../../functions/scoring/policy/compile";
import { FRAUD } from "../../../../functions/scoring/profiles/fraud";
import { FRAUD_FEATURES, SLOT } from "../../../../functions/scoring/profiles/fraud/features";
import type { FraudInput } from "../../../../functions/scoring/profiles/fraud/input";
import { type FraudState, MAX_HISTORY, MAX_SEEN } from "../../../../functions/scoring/profiles/fraud/state";

const NOON = Date.UTC(2026, 2, 1, 12);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NEW_YORK = { latitude: 40.7128, longitude: -74.006 };
const LOS_ANGELES = { latitude: 34.0522, longitude: -118.2437 };

function transaction(fields: Readonly<Record<string, unknown>> = {}): FraudInput {
  const result = accept(FRAUD, validateFraud, { transaction_id: "t", user_id: "u", amount: 20, timestamp: NOON, ...fields });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.input;
}

const folded = (state: FraudState | null, input: FraudInput): FraudState => FRAUD.fold(state, input, input.occurredAtMs);

function history(...list: readonly FraudInput[]): FraudState {
  const state = list.reduce<FraudState | null>((before, input) => folded(before, input), null);
  if (state === null) throw new Error("A history needs at least one transaction.");
  return state;
}

function features(input: FraudInput, state: FraudState | null = null): Record<string, number | null> {
  const out = new Float64Array(FRAUD.features.size);
  FRAUD.extract(input, state, out, input.occurredAtMs);
  return featureRecord(FRAUD.features, out);
}

const compiled = compilePolicy(FRAUD.defaultPolicy, FRAUD, validatePolicy);
if (!compiled.ok) throw new Error("The default policy does not compile.");
const { policy } = compiled;
const decide = (fields: Readonly<Record<string, unknown>>, state: FraudState | null = null) =>
  score(FRAUD, policy, transaction(fields), state).decision;

describe("fraud scores", () => {
  it("are about 0.8 for a high-value order with odd geography and frequency", () => {
    const decision = decide({ amount: 5000, hour: 14, location_mismatch: 1, velocity_flag: 1 });
    expect(decision.score).toBeCloseTo(0.8, 1);
    expect(decision).toMatchObject({
      band: "high",
      flags: ["high_amount", "location_mismatch", "high_velocity"],
      modelVersion: "rules-only",
    });
    expect(policy.isAlert(decision.band)).toBe(true);
    expect(decide({ amount: 5000, hour: 3, location_mismatch: true, velocity_flag: true }).score).toBeCloseTo(0.815, 3);
  });

  it("are 0 for an ordinary purchase", () => {
    expect(decide({})).toMatchObject({ score: 0, band: "low", reasons: [], flags: [] });
  });

  it("name distance and time of impossible travel", () => {
    const decision = decide({ timestamp: NOON + 10 * MINUTE, ...LOS_ANGELES }, history(transaction(NEW_YORK)));
    expect(decision.flags).toEqual(["impossible_travel"]);
    expect(decision.reasons[0]?.text).toBe("Travelled 3935 km in 10 minutes");
  });

  it("do not count a flight as impossible travel", () => {
    expect(decide({ timestamp: NOON + 6 * HOUR, ...LOS_ANGELES }, history(transaction(NEW_YORK))).flags).toEqual([]);
  });

  it("detect card testing, bursts, unusual amounts and new devices", () => {
    const small = [0, 1, 2].map((index) => transaction({ amount: 1, timestamp: NOON + index * 1000, device_id: "a" }));
    expect(decide({ amount: 1, timestamp: NOON + 3000 }, history(...small)).flags).toEqual(["high_velocity", "card_testing"]);
    const usual = [1, 2, 3, 4, 5].map((day) =>
      transaction({ amount: 20 + day, timestamp: NOON - day * 26 * HOUR, device_id: "a" }),
    );
    expect(decide({ amount: 300, device_id: "b" }, history(...usual)).flags).toEqual(["unusual_amount", "new_device"]);
    const large = [1, 2].map((index) => transaction({ amount: 1200, timestamp: NOON - index * 10 * MINUTE }));
    expect(decide({ amount: 900 }, history(...large)).flags).toEqual(["spending_burst"]);
  });
});

describe("fraud features", () => {
  it("have the slot at their position", () => {
    for (const [slot, { name }] of FRAUD_FEATURES.definitions.entries()) expect(SLOT[name as keyof typeof SLOT]).toBe(slot);
  });

  it("count windows that end at the transaction and exclude their start", () => {
    const ages = [0, 59_999, MINUTE, 5 * MINUTE - 1, 5 * MINUTE, HOUR - 1, HOUR, 24 * HOUR - 1, 24 * HOUR];
    const state = history(...ages.toReversed().map((age) => transaction({ timestamp: NOON - age, amount: 1 })));
    expect(features(transaction({ amount: 1 }), state)).toMatchObject({
      count_1m: 3,
      count_5m: 5,
      count_1h: 7,
      count_24h: 9,
      sum_1m: 3,
      sum_24h: 9,
      velocity_flag: 0,
      minutes_since_previous: 0,
    });
  });

  it("do not let a late transaction see later ones", () => {
    const state = history(transaction({ timestamp: NOON, ...NEW_YORK }));
    const late = features(transaction({ timestamp: NOON - 30 * MINUTE, ...LOS_ANGELES }), state);
    expect(late).toMatchObject({ count_1h: 1, minutes_since_previous: null, minutes_travelled: 30, impossible_travel: 1 });
    const after = folded(state, transaction({ timestamp: NOON - 30 * MINUTE, ...LOS_ANGELES }));
    expect(after.places.map(([at]) => at)).toEqual([NOON - 30 * MINUTE, NOON]);
    expect(after.times).toEqual([NOON - 30 * MINUTE, NOON]);
  });

  it("assume at least a second between two places", () => {
    expect(features(transaction(LOS_ANGELES), history(transaction(NEW_YORK))).speed_kmh).toBeCloseTo(3935.4 * 3600, -4);
  });

  it("honour the reference's own fields, given as numbers or booleans", () => {
    const burst = history(...[1, 2, 3].map((index) => transaction({ timestamp: NOON - index })));
    expect(features(transaction(), burst).velocity_flag).toBe(1);
    expect(features(transaction({ velocity_flag: 0, location_mismatch: true, hour: 2 }), burst)).toMatchObject({
      velocity_flag: 0,
      location_mismatch: 1,
      hour: 2,
      is_night: 1,
    });
  });

  it("find a mismatch far from home or in a new country", () => {
    const home = { home_latitude: 40.7, home_longitude: -74 };
    expect(features(transaction({ ...home, ...LOS_ANGELES })).location_mismatch).toBe(1);
    expect(features(transaction({ ...home, ...NEW_YORK })).location_mismatch).toBe(0);
    const american = history(transaction({ country: "us", category: "home", device_id: "d" }));
    expect(features(transaction({ country: "BR", category: "travel", device_id: "e" }), american)).toMatchObject({
      new_country: 1,
      new_category: 1,
      new_device: 1,
      location_mismatch: 1,
    });
    expect(features(transaction({ country: "US" }), american)).toMatchObject({
      new_country: 0,
      new_device: 0,
      location_mismatch: 0,
    });
    expect(features(transaction({ country: "BR" }), null).new_country).toBe(0);
  });

  it("ignore half a coordinate", () => {
    expect(features(transaction({ latitude: 1, home_longitude: 2 }), history(transaction(NEW_YORK)))).toMatchObject({
      distance_km: null,
      home_distance_km: null,
      impossible_travel: 0,
    });
  });

  it("encode categories, cards and round amounts", () => {
    expect(features(transaction({ merchant_category: " Grocery_POS ", card_present: 1, amount: 200 }))).toMatchObject({
      category: 1,
      card_present: 1,
      round_amount: 1,
    });
    expect(features(transaction({ category: "unheard of", amount: 0 }))).toMatchObject({
      category: null,
      card_present: null,
      round_amount: 0,
    });
  });
});

describe("fraud state", () => {
  const input = fc
    .record({
      timestamp: fc.integer({ min: NOON - 48 * HOUR, max: NOON + 48 * HOUR }),
      amount: fc.double({ min: 0, max: 1e9, noNaN: true }),
      latitude: fc.double({ min: -90, max: 90, noNaN: true }),
      longitude: fc.double({ min: -180, max: 180, noNaN: true }),
      country: fc.constantFrom("US", "BR", "DE", null),
      category: fc.option(fc.stringMatching(/^[A-Za-z0-6 &_-]{0,5}$/)),
      device_id: fc.option(fc.string({ maxLength: 64 })),
    })
    .map(transaction);

  it("stays small, sorted and plain, doesn't change its arguments, and scores stay within bounds", () => {
    fc.assert(
      fc.property(fc.array(input, { minLength: 1, maxLength: 150 }), (list) => {
        let state: FraudState | null = null;
        for (const each of list) {
          const before = JSON.stringify(state);
          const { decision } = score(FRAUD, policy, each, state);
          expect(decision.score).toBeGreaterThanOrEqual(0);
          expect(decision.score).toBeLessThanOrEqual(1);
          const next = folded(state, each);
          expect(JSON.stringify(state)).toBe(before);
          expect(JSON.parse(JSON.stringify(next))).toEqual(next);
          state = next;
        }
        expect(JSON.stringify(state).length).toBeLessThan(5000);
        expect(state?.times).toEqual(state?.times.toSorted((a, b) => a - b));
        expect(state?.devices.length).toBeLessThanOrEqual(MAX_SEEN);
      }),
      { seed: 12, numRuns: 60 },
    );
  });

  it("counts a day exactly up to its limit, and never loses one beyond it", () => {
    const many = Array.from({ length: 400 }, (_, index) =>
      transaction({ timestamp: NOON - (400 - index) * 3 * MINUTE, amount: 2 }),
    );
    const counted = features(transaction({ amount: 2 }), history(...many));
    expect(counted.count_24h).toBe(401);
    expect(counted.sum_24h).toBe(802);
    expect(counted.count_1m).toBe(1);
    expect(counted.count_1h).toBe(20);
  });

  it("forgets entries older than a day", () => {
    const state = history(transaction({ timestamp: NOON - 25 * HOUR }), transaction());
    expect(state.times).toEqual([NOON]);
    expect(folded(state, transaction({ timestamp: NOON - 25 * HOUR })).times).toEqual([NOON]);
  });

  it("keeps mean and deviation of amounts, which fade beyond its limit", () => {
    const amounts = [10, 20, 30, 40, 50, 60];
    const state = history(...amounts.map((amount) => transaction({ amount })));
    expect(state.mean).toBeCloseTo(35, 9);
    expect(state.spread / state.count).toBeCloseTo(1750 / 6, 9);
    let changed: FraudState | null = null;
    for (let index = 0; index < 1500; index++) changed = folded(changed, transaction({ amount: index < 300 ? 1000 : 10 }));
    expect(changed?.count).toBe(MAX_HISTORY);
    expect(changed?.mean).toBeLessThan(15);
  });

  it("remembers the latest of many devices", () => {
    const state = history(...Array.from({ length: 20 }, (_, index) => transaction({ device_id: `d${index}` })));
    expect(state.devices).toHaveLength(MAX_SEEN);
    expect(features(transaction({ device_id: "d19" }), state).new_device).toBe(0);
    expect(features(transaction({ device_id: "d0" }), state).new_device).toBe(1);
  });
});
