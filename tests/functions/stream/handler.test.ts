import { describe, expect, it } from "vitest";
import { PROFILES } from "../../../functions/profiles";
import { decodeBase64 } from "../../../functions/stream/decode";
import { context, encode, event, kinesisRecord, StreamWorld, transaction } from "../../helpers/stream-world";

const records = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    kinesisRecord(index + 1, encode(transaction(`t-${index}`, { user_id: `u-${index}` }))),
  );

describe("stream handler", () => {
  it("scores, stores and archives, and measures what it did in one EMF line", async () => {
    const world = new StreamWorld();
    const risky = kinesisRecord(9, encode(transaction("risky", { amount: 20_000, location_mismatch: 1, velocity_flag: 1 })));
    const bad = kinesisRecord(10, "%%%");
    expect(await world.handler()(event(...records(3), risky, bad), context)).toEqual({ batchItemFailures: [] });
    const emf = world.lines.map((line) => JSON.parse(line) as Record<string, unknown>).find((line) => "_aws" in line);
    expect(emf).toMatchObject({ Records: 5, Scored: 4, Quarantined: 1, HighRisk: 1, Duplicates: 0, IteratorLag: 990 });
    expect(world.archived("high-risk").map((line) => line.event_id)).toEqual(["risky"]);
    expect(JSON.parse(world.published[0]!.detail)).toMatchObject({ eventId: "risky", record: { event_id: "risky" } });
    expect([...world.objects.keys()].every((key) => key.includes("/dt=2026-11-21/shardId-000000000000_1_10"))).toBe(true);
    expect(JSON.stringify(world.archived())).not.toContain('"alice"');
    expect(world.lines.join()).not.toContain("alice");
  });

  it("answers an empty batch with nothing", async () => {
    expect(await new StreamWorld().handler()(event(), context)).toEqual({ batchItemFailures: [] });
  });

  it("reports the first record when nothing can be read", async () => {
    const world = new StreamWorld();
    world.faults = () => "before";
    expect(await world.handler()(event(...records(2)), context)).toEqual({ batchItemFailures: [{ itemIdentifier: "1" }] });
    expect(world.lines.some((line) => line.includes("batch_failed"))).toBe(true);
  });

  it("stops early when the time is nearly over, finishes what is before and leaves the rest", async () => {
    const world = new StreamWorld();
    let asked = 0;
    const hurried = { awsRequestId: "r", getRemainingTimeInMillis: () => (asked++ < 60 ? 30_000 : 10) };
    const batch = records(100);
    const { batchItemFailures } = await world.handler()(event(...batch), hurried);
    const first = Number(batchItemFailures[0]?.itemIdentifier);
    expect(first).toBe(61);
    expect(world.archived()).toHaveLength(60);
    await world.handler()(event(...batch.slice(first - 1)), context);
    expect(new Set(world.archived().map((line) => line.event_id)).size).toBe(100);
    expect(world.archived()).toHaveLength(100);
  });

  it("reports the lowest refused alert and archives what is before it", async () => {
    const world = new StreamWorld();
    const risky = kinesisRecord(9, encode(transaction("risky", { amount: 20_000, location_mismatch: 1, velocity_flag: 1 })));
    const refusing = { ...world.ports, alerts: { publish: async () => [0] } };
    const answer = await world.handler({ ports: refusing })(event(...records(2), risky), context);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "9" }] });
    expect(world.archived()).toHaveLength(2);
  });

  it("quarantines a record that the core cannot score, and scores its neighbours", async () => {
    const breaking = (method: "extract" | "normalise") => ({
      ...PROFILES.fraud,
      [method]: (...args: never[]) => {
        if (JSON.stringify(args[0]).includes("t-1")) throw new Error("unexpected");
        return Reflect.apply(PROFILES.fraud[method], PROFILES.fraud, args) as never;
      },
    });
    for (const method of ["extract", "normalise"] as const) {
      const fresh = new StreamWorld();
      expect(await fresh.handler({ profile: breaking(method) })(event(...records(3)), context)).toEqual({
        batchItemFailures: [],
      });
      expect(fresh.archived().map((line) => line.event_id)).toEqual(["t-0", "t-2"]);
      expect(fresh.quarantined()).toMatchObject([{ reason: "scoring_error", event_id: "t-1", detail: "unexpected" }]);
    }
  });

  it("loses a race against another shard as a duplicate or a conflict, never twice", async () => {
    const world = new StreamWorld();
    const other = transaction("t-1", { user_id: "u-1" });
    const elsewhere = { ...kinesisRecord(5, encode(other)), eventID: "shardId-000000000001:5" };
    const conflicting = { ...kinesisRecord(6, encode({ ...other, transaction_id: "t-2" })), eventID: "shardId-000000000001:6" };
    const racing = {
      ...world.ports,
      results: {
        ...world.ports.results,
        read: async (ids: readonly string[]) => {
          const found = await world.ports.results.read(ids);
          if (world.results.size === 0) await world.handler()(event(elsewhere, conflicting), context);
          return found;
        },
      },
    };
    await world.handler({ ports: racing })(event(...records(3)), context);
    expect(
      world
        .archived()
        .map((line) => line.event_id)
        .sort(),
    ).toEqual(["t-0", "t-1", "t-2"]);
    expect(world.quarantined()).toMatchObject([{ reason: "duplicate_conflict", event_id: "t-2" }]);
  });
});

it("takes strict base64 only", () => {
  expect(decodeBase64("e30=")?.toString()).toBe("{}");
  // The last is "e30=" with a bit set that no byte holds; "Ł" ends in the byte of "A".
  for (const text of ["e30", "e3 0=", "e30_", 7, undefined, "e3Ł=", "e===", "e30=e30=", "e31="])
    expect(decodeBase64(text)).toBeNull();
  for (let length = 0; length < 70; length++) {
    const bytes = Buffer.from(Array.from({ length }, (_, index) => (index * 37 + length) % 256));
    expect(decodeBase64(bytes.toString("base64"))).toEqual(bytes);
  }
});
