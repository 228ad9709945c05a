/** A user's state is the same in whatever order transactions come. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { featureRecord } from "../../../../functions/scoring/core/features";
import { countingTime } from "../../../../functions/scoring/core/profile";
import { FRAUD } from "../../../../functions/scoring/profiles/fraud";
import type { FraudInput } from "../../../../functions/scoring/profiles/fraud/input";
import { DAY_MS, EXACT_ENTRIES } from "../../../../functions/scoring/profiles/fraud/recent";
import { type FraudState, MAX_PLACES } from "../../../../functions/scoring/profiles/fraud/state";

const NOON = Date.UTC(2026, 2, 1, 12);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NEW_YORK = { latitude: 40.71, longitude: -74.01 };
const LOS_ANGELES = { latitude: 34.05, longitude: -118.24 };

const transaction = (timestamp: number, fields: Readonly<Record<string, unknown>> = {}): FraudInput =>
  FRAUD.normalise({ transaction_id: "t", user_id: "u", amount: 20, timestamp, ...fields });

const fold = (list: readonly FraudInput[], from: FraudState | null = null): FraudState | null =>
  list.reduce((state, input) => FRAUD.fold(state, input, input.occurredAtMs), from);

function features(at: number, state: FraudState | null, fields: Readonly<Record<string, unknown>> = {}) {
  const out = new Float64Array(FRAUD.features.size);
  FRAUD.extract(transaction(at, fields), state, out, at);
  return featureRecord(FRAUD.features, out);
}

/** Bursts and gaps over up to three days; some at the same time, some of the same amount. */
const input = fc
  .record({
    timestamp: fc.oneof(
      fc.integer({ min: NOON - 72 * HOUR, max: NOON }),
      fc.integer({ min: NOON - 26 * HOUR, max: NOON - 22 * HOUR }),
      fc.integer({ min: NOON - 2 * HOUR, max: NOON }),
      fc.integer({ min: NOON - 6 * MINUTE, max: NOON }),
      fc.integer({ min: NOON - 20, max: NOON }),
    ),
    amount: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.double({ min: 0, max: 1e9, noNaN: true })),
    latitude: fc.option(fc.integer({ min: -90, max: 90 })),
    longitude: fc.integer({ min: -3, max: 3 }),
    country: fc.constantFrom("US", "BR", "DE", null),
    device_id: fc.option(fc.constantFrom("a", "b", "c")),
  })
  .map(({ timestamp, ...fields }) => transaction(timestamp, fields));

const sorted = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => a - b);

/** What must not depend on the order; of one millisecond, transactions stand as they came. */
const countedOf = (state: FraudState | null) =>
  state && {
    times: state.times,
    spending: state.times.map((time, index) => `${time} ${state.counts[index]} ${state.sums[index]}`).toSorted(),
    count: state.count,
    places: state.places.map(String).toSorted(),
    countries: sorted(state.countries),
    devices: sorted(state.devices),
  };

