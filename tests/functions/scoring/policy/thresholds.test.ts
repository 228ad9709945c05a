/** Every threshold of every profile's policy decides something: a record is scored otherwise once the threshold is raised, and once it is lowered. */
import { describe, expect, it } from "vitest";
import * as validators from "#validators";
import { accept } from "../../../../functions/scoring/core/accept";
import type { Validate } from "../../../../functions/scoring/core/json-schema";
import { type AnyProfile, flagColumns } from "../../../../functions/scoring/core/profile";
import { score } from "../../../../functions/scoring/core/score";
import { compilePolicy } from "../../../../functions/scoring/policy/compile";
import { PROFILES, type ProfileId } from "../../../../functions/scoring/profiles";

type Raw = Readonly<Record<string, unknown>>;
/** What one user sent, oldest first; the last record is decided on. */
type History = readonly Raw[];

const VALIDATE: Readonly<Record<ProfileId, Validate>> = validators;
const NOON_S = Date.parse("2026-03-01T12:00:00Z") / 1000;

const transaction = (minutesAgo: number, fields: Raw): Raw => ({
  transaction_id: `t-${minutesAgo}`,
  user_id: "u",
  timestamp: NOON_S - minutesAgo * 60,
  amount: 10,
  ...fields,
});

/** `count` transactions of one amount, the last one at noon. */
const series = (count: number, minutesApart: number, amount = 10): History =>
  Array.from({ length: count }, (_, index) => transaction((count - 1 - index) * minutesApart, { amount }));

/** Six transactions of one amount, a day between them, and one of another. */
const afterHabit = (usual: number, amount: number, fields: Raw = {}): History => [
  ...Array.from({ length: 6 }, (_, day) => transaction((6 - day) * 1440, { amount: usual, device_id: "known" })),
  transaction(0, { amount, ...fields }),
];

/** A degree of latitude is 111.2 km. */
const journey = (km: number, minutes: number): History => [
  transaction(minutes, { latitude: 40, longitude: -74 }),
  transaction(0, { latitude: 40 - km / 111.2, longitude: -74 }),
];

const device = (fields: Raw): History => [{ request_id: "r", device_id: "d", ...fields }];

/**
 * By threshold: one history on each side of it, as far away as half or twice its value at most. Listing is by hand, so that records go the
 * whole way through schema, features and state; that no threshold is forgotten is the first test.
 */
const AROUND: Readonly<Record<ProfileId, Readonly<Record<string, readonly [History, History]>>>> = {
  lead: {},
  churn: {
    will_exit: [
      [{ data: [619, 0, 42, 2, 0, 1, 1, 1, 101348.88, 1, 0, 0] }],
      [{ data: [619, 0, 55, 2, 100000, 1, 1, 0, 101348.88, 0, 1, 0] }],
    ],
  },
  fraud: {
    high_amount: [[transaction(0, { amount: 700 })], [transaction(0, { amount: 1500 })]],
    extreme_amount: [[transaction(0, { amount: 7000 })], [transaction(0, { amount: 15_000 })]],
    unusual_zscore: [afterHabit(100, 130), afterHabit(100, 150)],
    unusual_amount: [afterHabit(20, 70), afterHabit(20, 150)],
    travel_km: [journey(200, 5), journey(400, 5)],
    travel_kmh: [journey(400, 40), journey(400, 20)],
    burst_1m: [series(3, 0.1), series(4, 0.1)],
    burst_5m: [series(4, 0.9), series(6, 0.9)],
    burst_1h: [series(8, 5), series(12, 5)],
    spend_1h: [series(4, 10, 500), series(4, 10, 900)],
    testing_amount: [series(3, 1, 1.5), series(3, 1, 3)],
    new_device_amount: [afterHabit(200, 200, { device_id: "new" }), afterHabit(300, 300, { device_id: "new" })],
  },
  device: {
    emulator: [device({ emulator_likelihood: 0.6 }), device({ emulator_likelihood: 0.9 })],
    timezone_hours: [device({ timezone_mismatch_hours: 2 }), device({ timezone_mismatch_hours: 4 })],
    accounts_24h: [device({ accounts_on_device_24h: 3 }), device({ accounts_on_device_24h: 5 })],
    ip_risk: [device({ ip_risk_score: 50 }), device({ ip_risk_score: 90 })],
    failed_logins: [device({ failed_logins_24h: 4 }), device({ failed_logins_24h: 6 })],
    chargebacks: [device({ chargebacks_365d: 0.5 }), device({ chargebacks_365d: 1 })],
    inconsistencies: [device({ inconsistency_count: 2 }), device({ inconsistency_count: 4 })],
    new_days: [device({ device_age_days: 0.5, account_age_days: 0.5 }), device({ device_age_days: 1.5, account_age_days: 1.5 })],
  },
};

