/** Whatever fails, wherever a delivery is cut off and however it comes again: every event ends up exactly once everywhere. */
import type { KinesisStreamRecord } from "aws-lambda";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { featureRecord } from "../../../functions/scoring/core/features";
import { PROFILES } from "../../../functions/scoring/profiles";
import { context, encode, event, type Fault, kinesisRecord, StreamWorld, transaction } from "../../helpers/stream-world";

type Shape =
  | { readonly kind: "transaction"; readonly id: number; readonly user: number; readonly amount: number }
  | { readonly kind: "malformed"; readonly which: number };

const MALFORMED: readonly (readonly [string, string])[] = [
  ["not base64!", "not_base64"],
  [Buffer.from("{not json").toString("base64"), "not_json"],
  [encode([1, 2]), "not_an_object"],
  [encode(null), "not_an_object"],
  [encode({ amount: 3 }), "invalid"],
  [Buffer.from([0xff, 0xfe, 0x7b]).toString("base64"), "not_utf8"],
  [encode({ ...transaction("future"), timestamp: "2030-01-01T00:00:00Z" }), "timestamp_out_of_range"],
];

const shape: fc.Arbitrary<Shape> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("transaction" as const),
      id: fc.nat(8),
      user: fc.nat(2),
      amount: fc.constantFrom(5, 25, 20_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("malformed" as const), which: fc.nat(MALFORMED.length - 1) }) },
);

const input = (item: Shape & { kind: "transaction" }) =>
  transaction(`t-${item.id}`, { user_id: `user-${item.user}`, amount: item.amount, latitude: item.user * 40, longitude: 10 });

const toRecord = (item: Shape, index: number): KinesisStreamRecord =>
  kinesisRecord(100 + index, item.kind === "malformed" ? MALFORMED[item.which]![0] : encode(input(item)));

function expectation(batch: readonly Shape[]) {
  const accepted = new Map<string, { readonly body: string; readonly user: string; readonly index: number }>();
  const quarantined = new Map<string, string>();
  for (const [index, item] of batch.entries()) {
    const position = `shardId-000000000000:${100 + index}`;
    if (item.kind === "malformed") {
      quarantined.set(position, MALFORMED[item.which]![1]);
      continue;
    }
    const body = JSON.stringify(input(item));
    const earlier = accepted.get(`t-${item.id}`);
    if (earlier === undefined) accepted.set(`t-${item.id}`, { body, user: `user-${item.user}`, index });
    else if (earlier.body !== body) quarantined.set(position, "duplicate_conflict");
  }
  return { accepted, quarantined };
}

interface Trouble {
  /** Port call at which the invocation dies; every later call of it fails too. */
  readonly dieAt: number;
  readonly fault: Exclude<Fault, "none" | "throttled">;
  readonly bisect: boolean;
  /** Only this one call fails and the function lives on. */
  readonly single: boolean;
}

/** Delivers like a Kinesis event source: retries from the reported record, after a crash the same range or its halves. */
async function deliver(world: StreamWorld, records: readonly KinesisStreamRecord[], troubles: Trouble[]): Promise<void> {
  let left = records;
  while (left.length > 0) {
    const trouble = troubles.pop();
    const start = world.calls;
    world.faults = (call) => {
      if (trouble === undefined) return "none";
      const at = call - start;
      if (at === trouble.dieAt) return trouble.fault;
      return at > trouble.dieAt && !trouble.single ? "before" : "none";
    };
    const response = await world.handler()(event(...left), context);
    const died = trouble !== undefined && !trouble.single && world.calls - start > trouble.dieAt;
    if (died) {
      // A dead invocation's answer never arrives.
      if (trouble.bisect && left.length > 1) {
        const middle = Math.floor(left.length / 2);
        await deliver(world, left.slice(0, middle), troubles);
        left = left.slice(middle);
      }
      continue;
    }
    const failed = response.batchItemFailures[0]?.itemIdentifier;
    if (failed === undefined) return;
    left = left.slice(left.findIndex((record) => record.kinesis.sequenceNumber === failed));
  }
}

