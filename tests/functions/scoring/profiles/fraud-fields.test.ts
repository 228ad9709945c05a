/** What producers send in the fields of a transaction. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fraud as validate, policy as validatePolicy } from "#validators";
import { accept } from "../../../../functions/scoring/core/accept";
import { expectationText } from "../../../../functions/scoring/core/problems";
import { DOLLARS, type Rates, readRates } from "../../../../functions/scoring/core/rates";
import { score } from "../../../../functions/scoring/core/score";
import { TIME_FORMS } from "../../../../functions/scoring/core/timestamp";
import { compilePolicy } from "../../../../functions/scoring/policy/compile";
import { FRAUD } from "../../../../functions/scoring/profiles/fraud";
import type { FraudInput } from "../../../../functions/scoring/profiles/fraud/input";
import type { FraudState } from "../../../../functions/scoring/profiles/fraud/state";

const compiled = compilePolicy(FRAUD.defaultPolicy, FRAUD, validatePolicy);
if (!compiled.ok) throw new Error("The default policy has to compile.");
const { policy } = compiled;

const table = readRates({ reference: "USD", as_of: "2026-02-27", rates: { JPY: 150, KWD: 0.31, EUR: 0.92 } });
if (!table.ok) throw new Error("The table has to be valid.");
const { rates } = table;

const BASE = { transaction_id: "t", user_id: "u", amount: 20, timestamp: "2026-03-01T12:00:00Z" };

const accepted = (more: object, table: Rates = rates) => accept(FRAUD, validate, { ...BASE, ...more }, undefined, table);

function inputOf(more: object, table?: Rates): FraudInput {
  const result = accepted(more, table);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.input;
}

const fold = (state: FraudState | null, input: FraudInput): FraudState => FRAUD.fold(state, input, input.occurredAtMs);

function scored(more: object, state: FraudState | null = null, table?: Rates) {
  const { decision, features } = score(FRAUD, policy, inputOf(more, table), state);
  const feature = (name: string): number => features[FRAUD.features.slot(name)]!;
  return { flags: decision.flags, score: decision.score, feature, features: [...features] };
}

describe("times", () => {
  it.each<[string | number, string | null]>([
    ["2026-03-01 12:00:00+00", "2026-03-01T12:00:00.000Z"],
    ["2026-03-01T12:00:00,123Z", "2026-03-01T12:00:00.123Z"],
    ["2026-03-01t12:00:00z", "2026-03-01T12:00:00.000Z"],
    ["20260301T120000Z", "2026-03-01T12:00:00.000Z"],
    ["2026-03-01T12:00:00.123456+05:30", "2026-03-01T06:30:00.123Z"],
    [1_772_366_400, "2026-03-01T12:00:00.000Z"],
    [1_772_366_400_000, "2026-03-01T12:00:00.000Z"],
    [1_772_366_400_000_000, "2026-03-01T12:00:00.000Z"],
    [1_772_366_400_000_000_000, "2026-03-01T12:00:00.000Z"],
    ["1772366400", "2026-03-01T12:00:00.000Z"],
    ["2024-02-30T00:00:00Z", null],
    ["0001-01-01T00:00:00Z", null],
    ["4/18/2015 2:47", null],
  ])("%s", (timestamp, time) => {
    const result = accepted({ timestamp });
    if (result.ok) expect(FRAUD.stored(result.input).timestamp).toBe(time);
    else {
      expect(time).toBeNull();
      for (const problem of result.problems) expect(problem).toEqual({ pointer: "/timestamp", detail: `${TIME_FORMS}.` });
    }
  });
});

describe("the local hour", () => {
  it.each([
    ["evening in Los Angeles by its zone", { timestamp: "2026-03-02T04:00:00Z", time_zone: "America/Los_Angeles" }, 20, 0],
    ["night in Los Angeles by its zone", { timestamp: "2026-03-02T10:00:00Z", time_zone: "America/Los_Angeles" }, 2, 1],
    ["the offset of the time", { timestamp: "2026-03-01T20:00:00-08:00" }, 20, 0],
    ["the country whose clocks agree", { timestamp: "2026-03-01T18:00:00Z", country: "JP" }, 3, 1],
    ["UTC where the country has several zones", { timestamp: "2026-03-02T04:00:00Z", country: "US" }, 4, 1],
    ["UTC by default", { timestamp: "2026-03-01T12:00:00Z" }, 12, 0],
    ["the given hour before anything else", { hour: 3, time_zone: "America/Los_Angeles" }, 3, 1],
    ["the zone before the offset", { timestamp: "2026-03-01T20:00:00-08:00", time_zone: "Asia/Tokyo" }, 13, 0],
    ["the offset before the country", { timestamp: "2026-03-01T20:00:00-08:00", country: "JP" }, 20, 0],
  ])("is %s", (_, more, hour, isNight) => {
    const { feature } = scored(more);
    expect([feature("hour"), feature("is_night")]).toEqual([hour, isNight]);
    // The stored input gives the same hour again.
    expect(FRAUD.normalise(FRAUD.stored(inputOf(more))).hour).toBe(hour);
  });

  it("refuses a zone that does not exist without quoting it", () => {
    const result = accepted({ time_zone: "Mars/Olympus" });
    expect(result.ok ? "" : expectationText(result.problems, FRAUD.schema)).toBe(
      "/time_zone: Expected a time zone such as America/Los_Angeles or +05:30.",
    );
  });
});

describe("money", () => {
  it.each([
    [1000, "JPY", false],
    [1500, "USD", true],
    [1000.125, "KWD", true],
    [0, "USD", false],
    [1000, undefined, true],
    [999.99, undefined, false],
  ])("judges an amount of %d %s in the reference currency", (amount, currency, isHigh) => {
    expect(scored({ amount, currency }).flags.includes("high_amount")).toBe(isHigh);
  });

  it("archives the amount as sent, and the rate that reproduces the value", () => {
    const { feature } = scored({ amount: 1000.125, currency: "KWD" });
    expect([feature("amount"), feature("exchange_rate"), feature("rate_age_days")]).toEqual([3226.21, 0.31, 2]);
    const input = inputOf({ amount: 1000.125, currency: "kwd" });
    expect(FRAUD.columns(input, new Float64Array(FRAUD.features.size))).toMatchObject({ amount: 1000.125, currency: "KWD" });
    expect(FRAUD.stored(input)).toMatchObject({ amount: 1000.125, currency: "KWD" });
  });

  it("calls a sum round in its own currency", () => {
    const round = (amount: number, currency: string) => scored({ amount, currency }).feature("round_amount");
    expect([round(200, "USD"), round(200, "JPY"), round(20_000, "JPY"), round(20, "KWD")]).toEqual([1, 0, 1, 1]);
  });

  it("flags a currency without a rate, and judges nothing by its amount", () => {
    const { flags, score: value, feature } = scored({ amount: 90_000, currency: "CHF" });
    expect(flags).toEqual(["currency_unknown"]);
    expect(value).toBe(0);
    for (const name of ["amount", "sum_1h", "amount_zscore", "exchange_rate"]) expect(feature(name), name).toBeNaN();
    expect(feature("count_1h")).toBe(1);
  });

  it("counts a purchase of unknown value without adding to sums and mean", () => {
    const before = fold(null, inputOf({}));
    const after = fold(before, inputOf({ amount: 90_000, currency: "CHF" }));
    const { feature } = scored({}, after);
    expect([feature("count_1h"), feature("sum_1h"), feature("history_count"), feature("amount_mean")]).toEqual([3, 40, 1, 20]);
    expect(JSON.parse(JSON.stringify(after))).toEqual(after);
  });

  it("decides in the reference currency as if there were no rates", () => {
    const amount = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(
        amount,
        fc.constantFrom("USD", "usd", undefined, null),
        fc.array(amount, { maxLength: 6 }),
        (last, currency, earlier) => {
          const run = (table: Rates) => {
            const state = earlier.reduce<FraudState | null>(
              (before, value) => fold(before, inputOf({ amount: value, currency }, table)),
              null,
            );
            return scored({ amount: last, currency }, state, table);
          };
          const [withRates, without] = [run(rates), run(DOLLARS)];
          expect(withRates.features).toEqual(without.features);
          expect(withRates.score).toBe(without.score);
        },
      ),
      { seed: 10, numRuns: 200 },
    );
  });
});

describe("a refund", () => {
  const spent = [20, 30, 40, 50, 60].reduce<FraudState | null>((state, amount) => fold(state, inputOf({ amount })), null);

  it("is accepted and counted as one", () => {
    const { feature, flags } = scored({ amount: -25, currency: "USD" });
    expect([feature("is_refund"), feature("refund_amount")]).toEqual([1, 25]);
    expect(flags).toEqual([]);
    expect(scored({ amount: 25 }).feature("is_refund")).toBe(0);
    expect(scored({ amount: -3100, currency: "JPY" }).feature("refund_amount")).toBe(20.67);
  });

  it("stays out of spending", () => {
    const { refunds, ...rest } = fold(spent, inputOf({ amount: -25 }));
    expect(rest).toEqual(spent);
    expect(refunds).toMatchObject({ counts: [1], sums: [25] });
    const { feature } = scored({ amount: -9000 }, spent);
    expect([feature("count_1h"), feature("sum_1h"), feature("amount_mean")]).toEqual([5, 200, 40]);
    for (const name of ["amount", "amount_zscore", "amount_ratio"]) expect(feature(name), name).toBeNaN();
    expect(scored({ amount: -9000 }, spent).flags).not.toContain("card_testing");
  });

  it("is counted over a day, in the reference currency", () => {
    const at = (hour: number) => ({ timestamp: Date.UTC(2026, 2, 1, hour) });
    const sent = [
      { amount: -25, ...at(0) },
      { amount: -3100, currency: "JPY", ...at(20) },
      { amount: -7, currency: "CHF", ...at(21) },
    ];
    const state = sent.reduce<FraudState | null>((before, more) => fold(before, inputOf(more)), spent);
    const of = (more: object) => {
      const { feature } = scored(more, state);
      return [feature("refund_count_24h"), feature("refund_sum_24h")];
    };
    expect(of({ amount: 5, ...at(22) })).toEqual([3, 45.67]);
    expect(of({ amount: -5, ...at(22) })).toEqual([4, 50.67]);
    expect(of({ amount: 5, ...at(25) })).toEqual([2, 20.67]);
    expect(of({ amount: 5, ...at(19) })).toEqual([1, 25]);
    expect(of({ amount: -5, currency: "CHF", ...at(22) })).toEqual([4, Number.NaN]);
    expect(fold(state, inputOf({ amount: 5, ...at(22) })).refunds).toBe(state?.refunds);
  });

  it("counts the same whatever the order, and in little room", () => {
    const minutes = fc.array(fc.integer({ min: 0, max: 3 * 24 * 60 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(minutes, minutes, (purchases, returned) => {
        const events = [
          ...purchases.map((minute) => ({ minute, amount: 10 })),
          ...returned.map((minute) => ({ minute, amount: -10 })),
        ];
        const stateAfter = (order: typeof events) =>
          order.reduce<FraudState | null>(
            (state, { minute, amount }) => fold(state, inputOf({ amount, timestamp: 1_772_366_400 + minute * 60 })),
            null,
          );
        const inTime = stateAfter(events.toSorted((a, b) => a.minute - b.minute));
        expect(stateAfter(events)?.refunds).toEqual(inTime?.refunds);
        expect(stateAfter(events)?.times).toEqual(inTime?.times);
        expect(JSON.stringify(inTime).length).toBeLessThan(5000);
      }),
      { seed: 11, numRuns: 20 },
    );
  });

  it("says nothing of where the user is", () => {
    const home = { latitude: 40.7, longitude: -74, country: "US" };
    const state = fold(null, inputOf(home));
    const away = { latitude: 51.5, longitude: 0, country: "GB", timestamp: "2026-03-01T12:05:00Z" };
    expect(scored({ ...away }, state).flags).toContain("impossible_travel");
    expect(scored({ ...away, amount: -20 }, state).flags).toEqual([]);
  });
});

describe("text", () => {
  it.each([
    ["jose\u0301@example.com", "jos\u00e9@example.com", true],
    ["ann\u200bb", "annb", true],
    ["Ann", "ann", false],
  ])("makes %j and %j one user: %s", (a, b, same) => {
    expect(inputOf({ user_id: a }).userId === inputOf({ user_id: b }).userId).toBe(same);
  });

  it("keeps an event's id as its producer wrote it", () => {
    expect(inputOf({ transaction_id: "jose\u0301\u200b" }).transactionId).toBe("jose\u0301\u200b");
  });

  it("refuses a user that nobody can see", () => {
    const result = accepted({ user_id: "\u200b" });
    expect(result.ok ? [] : result.problems.map(({ pointer }) => pointer)).toEqual(["/user_id"]);
  });

  it("knows a device and a category again, however they are written", () => {
    const state = fold(null, inputOf({ device_id: "caf\u00e9", category: "caf\u00e9" }));
    const { feature } = scored({ device_id: "cafe\u0301\ufeff", category: "CAFE\u0301" }, state);
    expect([feature("new_device"), feature("new_category")]).toEqual([0, 0]);
    expect(scored({ device_id: "caf\u0435" }, state).feature("new_device")).toBe(1);
  });

  it("stores an address in one form, and its mailbox beside it", () => {
    const input = inputOf({ email: " A.nn+Shop@GoogleMail.com" });
    expect(FRAUD.stored(input)).toMatchObject({ email: "a.nn+shop@googlemail.com", mailbox: "ann@gmail.com" });
    const feature = (email?: string) => scored({ email }).feature("email_alias");
    expect([feature("a.nn@gmail.com"), feature("ann@gmail.com"), feature()]).toEqual([1, 0, Number.NaN]);
    expect(FRAUD.schema.properties?.mailbox?.["x-classification"]).toBe("personal");
  });

  it("takes no mailbox from the sender", () => {
    expect(FRAUD.stored(inputOf({ mailbox: "x@example.com" })).mailbox).toBeUndefined();
  });
});
