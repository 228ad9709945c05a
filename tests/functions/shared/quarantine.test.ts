import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unpackLines } from "../../../functions/shared/ndjson";
import { type QuarantinedRecord, quarantine, type RawLine } from "../../../functions/shared/quarantine";
import { context, encode, event, kinesisRecord, StreamWorld, transaction } from "../../helpers/stream-world";

const KEY = "quarantine/fraud/dt=2026-11-21/shard_1_2.ndjson.zst";
const record = (bytes: Uint8Array, position = "shard:1"): QuarantinedRecord => ({
  position,
  source: "kinesis",
  profile: "fraud",
  arrivedAtMs: 0,
  reason: "not_json",
  detail: "Expected JSON.",
  eventId: null,
  bytes,
  partitionKey: "key",
});
const linesOf = (body: Uint8Array | undefined) => unpackLines(KEY, body ?? new Uint8Array());

function stores() {
  const [objects, raw] = [new Map<string, Uint8Array>(), new Map<string, Uint8Array>()];
  const writes: string[] = [];
  const storeIn = (map: Map<string, Uint8Array>, name: string) => ({
    putIfAbsent: async (key: string, body: Uint8Array) => {
      writes.push(name);
      if (map.has(key)) return "exists" as const;
      map.set(key, body);
      return "created" as const;
    },
  });
  return { objects, raw, writes, ports: { objects: storeIn(objects, "line"), raw: storeIn(raw, "raw") } };
}

describe("quarantine", () => {
  it("keeps every record byte for byte, and each line points to its own", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 }), async (contents) => {
        const { objects, raw, ports } = stores();
        await quarantine(
          contents.map((bytes, index) => record(bytes, `shard:${index}`)),
          KEY,
          ports,
        );
        const lines = [...objects.values()].flatMap(linesOf).map((line) => JSON.parse(line));
        expect(lines).toHaveLength(contents.length);
        for (const [index, { source_position, raw_key, raw_line, size_bytes }] of lines.entries()) {
          const kept = JSON.parse(linesOf(raw.get(raw_key))[raw_line - 1] ?? "") as RawLine;
          expect(kept.position).toBe(source_position);
          expect(new Uint8Array(Buffer.from(kept.data, "base64"))).toEqual(contents[index]);
          expect(size_bytes).toBe(contents[index]?.length);
        }
      }),
    );
  });

  it("writes the raw records first, so that no line points to nothing, and the same records give the same object", async () => {
    const { objects, raw, writes, ports } = stores();
    await quarantine([record(Buffer.from("a"))], KEY, ports);
    await quarantine([record(Buffer.from("a"))], KEY, ports);
    expect(writes).toEqual(["raw", "line", "raw", "line"]);
    expect([objects.size, raw.size]).toEqual([1, 1]);
  });

  it("loses nothing when a later delivery of the range refuses another record", async () => {
    const { objects, raw, ports } = stores();
    await quarantine([record(Buffer.from("a"))], KEY, ports);
    await quarantine([record(Buffer.from("a")), record(Buffer.from("b"), "shard:2")], KEY, ports);
    expect([objects.size, raw.size]).toEqual([2, 2]);
    expect([...raw.values()].flatMap(linesOf)).toHaveLength(3);
  });

  it("writes nothing for a batch without refused records", async () => {
    const { writes, ports } = stores();
    await quarantine([], KEY, ports);
    expect(writes).toEqual([]);
  });
});

describe("the stream's quarantine", () => {
  const secret = "alice@example.org";
  const poison = [
    Buffer.from(`{"user_id": "${secret}`).toString("base64"),
    Buffer.from(`["${secret}"]`).toString("base64"),
    Buffer.from(`{"${secret}": {"deep": 1e999}}`).toString("base64"),
    Buffer.alloc(100_000, secret).toString("base64"),
    encode(transaction("t-1", { amount: secret, [secret]: "x".repeat(9000), category: secret })),
    encode(transaction(secret, { amount: -1e12 })),
    encode(transaction("t-2", { timestamp: "1971-12-10T00:00:00Z", email: secret })),
    `${secret} is no base64`,
    Buffer.from([0xff, 0xfe]).toString("base64"),
  ];

  it("keeps every record whole with its partition key, and neither lines nor logs quote anything of it", async () => {
    const world = new StreamWorld();
    const records = poison.map((data, index) => kinesisRecord(index + 1, data));
    expect(await world.handler()(event(...records), context)).toEqual({ batchItemFailures: [] });
    expect(world.quarantined()).toHaveLength(poison.length);
    expect(JSON.stringify(world.quarantined()) + world.lines.join()).not.toMatch(/alice|1971/);
    expect(world.quarantined().map(({ event_id }) => event_id)).toEqual(poison.map((_, index) => (index === 6 ? "t-2" : null)));
    for (const [index, raw] of world.rawLines().entries()) {
      const sent = poison[index] as string;
      const isText = sent.includes(" ");
      expect(raw).toMatchObject({ position: records[index]?.eventID, partition_key: "key" });
      expect(Buffer.from(raw.data, "base64")).toEqual(isText ? Buffer.from(sent) : Buffer.from(sent, "base64"));
    }
  });

  it("holds up the record when the raw bucket does not take it, and writes no line", async () => {
    const world = new StreamWorld();
    world.faults = (_, port) => (port === "raw.put" ? "before" : "none");
    expect(await world.handler()(event(kinesisRecord(1, "e30=")), context)).toEqual({
      batchItemFailures: [{ itemIdentifier: "1" }],
    });
    expect(world.quarantined()).toEqual([]);
  });
});
