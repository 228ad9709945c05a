import { describe, expect, it } from "vitest";
import { PROFILES } from "../../../functions/scoring/profiles";
import type { Patience } from "../../../functions/shared/patience";
import { decodeBase64 } from "../../../functions/stream/decode";
import type { StoredResult } from "../../../functions/stream/ports";
import { RecordFault } from "../../../functions/stream/record-fault";
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
    expect(
      [...world.objects.keys(), ...world.raw.keys()].every((key) => key.includes("/dt=2026-11-21/shardId-000000000000_1_10")),
    ).toBe(true);
    expect(JSON.stringify(world.archived())).not.toContain('"alice"');
    expect(world.lines.join()).not.toContain("alice");
  });

  it("reports nothing for an empty batch", async () => {
    expect(await new StreamWorld().handler()(event(), context)).toEqual({ batchItemFailures: [] });
  });

  it("reports the first record when nothing can be read", async () => {
    const world = new StreamWorld();
    world.faults = () => "before";
    expect(await world.handler()(event(...records(2)), context)).toEqual({ batchItemFailures: [{ itemIdentifier: "1" }] });
    expect(world.lines.some((line) => line.includes("batch_unfinished"))).toBe(true);
  });

  it("stops early when the time is nearly over, finishes earlier records and leaves the rest", async () => {
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

  it("reports the lowest refused alert and archives the records before it", async () => {
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
      expect(fresh.quarantined()).toMatchObject([{ reason: "scoring_error", event_id: method === "extract" ? "t-1" : null }]);
    }
  });

  it("waits for a throttled table until the time reserve, and reports where the next delivery continues", async () => {
    const world = new StreamWorld();
    let units = 7;
    world.faults = (_, port) => (port === "results.create" && units-- <= 0 ? "throttled" : "none");
    let left = 200;
    const hurried = { awsRequestId: "r", getRemainingTimeInMillis: () => (left-- > 0 ? 30_000 : 10) };
    const batch = records(100);
    const { batchItemFailures } = await world.handler()(event(...batch), hurried);
    expect(batchItemFailures).toEqual([{ itemIdentifier: "8" }]);
    expect(world.archived()).toHaveLength(7);
    expect(world.quarantined()).toEqual([]);
    expect(world.lines.some((line) => line.includes('"batch_waits"'))).toBe(true);
    expect(world.lines.join()).not.toContain("InfrastructureFailures");
    world.faults = () => "none";
    await world.handler()(event(...batch.slice(7)), context);
    expect(world.archived().map((line) => line.event_id)).toHaveLength(100);
    expect(new Set(world.archived().map((line) => line.event_id)).size).toBe(100);
  });

  it("stores as much as a slow table accepts within one invocation", async () => {
    const world = new StreamWorld();
    let calls = 0;
    world.faults = (_, port) => (port !== "objects.put" && port !== "objects.exists" && calls++ % 3 !== 0 ? "throttled" : "none");
    expect(await world.handler()(event(...records(60)), context)).toEqual({ batchItemFailures: [] });
    expect(world.archived()).toHaveLength(60);
    const emf = world.lines.map((line) => JSON.parse(line) as { Throttled?: number }).find((line) => "Throttled" in line);
    expect(emf?.Throttled).toBeGreaterThan(200);
  });

  it("fails as a whole at a record that makes the code fail, so that Lambda halves the batch, and quarantines it once it is alone", async () => {
    const world = new StreamWorld();
    const broken = {
      ...world.ports,
      results: {
        ...world.ports.results,
        create: async (result: StoredResult) => {
          if (result.eventId === "t-0") throw new RecordFault(new SyntaxError("Unexpected token"));
          return world.ports.results.create(result);
        },
      },
    };
    const [first, ...rest] = records(3);
    const handler = world.handler({ ports: broken });
    await expect(handler(event(first!, ...rest), context)).rejects.toThrow(/^SyntaxError at /);
    expect(await handler(event(first!), context)).toEqual({ batchItemFailures: [] });
    expect(await handler(event(...rest), context)).toEqual({ batchItemFailures: [] });
    expect(world.quarantined()).toMatchObject([
      { source_position: first!.eventID, reason: "processing_error", detail: expect.stringMatching(/^SyntaxError at /) },
    ]);
    expect(world.rawLines()).toMatchObject([{ position: first!.eventID, data: first!.kinesis.data }]);
    world.faults = (_, port) => (port === "objects.put" ? "before" : "none");
    expect(await handler(event(first!), context)).toEqual({ batchItemFailures: [{ itemIdentifier: "1" }] });
  });

  it("never mistakes an infrastructure fault for a fault of the record, whatever its class", async () => {
    const invalid = Object.assign(new Error("key schema"), { name: "ValidationException", $fault: "client", $metadata: {} });
    const html = new SyntaxError("Unexpected token '<'");
    for (const error of [html, invalid, new TypeError("fetch failed"), new RangeError("out of range")]) {
      const world = new StreamWorld();
      const failing = () => Promise.reject(error);
      const { results, states } = world.ports;
      const broken: Parameters<StreamWorld["handler"]>[0][] = [
        { policies: { current: failing } },
        { models: { current: failing } },
        { tokeniser: failing },
        { ports: { ...world.ports, results: { ...results, create: failing } } },
        { ports: { ...world.ports, states: { ...states, read: failing } } },
        { ports: { ...world.ports, states: { ...states, write: failing } } },
      ];
      for (const overrides of broken) {
        const answer = await world.handler(overrides)(event(...records(1)), context);
        expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "1" }] });
      }
      expect(world.quarantined()).toEqual([]);
      expect(await world.handler()(event(...records(1)), context)).toEqual({ batchItemFailures: [] });
      expect(world.archived()).toHaveLength(1);
    }
  });

  it("reports why a read was refused when nothing of a batch could be read", async () => {
    const world = new StreamWorld();
    const denied = Object.assign(new Error("not authorized to perform dynamodb:BatchGetItem"), { name: "AccessDeniedException" });
    const read = async (users: readonly string[]) => ({ found: new Map<string, never>(), unread: new Set(users), error: denied });
    const handler = world.handler({ ports: { ...world.ports, states: { ...world.ports.states, read } } });
    expect(await handler(event(...records(2)), context)).toEqual({ batchItemFailures: [{ itemIdentifier: "1" }] });
    expect(world.lines.join("\n")).toContain("not authorized to perform dynamodb:BatchGetItem");
    expect(await world.handler()(event(...records(2)), context)).toEqual({ batchItemFailures: [] });
    expect(world.archived()).toHaveLength(2);
  });

  it("scores a user's later events again when an earlier one turns out to belong to another record", async () => {
    const of = (...numbers: number[]) =>
      numbers.map((number) => kinesisRecord(number, encode(transaction(`a-${number}`, { amount: 10 * number }))));
    const featuresOf = (world: StreamWorld) =>
      new Map(["a-2", "a-4"].map((id) => [id, world.archived().find((line) => line.event_id === id)?.features]));
    const without = new StreamWorld();
    await without.handler()(event(...of(2, 4)), context);
    const counting = new StreamWorld();
    await counting.handler()(event(...of(1, 2, 3, 4)), context);
    expect(featuresOf(counting)).not.toEqual(featuresOf(without));
    for (const inputHash of [counting.results.get("a-1")!.inputHash, "ff".repeat(32)]) {
      const world = new StreamWorld();
      for (const id of ["a-1", "a-3"]) {
        const same = inputHash.startsWith("ffff") ? inputHash : counting.results.get(id)!.inputHash;
        const elsewhere = { sourcePosition: "shardId-000000000001:7", archiveKey: "elsewhere" };
        world.results.set(id, { ...counting.results.get(id)!, ...elsewhere, inputHash: same });
      }
      world.objects.set("elsewhere", Buffer.alloc(100));
      expect(await world.handler()(event(...of(1, 2, 3, 4)), context)).toEqual({ batchItemFailures: [] });
      expect(featuresOf(world)).toEqual(featuresOf(without));
      expect(world.archived()).toHaveLength(2);
      expect([...world.states.values()].map(({ state }) => state)).toEqual(
        [...without.states.values()].map(({ state }) => state),
      );
      expect(world.quarantined().map(({ event_id }) => event_id)).toEqual(inputHash.startsWith("ffff") ? ["a-1", "a-3"] : []);
    }
  });

  it("reads no results of new events, however many a user has, but those of events that the state counts already", async () => {
    const world = new StreamWorld();
    const reads: (readonly string[])[] = [];
    const ports = {
      ...world.ports,
      results: {
        ...world.ports.results,
        read: (ids: readonly string[], patience: Patience) => {
          reads.push(ids);
          return world.ports.results.read(ids, patience);
        },
      },
    };
    const handler = world.handler({ ports });
    await handler(event(...records(5)), context);
    expect(reads).toEqual([]);
    const alice = [20, 21, 22].map((sequence) => kinesisRecord(sequence, encode(transaction(`a-${sequence}`))));
    await handler(event(...alice), context);
    expect(reads).toEqual([]);
    await handler(event(...records(2)), context);
    expect(reads.at(-1)).toEqual(["t-0", "t-1"]);
  });

  it("quarantines an event whose archive line cannot be made, before its result is stored", async () => {
    const world = new StreamWorld();
    const columns: typeof PROFILES.fraud.columns = (input, features) => {
      if (input.transactionId === "t-1") throw new Error("no column");
      return PROFILES.fraud.columns(input, features);
    };
    await world.handler({ profile: { ...PROFILES.fraud, columns } as typeof PROFILES.fraud })(event(...records(3)), context);
    expect([...world.results.keys()]).toEqual(["t-0", "t-2"]);
    expect(world.quarantined()).toMatchObject([
      { reason: "scoring_error", event_id: "t-1", detail: expect.stringMatching(/^Error at /) },
    ]);
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
        create: async (result: StoredResult) => {
          if (world.results.size === 0) await world.handler()(event(elsewhere, conflicting), context);
          return world.ports.results.create(result);
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

it("accepts only strict base64", () => {
  expect(decodeBase64("e30=")?.toString()).toBe("{}");
  // The last is "e30=" with a bit set that no byte holds; "Ł" ends in the byte of "A".
  for (const text of ["e30", "e3 0=", "e30_", 7, undefined, "e3Ł=", "e===", "e30=e30=", "e31="])
    expect(decodeBase64(text)).toBeNull();
  for (let length = 0; length < 70; length++) {
    const bytes = Buffer.from(Array.from({ length }, (_, index) => (index * 37 + length) % 256));
    expect(decodeBase64(bytes.toString("base64"))).toEqual(bytes);
  }
});
