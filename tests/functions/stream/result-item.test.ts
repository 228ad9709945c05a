import { describe, expect, it } from "vitest";
import { streamTraffic } from "../../../cli/demo/traffic";
import { decide } from "../../../functions/scoring/core/decide";
import { featureWriter } from "../../../functions/scoring/core/features";
import { localMember, type ModelSet } from "../../../functions/scoring/models/model-set";
import { PROFILES } from "../../../functions/scoring/profiles";
import { itemBytes, WRITE_UNIT_BYTES } from "../../../functions/shared/item-size";
import type { StoredResult } from "../../../functions/stream/ports";
import { readResult, resultItem } from "../../../functions/stream/result-item";
import { ARRIVAL_MS, context, event, fraudPolicy, kinesisRecord, StreamWorld } from "../../helpers/stream-world";
import { modelOf, named } from "../../models/shipped";

/** Sequence numbers are as long as Kinesis makes them. */
const FIRST_SEQUENCE = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898n;
const EXPIRES_AT = 1_900_000_000;

const member = (name: string) => localMember(modelOf(named(name)), true);
/** As the shipped stacks have it: trees that explain alerts by feature, and a challenger in shadow. */
const MODELS: ModelSet = {
  version: "1",
  chain: [member("fraud-trees-1")],
  challengers: [{ member: member("fraud-trees-2"), percent: 0 }],
};

async function demoResults(): Promise<readonly StoredResult[]> {
  const world = new StreamWorld();
  const { records } = streamTraffic({ seed: 42, count: 3000, now: ARRIVAL_MS });
  const delivered = records.map(({ data }, index) => {
    const record = kinesisRecord(index, data.toString("base64"));
    const sequenceNumber = String(FIRST_SEQUENCE + BigInt(index) * 1_234_567_890_123n);
    const eventID = `shardId-000000000000:${sequenceNumber}`;
    return { ...record, eventID, kinesis: { ...record.kinesis, sequenceNumber } };
  });
  await world.handler({ models: { current: async () => MODELS } })(event(...delivered), context);
  return [...world.results.values()];
}

describe("an item of the results table", () => {
  it("costs one write unit for every ordinary event, and two for an alert explained by thirty features", async () => {
    const results = await demoResults();
    const units = new Map<string, Set<number>>();
    let total = 0;
    for (const result of results) {
      const item = resultItem(result, EXPIRES_AT);
      const cost = Math.ceil(itemBytes(item) / WRITE_UNIT_BYTES);
      const { band } = result.decision;
      units.set(band, (units.get(band) ?? new Set()).add(cost));
      total += cost;
    }
    expect(units).toEqual(
      new Map([
        ["low", new Set([1])],
        ["medium", new Set([1])],
        ["high", new Set([2])],
        ["critical", new Set([2])],
      ]),
    );
    expect(total / results.length).toBeLessThan(1.03);
  });

  it("costs one write unit for an alert of five rules without features, and two for one of all rules that can fire together", () => {
    const policy = fraudPolicy();
    const features = new Float64Array(PROFILES.fraud.features.size).fill(0);
    const set = (values: Readonly<Record<string, number>>) => {
      for (const [name, value] of Object.entries(values)) features[PROFILES.fraud.features.slot(name)] = value;
      const decision = decide(policy, features, { score: 0.4123456789012345, version: "fraud-trees-1", contributions: [] });
      const { list: featureList } = featureWriter(PROFILES.fraud.features)(features);
      const item = resultItem({ ...example(), decision, features, featureList }, EXPIRES_AT);
      expect(readResult(item).decision).toEqual(decision);
      return { rules: decision.flags.length, bytes: itemBytes(item) };
    };
    const five = set({
      ...{ amount: 1250.75, hour: 3, is_night: 1, location_mismatch: 1, velocity_flag: 1, count_1m: 2, count_5m: 4, count_1h: 5 },
      ...{ count_24h: 8, sum_1m: 2250.5, sum_5m: 2423.25, sum_1h: 2991.13, sum_24h: 3456.78, distance_km: 6723.194821374 },
      ...{ minutes_since_previous: 0.19, minutes_travelled: 0.19, speed_kmh: 2_123_113.154118, impossible_travel: 1 },
      ...{ amount_mean: 552.18333333333, amount_zscore: 2.924419283, amount_ratio: 2.2649260212944, history_count: 200 },
    });
    expect(five.rules).toBe(5);
    expect(five.bytes).toBeLessThanOrEqual(WRITE_UNIT_BYTES);
    const nine = set({ amount: 18_250.75, amount_zscore: 118.9244192831, sum_1h: 80_991.13, new_device: 1 });
    expect(nine.rules).toBe(PROFILES.fraud.defaultPolicy.rules.length - 2);
    expect(nine.bytes).toBeLessThanOrEqual(2 * WRITE_UNIT_BYTES);
  });

  it("reads back what was written, compressed or not", async () => {
    const results = await demoResults();
    let compressed = 0;
    for (const result of results) {
      const item = resultItem(result, EXPIRES_AT);
      if (item.details !== undefined) compressed++;
      expect(readResult(item)).toEqual(result);
    }
    expect(compressed).toBeGreaterThan(50);
    const fallback = {
      ...example().decision,
      modelSource: { role: "fallback" as const, fallback: [{ model: "m", reason: "r" }] },
    };
    for (const result of [example(), { ...example(), userToken: null, decision: fallback }])
      expect(readResult(resultItem(result, EXPIRES_AT))).toEqual(result);
  });
});

/** Slots are stored by position: a feature may be appended, never moved or removed, or results of a moment ago would be misread. */
it("relies on the fraud profile's features keeping their slots", () => {
  expect(PROFILES.fraud.features.definitions.slice(0, 29).map(({ name }) => name)).toEqual([
    ...["amount", "hour", "is_night", "location_mismatch", "velocity_flag", "count_1m", "count_5m", "count_1h", "count_24h"],
    ...["sum_1m", "sum_5m", "sum_1h", "sum_24h", "minutes_since_previous", "distance_km", "minutes_travelled", "speed_kmh"],
    ...["impossible_travel", "home_distance_km", "history_count", "amount_mean", "amount_zscore", "amount_ratio", "round_amount"],
    ...["new_country", "new_category", "new_device", "card_present", "category"],
  ]);
});

function example(): StoredResult {
  const sequence = String(FIRST_SEQUENCE);
  return {
    eventId: "0b5c2a5e-8f5d-4a36-9c55-1b0f2d7a9e61",
    sourcePosition: `shardId-000000000000:${sequence}`,
    inputHash: "ab".repeat(32),
    archiveKey: `archive/fraud/dt=2026-11-21/shardId-000000000000_${sequence}_${sequence}.ndjson.zst`,
    scoredAt: "2026-11-21T12:00:01.000Z",
    occurredAt: "2026-11-21T11:59:00.000Z",
    userToken: "tok_0123456789012345678901",
    decision: {
      score: 0.9876543210987654,
      band: "critical",
      reasons: [],
      flags: [],
      modelVersion: "fraud-trees-1",
      policyVersion: "fraud-1",
    },
    features: Float64Array.of(12.5, Number.NaN, 0.1),
    featureList: "12.5,,0.1",
  };
}