describe("a fraud state", () => {
  it("is the same for every order of the same transactions, but for the last bits of mean and spread", () => {
    const orders = fc
      .array(input, { minLength: 1, maxLength: 190 })
      .chain((list) =>
        fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length })),
      );
    fc.assert(
      fc.property(orders, ([list, other]) => {
        const [one, two] = [fold(list), fold(other)];
        expect(countedOf(two)).toEqual(countedOf(one));
        expect(two?.mean).toBeCloseTo(one?.mean ?? 0, 2);
        expect(Math.abs((two?.spread ?? 0) - (one?.spread ?? 0))).toBeLessThanOrEqual(1e-6 * (one?.spread ?? 0) + 1e-6);
      }),
      { seed: 20261128, numRuns: 400 },
    );
  });

  it("counts every window exactly up to its limit, and beyond it never too little", () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 190 }), (list) => {
        const found = features(NOON, fold(list));
        for (const [name, length] of [
          ["1m", MINUTE],
          ["5m", 5 * MINUTE],
          ["1h", HOUR],
          ["24h", DAY_MS],
        ] as const) {
          const ages = list.map(({ occurredAtMs }) => NOON - occurredAtMs);
          const exact = ages.filter((age) => age < length).length + 1;
          // At most those of one cell too many.
          const wider = ages.filter((age) => age < length + 2 ** 23).length + 1;
          const counted = found[`count_${name}`]!;
          expect(counted).toBeGreaterThanOrEqual(exact);
          expect(counted).toBeLessThanOrEqual(wider);
          if (list.length <= EXACT_ENTRIES) expect(counted).toBe(exact);
        }
      }),
      { seed: 3, numRuns: 400 },
    );
  });

  it("counts a day of 10,000 transactions an hour to the last one, in at most 105 entries", () => {
    const many = Array.from({ length: 30_000 }, (_, index) => transaction(NOON - (30_000 - index) * 360, { amount: 0.1 }));
    const state = fold(many);
    const found = features(NOON, state, { amount: 0.1 });
    expect([found.count_24h, found.sum_24h]).toEqual([30_001, expect.closeTo(3000.1, 6)]);
    expect(found.count_1m).toBeGreaterThan(166);
    expect(found.count_1m).toBeLessThan(166 * 1.2);
    expect(found.count_1h).toBeGreaterThan(10_000);
    expect(found.count_1h).toBeLessThan(10_000 * 1.2);
    expect(state?.times.length).toBeLessThanOrEqual(105);
  });

  it("measures travel from the newest place before the transaction, whatever came after it", () => {
    const state = fold([transaction(NOON - 60 * MINUTE, NEW_YORK), transaction(NOON, LOS_ANGELES)]);
    expect(features(NOON - 30 * MINUTE, state, NEW_YORK)).toMatchObject({ distance_km: 0, minutes_travelled: 30 });
    expect(features(NOON, state, LOS_ANGELES).distance_km).toBe(0);
    // Nothing is known before it: the earliest place after it is the nearest in time.
    expect(features(NOON - 90 * MINUTE, state, NEW_YORK)).toMatchObject({ distance_km: 0, minutes_travelled: 30 });
  });

  it("keeps the newest places, each once", () => {
    const state = fold([3, 1, 5, 2, 4, 5, 1].map((minute) => transaction(NOON + minute * MINUTE, NEW_YORK)));
    expect(state?.places.map(([at]) => (at - NOON) / MINUTE)).toEqual([2, 3, 4, 5]);
    expect(state?.places).toHaveLength(MAX_PLACES);
  });

  it("isn't frozen by a transaction ahead of its time, which counts when it arrives", () => {
    const early = transaction(NOON + HOUR, { ...LOS_ANGELES, amount: 7 });
    const at = countingTime(early.occurredAtMs, NOON);
    expect(at).toBe(NOON);
    const state = FRAUD.fold(fold([transaction(NOON - 30 * MINUTE), transaction(NOON - 23.5 * HOUR)]), early, at);
    const next = features(NOON + MINUTE, state, { ...NEW_YORK, amount: 20 });
    expect(next).toMatchObject({ count_24h: 4, count_5m: 2, minutes_since_previous: 1, minutes_travelled: 1 });
    const after = FRAUD.fold(state, transaction(NOON + MINUTE, NEW_YORK), NOON + MINUTE);
    expect(after.places.at(-1)?.[0]).toBe(NOON + MINUTE);
  });

  it("goes on from a state that was stored with one place", () => {
    const { places, ...rest } = fold([transaction(NOON - HOUR, NEW_YORK)])!;
    const earlier = (place: unknown): FraudState => JSON.parse(JSON.stringify({ ...rest, place }));
    const stored = earlier({ latitude: NEW_YORK.latitude, longitude: NEW_YORK.longitude, atMs: NOON - HOUR });
    expect(features(NOON, stored, NEW_YORK)).toMatchObject({ distance_km: 0, minutes_travelled: 60 });
    expect(fold([transaction(NOON, LOS_ANGELES)], stored)?.places).toEqual([...places, [NOON, 34.05, -118.24]]);
    expect(features(NOON, earlier(null), NEW_YORK).distance_km).toBeNull();
  });
});
