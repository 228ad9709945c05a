import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { TIME_FORMS } from "../../../functions/scoring/core/timestamp";
import { decodeJson, RECORD_LIMITS } from "../../../functions/stream/decode";
import { context, encode, event, kinesisRecord, StreamWorld, transaction } from "../../helpers/stream-world";

const json = Buffer.from(JSON.stringify(transaction("t")));
const reasonOf = (bytes: Uint8Array): string => {
  const decoded = decodeJson(bytes);
  return decoded.ok ? "ok" : decoded.reason;
};

describe("reading a record", () => {
  it.each([
    ["gzip", gzipSync(json), "compressed"],
    ["Zstandard", zstdCompressSync(json), "compressed"],
    ["an aggregate of the producer library", Buffer.concat([Buffer.from("f3899ac2", "hex"), json]), "aggregated"],
    ["gzip beyond the limit", Buffer.concat([gzipSync(json), Buffer.alloc(RECORD_LIMITS.maxBytes)]), "compressed"],
    ["text beyond the limit", Buffer.alloc(RECORD_LIMITS.maxBytes + 1, " "), "too_large"],
    ["other bytes", Buffer.from("28b500", "hex"), "not_utf8"],
    ["JSON", json, "ok"],
  ])("gives %s a reason of its own", (_, bytes, reason) => {
    expect(reasonOf(bytes)).toBe(reason);
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
