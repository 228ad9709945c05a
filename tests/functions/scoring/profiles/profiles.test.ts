import { describe, expect, it } from "vitest";
import * as validators from "#validators";
import { accept } from "../../../../functions/scoring/core/accept";
import { hashJson } from "../../../../functions/scoring/core/hash";
import { NO_COLUMNS } from "../../../../functions/scoring/core/profile";
import { CHURN } from "../../../../functions/scoring/profiles/churn";
import { FRAUD } from "../../../../functions/scoring/profiles/fraud";
import type { FraudInput } from "../../../../functions/scoring/profiles/fraud/input";
import { LEAD } from "../../../../functions/scoring/profiles/lead";

function transaction(fields: Readonly<Record<string, unknown>>): FraudInput {
  const result = accept(FRAUD, validators.fraud, fields);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.input;
}

const FULL = {
  transaction_id: "t1",
  user_id: "u1",
  amount: 1000,
  timestamp: "2026-03-01T12:00:00.000Z",
  hour: 1,
  location_mismatch: true,
  velocity_flag: false,
  currency: "USD",
  category: "travel",
  merchant_id: "m",
  country: "US",
  latitude: 40.71,
  longitude: -74.01,
  home_latitude: 40,
  home_longitude: -74,
  device_id: "d",
  ip_address: "10.0.0.1",
  email: "a@example.com",
  mailbox: "a@example.com",
  time_zone: "America/New_York",
  card_present: false,
  channel: "web",
};

describe("the lead profile", () => {
  it("keeps no state and has no columns", () => {
    const input = { companySize: 5, industry: " Technology ", engagementMetrics: 2 };
    const out = new Float64Array(3);
    LEAD.extract(input, null, out, 0);
    expect(Array.from(out)).toEqual([5, 2, 0]);
    LEAD.extract({ ...input, industry: "unheard of" }, null, out, 0);
    expect(out[2]).toBeNaN();
    expect(LEAD.stored(input)).toEqual(input);
    expect([LEAD.check(input), LEAD.eventId(input), LEAD.occurredAtMs(input), LEAD.userKey(input)]).toEqual([
      [],
      null,
      null,
      null,
    ]);
    expect([LEAD.columns(input, out), LEAD.answer(1, {})]).toEqual([NO_COLUMNS, {}]);
    expect(() => LEAD.fold(null, input, 0)).toThrow(/"lead" keeps no state/);
  });
});

describe("the churn profile", () => {
  it("answers by the policy's threshold", () => {
    expect(CHURN.answer(0.5, {})).toEqual({ result: "Will Exit", probability: 0.5 });
    expect(CHURN.answer(0.49, {})).toEqual({ result: "Will Not Exit", probability: 0.49 });
    expect(CHURN.answer(0.49, { will_exit: 0.4 })).toEqual({ result: "Will Exit", probability: 0.49 });
  });

  it("keeps no state and has no columns", () => {
    const input = { data: [619, 0, 42, 2, 0, 1, 1, 1, 101348.88, 1, 0, 0] };
    const out = new Float64Array(CHURN.features.size);
    CHURN.extract(input, null, out, 0);
    expect(Array.from(out.subarray(12))).toEqual([9, 0, 0, 0, -3]);
    expect(CHURN.stored(input)).toEqual(input);
    expect([CHURN.check(input), CHURN.eventId(input), CHURN.occurredAtMs(input), CHURN.userKey(input)]).toEqual([
      [],
      null,
      null,
      null,
    ]);
    expect(CHURN.columns(input, out)).toBe(NO_COLUMNS);
    expect(() => CHURN.fold(null, input, 0)).toThrow(/"churn" keeps no state/);
  });
});

describe("the fraud profile", () => {
  it("stores what was given, in one notation", () => {
    expect(FRAUD.stored(transaction(FULL))).toEqual(FULL);
    const loose = {
      ...FULL,
      timestamp: Date.parse(FULL.timestamp) / 1000,
      country: "us",
      currency: "usd",
      category: undefined,
      merchant_category: "Travel",
    };
    expect(
      hashJson(
        FRAUD.stored(transaction({ ...loose, location_mismatch: 1, velocity_flag: 0, card_present: 0, channel: "WEB", more: 1 })),
      ),
    ).toBe(hashJson(FULL));
  });

  it("accepts nulls, empty texts and numeric ids", () => {
    const input = transaction({
      transaction_id: 7,
      user_id: 8,
      amount: 1,
      timestamp: 1_772_366_400,
      email: "",
      category: " ",
      country: null,
      hour: null,
    });
    expect(FRAUD.stored(input)).toEqual({ transaction_id: "7", user_id: "8", amount: 1, timestamp: "2026-03-01T12:00:00.000Z" });
    expect([FRAUD.eventId(input), FRAUD.userKey(input), FRAUD.occurredAtMs(input), input.hour]).toEqual([
      "7",
      "8",
      1_772_366_400_000,
      12,
    ]);
  });

  it("fills the warehouse's columns, with coarsened places", () => {
    const input = transaction(FULL);
    const out = new Float64Array(FRAUD.features.size);
    FRAUD.extract(input, null, out, input.occurredAtMs);
    expect(FRAUD.columns(input, out)).toEqual({
      amount: 1000,
      currency: "USD",
      category: "travel",
      country: "US",
      latitude: 40.7,
      longitude: -74,
      distance_km: null,
      speed_kmh: null,
    });
    FRAUD.extract(input, FRAUD.fold(null, input, input.occurredAtMs), out, input.occurredAtMs);
    expect(FRAUD.columns(input, out)).toMatchObject({ distance_km: 0, speed_kmh: 0 });
    const bare = transaction({ transaction_id: "t", user_id: "u", amount: 1, timestamp: 0 });
    FRAUD.extract(bare, null, out, 0);
    expect(FRAUD.columns(bare, out)).toMatchObject({ latitude: null, longitude: null });
    expect(FRAUD.answer(1, {})).toEqual({});
  });
});