/** What a caller sees of the last record: score, reasons and the profile's own members. */
function decide(id: ProfileId, history: History, thresholds: Readonly<Record<string, number>> = {}) {
  const profile: AnyProfile = PROFILES[id];
  const { defaultPolicy } = profile;
  const compiled = compilePolicy(
    { ...defaultPolicy, thresholds: { ...defaultPolicy.thresholds, ...thresholds } },
    profile,
    validators.policy,
  );
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  const inputs = history.map((raw) => {
    const accepted = accept(profile, VALIDATE[id], raw);
    if (!accepted.ok) throw new Error(JSON.stringify(accepted.problems));
    return accepted.input;
  });
  const state = profile.stateful
    ? inputs.slice(0, -1).reduce((known, input) => profile.fold(known, input, profile.occurredAtMs(input) ?? 0), null)
    : null;
  const { decision } = score(profile, compiled.policy, inputs.at(-1), state);
  return { score: decision.score, flags: decision.flags, answer: profile.answer(decision.score, compiled.policy.thresholds) };
}

describe.each(Object.values(PROFILES))("thresholds of $id", ({ id, defaultPolicy }) => {
  const profile = id as ProfileId;
  const names = Object.keys(defaultPolicy.thresholds ?? {});

  it("are all covered here", () => {
    expect(Object.keys(AROUND[profile])).toEqual(names);
  });

  it.each(names)("%s changes decisions when it is raised, and when it is lowered", (name) => {
    const histories = AROUND[profile][name] ?? [];
    const usual = defaultPolicy.thresholds?.[name] ?? Number.NaN;
    const changed = (value: number) =>
      histories.some(
        (history) => JSON.stringify(decide(profile, history, { [name]: value })) !== JSON.stringify(decide(profile, history)),
      );
    expect({ raised: changed(usual * 2), lowered: changed(usual / 2) }).toEqual({ raised: true, lowered: true });
  });
});

describe("a sender's velocity_flag", () => {
  const marked = (count: number, minutesApart: number) => {
    const sent = series(count, minutesApart);
    return [...sent.slice(0, -1), { ...sent.at(-1), velocity_flag: true }];
  };

  it("counts where the platform's own counts are low", () => {
    expect(decide("fraud", series(1, 1)).flags).toEqual([]);
    expect(decide("fraud", marked(1, 1)).flags).toEqual(["high_velocity"]);
    expect(decide("fraud", marked(1, 1), { burst_1m: 50, burst_5m: 50, burst_1h: 500 }).flags).toEqual(["high_velocity"]);
  });

  it("does not count for known bursts, which the thresholds judge", () => {
    expect(decide("fraud", marked(6, 0.1)).flags).toEqual(["high_velocity"]);
    expect(decide("fraud", marked(6, 0.1), { burst_1m: 50, burst_5m: 50, burst_1h: 500 }).flags).toEqual([]);
  });
});

describe("the warehouse's flags", () => {
  const flagsOf = (id: ProfileId, history: History, thresholds: Readonly<Record<string, number>> = {}) =>
    flagColumns(PROFILES[id], decide(id, history, thresholds));

  it("say which kinds of rules fired, by the policy's thresholds", () => {
    const none = { geo_flag: false, velocity_flag: false, amount_flag: false, hour_flag: false };
    expect(flagsOf("fraud", [transaction(0, { amount: 1500, hour: 3, location_mismatch: 1 })])).toEqual({
      ...none,
      geo_flag: true,
      amount_flag: true,
      hour_flag: true,
    });
    expect(flagsOf("fraud", [transaction(0, { amount: 1500 })], { high_amount: 2000 })).toEqual(none);
    expect(flagsOf("fraud", series(3, 0.1))).toEqual(none);
    expect(flagsOf("fraud", series(3, 0.1), { burst_1m: 3 })).toEqual({ ...none, velocity_flag: true });
    expect(flagsOf("fraud", journey(400, 20))).toEqual({ ...none, geo_flag: true });
    expect(flagsOf("fraud", journey(400, 20), { travel_km: 500 })).toEqual(none);
    expect(flagsOf("device", device({ timezone_mismatch_hours: 4 }))).toEqual({ ...none, geo_flag: true });
    expect(flagsOf("device", device({ accounts_on_device_24h: 5 }), { accounts_24h: 6 })).toEqual(none);
    expect(flagsOf("device", device({ accounts_on_device_24h: 5 }))).toEqual({ ...none, velocity_flag: true });
    expect(flagsOf("lead", [{ companySize: 5000, industry: "technology", engagementMetrics: 90 }])).toEqual(none);
  });

  it.each(Object.values(PROFILES))("of $id name rules of its policy", ({ flagColumns: columns, defaultPolicy }) => {
    const rules = defaultPolicy.rules.map(({ id }) => id);
    expect(rules).toEqual(expect.arrayContaining(Object.values(columns).flat()));
  });
});
