import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { RECORD_LIMITS } from "../../../functions/formats/decode";
import { TIME_FORMS } from "../../../functions/scoring/core/timestamp";
import { PROFILES } from "../../../functions/scoring/profiles";
import { RecordFault } from "../../../functions/stream/record-fault";
import { recordFormats } from "../../../functions/stream/record-formats";
import { context, encode, event, kinesisRecord, StreamWorld, transaction } from "../../helpers/stream-world";
import foreign from "../formats/fixtures/aggregates.json";

const aggregate = Buffer.from(foreign.aggregate, "base64");
const [first = ["", ""]] = foreign.records;

describe("reading a record", () => {
  it("scores compressed records like plain ones, and tells those in quarantine apart", async () => {
    const world = new StreamWorld();
    const json = Buffer.from(JSON.stringify(transaction("t")));
    const payloads = [
      gzipSync(JSON.stringify(transaction("a"))),
      zstdCompressSync(JSON.stringify(transaction("b"))),
      Buffer.from("28b500", "hex"),
      gzipSync(json).subarray(0, -1),
      gzipSync(gzipSync(json)),
      zstdCompressSync(Buffer.alloc(10_000_000)),
      // Aggregates are never compressed.
      gzipSync(aggregate),
    ];
    const records = payloads.map((bytes, index) => kinesisRecord(index + 1, bytes.toString("base64")));
    expect(await world.handler()(event(...records), context)).toEqual({ batchItemFailures: [] });
    expect(world.archived().map(({ event_id }) => event_id)).toEqual(["a", "b"]);
    const reasons = ["not_utf8", "compressed_corrupt", "compressed_twice", "unpacked_too_large", "not_utf8"];
    expect(world.quarantined().map(({ reason }) => reason)).toEqual(reasons);
    expect(world.rawLines().map(({ data }) => data)).toEqual(payloads.slice(2).map((bytes) => bytes.toString("base64")));
  });

  it("scores each record of an aggregate as one of its own, once, however often it is delivered", async () => {
    const world = new StreamWorld();
    const handler = world.handler({ maxAgeMs: 10 * 365 * 86_400_000 });
    const delivered = event(
      kinesisRecord(1, encode(transaction("a"))),
      kinesisRecord(2, aggregate.toString("base64")),
      kinesisRecord(3, encode(transaction("b"))),
    );
    for (let delivery = 0; delivery < 2; delivery++) expect(await handler(delivered, context)).toEqual({ batchItemFailures: [] });
    const archived = world.archived();
    expect(archived.map(({ event_id }) => event_id)).toEqual(["a", "t-0", "t-1", "t-2", "t-3", "t-4", "b"]);
    const base = kinesisRecord(2, "").eventID;
    expect(archived.map(({ source_position }) => source_position).slice(1, 3)).toEqual([`${base}:0`, `${base}:1`]);
    const counts = archived.filter(({ event_id }) => event_id === "t-4").map(({ features }) => features.count_5m);
    expect(counts).toEqual([3]);
  });

  it("reports the aggregate when some of its records are unfinished, and scores the rest at the next delivery", async () => {
    const world = new StreamWorld();
    const handler = world.handler({ maxAgeMs: 10 * 365 * 86_400_000 });
    const delivered = event(kinesisRecord(1, encode(transaction("a"))), kinesisRecord(2, aggregate.toString("base64")));
    let creates = 0;
    world.faults = (_, port) => (port === "results.create" && ++creates > 3 ? "before" : "none");
    const { sequenceNumber } = kinesisRecord(2, "").kinesis;
    expect(await handler(delivered, context)).toEqual({ batchItemFailures: [{ itemIdentifier: sequenceNumber }] });
    expect(world.archived()).toHaveLength(3);
    world.faults = () => "none";
    expect(await handler(event(kinesisRecord(2, aggregate.toString("base64"))), context)).toEqual({ batchItemFailures: [] });
    const ids = world.archived().map(({ event_id }) => event_id);
    expect([...ids].sort()).toEqual(["a", "t-0", "t-1", "t-2", "t-3", "t-4"]);
  });

  it("quarantines one record of an aggregate with its own bytes and partition key, and a damaged aggregate whole", async () => {
    const world = new StreamWorld();
    const damaged = Buffer.from(aggregate);
    damaged[20]! ^= 1;
    const records = [kinesisRecord(1, aggregate.toString("base64")), kinesisRecord(2, damaged.toString("base64"))];
    // Too old for this handler, each of them.
    expect(await world.handler({ maxAgeMs: 1 })(event(...records), context)).toEqual({ batchItemFailures: [] });
    expect(world.quarantined().map(({ reason }) => reason)).toEqual([
      ...Array(5).fill("timestamp_out_of_range"),
      "aggregated_corrupt",
    ]);
    const raw = world.rawLines();
    expect(raw[0]).toMatchObject({ partition_key: first[0], data: Buffer.from(first[1] ?? "").toString("base64") });
    expect(raw[5]).toMatchObject({ partition_key: records[1]?.kinesis.partitionKey, data: damaged.toString("base64") });
  });

  it("sets aside the one record of an aggregate that makes the code fail, since Lambda can't halve it", async () => {
    const world = new StreamWorld();
    const handler = world.handler({
      maxAgeMs: 10 * 365 * 86_400_000,
      ports: {
        ...world.ports,
        results: {
          ...world.ports.results,
          create: (result) => {
            if (result.eventId === "t-2") throw new RecordFault(new Error("bug"));
            return world.ports.results.create(result);
          },
        },
      },
    });
    expect(await handler(event(kinesisRecord(1, aggregate.toString("base64"))), context)).toEqual({ batchItemFailures: [] });
    expect(world.archived().map(({ event_id }) => event_id)).toEqual(["t-0", "t-1", "t-3", "t-4"]);
    expect(world.quarantined().map(({ reason }) => reason)).toEqual(["processing_error"]);
  });

  it("waits while the schema registry can't be asked, and quarantines what it doesn't know", async () => {
    const world = new StreamWorld();
    const down = { schema: () => Promise.reject(new Error("down")), versions: async () => [] };
    const named = Buffer.concat([Buffer.from([3, 0]), Buffer.alloc(16, 7), Buffer.from([2])]);
    const delivered = event(kinesisRecord(1, encode(transaction("a"))), kinesisRecord(2, named.toString("base64")));
    const clock = { now: () => 0 };
    const waiting = world.handler({ formats: recordFormats(PROFILES.fraud, down, clock) });
    const [record] = delivered.Records;
    expect(await waiting(delivered, context)).toEqual({
      batchItemFailures: [{ itemIdentifier: record?.kinesis.sequenceNumber }],
    });
    expect(world.quarantined()).toEqual([]);
    expect(await world.handler()(delivered, context)).toEqual({ batchItemFailures: [] });
    expect(world.archived()).toHaveLength(1);
    expect(world.quarantined()).toMatchObject([{ reason: "unknown_schema" }]);
  });

  it("tells what a record was refused for, and quotes nothing of it", async () => {
    const world = new StreamWorld();
    const nested = (levels: number) => `${"[".repeat(levels)}1${"]".repeat(levels)}`;
    const texts = [
      '{"a":1e999}',
      '{"a":-1e999}',
      nested(RECORD_LIMITS.maxDepth + 1),
      '{"a":{"__proto__":1}}',
      '{"constructor":1}',
      " ".repeat(RECORD_LIMITS.maxBytes + 1),
    ];
    const records = texts.map((text, index) => kinesisRecord(index + 1, Buffer.from(text).toString("base64")));
    expect(await world.handler()(event(...records), context)).toEqual({ batchItemFailures: [] });
    const infinite = "Expected finite numbers, got one beyond the range of a double.";
    const reserved = "Expected no member named __proto__, constructor or prototype, got one.";
    expect(world.quarantined().map(({ reason, detail }) => [reason, detail])).toEqual([
      ["invalid", infinite],
      ["invalid", infinite],
      ["invalid", "Expected at most 16 levels of nesting, got more."],
      ["invalid", reserved],
      ["invalid", reserved],
      ["too_large", "Expected at most 65536 bytes, got more."],
    ]);
  });

  it("quarantines a record that repeats a name, and one whose id no store would give back", async () => {
    const world = new StreamWorld();
    const twice = Buffer.from(`${JSON.stringify(transaction("a")).slice(0, -1)},"amount":1}`).toString("base64");
    const records = [
      kinesisRecord(1, twice),
      kinesisRecord(2, encode(transaction("X\0b"))),
      kinesisRecord(3, encode(transaction("X\ud800b"))),
      kinesisRecord(4, encode(transaction("X\ufffdb"))),
      kinesisRecord(5, encode(transaction("u", { user_id: "a\udc00" }))),
    ];
    expect(await world.handler()(event(...records), context)).toEqual({ batchItemFailures: [] });
    expect(world.archived().map(({ event_id }) => event_id)).toEqual(["X\ufffdb"]);
    expect(world.quarantined().map(({ reason }) => reason)).toEqual(["duplicate_name", "invalid", "invalid", "invalid"]);
  });

  it("doesn't take a year below 100 for one of the last century", async () => {
    const world = new StreamWorld();
    await world.handler()(event(kinesisRecord(1, encode(transaction("a", { timestamp: "0001-02-03T00:00:00Z" })))), context);
    expect(world.quarantined()[0]).toMatchObject({ reason: "invalid", detail: `/timestamp: ${TIME_FORMS}.` });
  });
});