function judge(world: StreamWorld, batch: readonly Shape[]): void {
  const { accepted, quarantined } = expectation(batch);
  expect([...world.results.keys()].sort()).toEqual([...accepted.keys()].sort());
  const lines = world.archived();
  expect(lines.map((line) => line.event_id).sort()).toEqual([...accepted.keys()].sort());
  for (const line of lines) {
    const result = world.results.get(line.event_id)!;
    expect({ score: line.score, band: line.band, flags: line.flags, features: line.features }).toEqual({
      score: result.decision.score,
      band: result.decision.band,
      flags: result.decision.flags,
      features: featureRecord(PROFILES.fraud.features, result.features),
    });
  }
  const risky = lines.filter((line) => line.band === "high" || line.band === "critical").map((line) => line.event_id);
  expect(new Set(world.archived("high-risk").map((line) => line.event_id))).toEqual(new Set(risky));
  const reasons = new Map(world.quarantined().map((line) => [line.source_position, line.reason]));
  expect(reasons).toEqual(quarantined);

  const states = new Map<string, unknown>();
  const features = new Map<string, object>();
  for (const [id, { body, user }] of [...accepted].sort(([, a], [, b]) => a.index - b.index)) {
    const token = world.tokeniser.token(user);
    const previous = (states.get(token) ?? null) as Parameters<typeof PROFILES.fraud.fold>[0];
    const accepted = PROFILES.fraud.normalise(JSON.parse(body) as Record<string, unknown>);
    const vector = new Float64Array(PROFILES.fraud.features.size);
    PROFILES.fraud.extract(accepted, previous, vector, accepted.occurredAtMs);
    features.set(id, featureRecord(PROFILES.fraud.features, vector));
    states.set(token, PROFILES.fraud.fold(previous, accepted, accepted.occurredAtMs));
  }
  // Every event was scored by what came before it, each counted once.
  expect(new Map(lines.map((line) => [line.event_id, line.features]))).toEqual(features);
  expect(new Map([...world.states].map(([token, { state }]) => [token, state]))).toEqual(states);
}

const trouble: fc.Arbitrary<Trouble> = fc.record({
  dieAt: fc.nat(30),
  fault: fc.constantFrom("before" as const, "after" as const),
  bisect: fc.boolean(),
  single: fc.boolean(),
});

describe("history of a shard", () => {
  it("leaves every event exactly once in results, archive and state after crashes, bisection and double delivery", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(shape, { minLength: 1, maxLength: 12 }),
        fc.array(trouble, { maxLength: 6 }),
        fc.nat(12),
        fc.nat(11),
        async (batch, troubles, first, cut) => {
          const world = new StreamWorld();
          const records = batch.map(toRecord);
          const left = [...troubles];
          await deliver(world, records.slice(0, first), left);
          await deliver(world, records.slice(first), left);
          judge(world, batch);
          await deliver(world, records, []);
          await deliver(world, records.slice(0, Math.min(cut, records.length)), []);
          await deliver(world, records.slice(cut), []);
          judge(world, batch);
        },
      ),
      { numRuns: 400, seed: 20261121 },
    );
  });

  it("survives a crash at each single port call of a batch, before and after the call's effect", async () => {
    const batch: Shape[] = [
      { kind: "transaction", id: 1, user: 0, amount: 25 },
      { kind: "malformed", which: 1 },
      { kind: "transaction", id: 2, user: 1, amount: 20_000 },
      { kind: "transaction", id: 1, user: 0, amount: 25 },
      { kind: "transaction", id: 2, user: 1, amount: 5 },
      { kind: "transaction", id: 3, user: 0, amount: 20_000 },
    ];
    const clean = new StreamWorld();
    await deliver(clean, batch.map(toRecord), []);
    expect(clean.calls).toBeGreaterThan(8);
    for (let dieAt = 0; dieAt < clean.calls; dieAt++) {
      for (const fault of ["before", "after"] as const) {
        for (const bisect of [false, true]) {
          for (const single of [false, true]) {
            const world = new StreamWorld();
            await deliver(world, batch.map(toRecord), [{ dieAt, fault, bisect, single }]);
            judge(world, batch);
          }
        }
      }
    }
  });
});
