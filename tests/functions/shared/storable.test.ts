import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planObjects } from "../../../functions/archiver/archive-messages";
import { unpackLines } from "../../../functions/shared/ndjson";
import { fitBytes, MAX_TEXT_BYTES, storableText } from "../../../functions/shared/storable";
import { context, encode, event, kinesisRecord, StreamWorld, transaction } from "../../helpers/stream-world";

/** Halves of surrogate pairs and U+0000, which the warehouse refuses, wherever they stand. */
const unstorable = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const text = fc.string({
  unit: fc.constantFrom("a", "\\", '"', "\0", "u0000", "ud800", "\ud83d", "\ude00", "😀", "\u001f", "é"),
});

/** Column → bytes, of the tables that archive and quarantine lines are copied into. */
function columns(table: string): Readonly<Record<string, number>> {
  const sql = readFileSync(join("sql", "migrations", "0001_tables.sql"), "utf8");
  const body = sql.slice(sql.indexOf(`CREATE TABLE risk.${table} (`)).split("\n)\n")[0] ?? "";
  return Object.fromEntries(
    Array.from(body.matchAll(/^ {2}(\w+)\s+(?:VARCHAR|CHAR)\((\d+)\)/gm), ([, name, size]) => [name, Number(size)]),
  );
}

function expectFits(line: Readonly<Record<string, unknown>>, limits: Readonly<Record<string, number>>): void {
  for (const [name, limit] of Object.entries(limits)) {
    const value = line[name];
    if (typeof value === "string") expect([name, Buffer.byteLength(value) <= limit]).toEqual([name, true]);
  }
}

describe("storable text", () => {
  it("contains no U+0000 and no unpaired surrogate, and is otherwise unchanged", () => {
    fc.assert(
      fc.property(text, text, (name, value) => {
        const clean = (part: string) => part.replace(new RegExp(unstorable, "g"), "\ufffd");
        const stored = storableText(JSON.stringify({ [name]: [value] }));
        expect(stored).not.toMatch(unstorable);
        expect(JSON.parse(stored)).toEqual({ [clean(name)]: [clean(value)] });
      }),
      { numRuns: 500 },
    );
  });

  it("is cut between two characters, within its limit", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(40), (value, bytes) => {
        const cut = fitBytes(value, bytes);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(bytes);
        expect(value.startsWith(cut)).toBe(true);
        if (cut !== value) expect(Buffer.byteLength(cut)).toBeGreaterThan(bytes - 4);
      }),
    );
  });
});

describe("lines of the stream", () => {
  const hostile = (length: number) => "\0\ud800é𝒳İ".repeat(length).slice(0, length);

  it("fit the columns of the warehouse at the longest input that the schema accepts", async () => {
    const world = new StreamWorld();
    const longest = transaction("𝒳".repeat(64), {
      user_id: "é".repeat(128),
      category: "食İ".repeat(32),
      merchant_id: hostile(128),
      device_id: hostile(256),
      ip_address: hostile(64),
      email: hostile(320),
      channel: "食İ".repeat(32),
      country: "usa",
      currency: "usd",
    });
    await world.handler()(event(kinesisRecord(1, encode(longest))), context);
    const [line] = world.archived();
    const limits = columns("risk_events_staging");
    expect(limits).toMatchObject({ event_id: 512, category: 512, country: 256, currency: 64, input_hash: 64 });
    expectFits({ ...line }, limits);
    for (const [key, body] of world.objects) expect(unpackLines(key, body).join("\n")).not.toMatch(/\\u0000|\\ud[89a-f]|\0/);
  });

  it("fit the columns of the quarantine, whatever the stream contains", async () => {
    const world = new StreamWorld();
    const wrong = Object.fromEntries(
      ["amount", "timestamp", "currency", "category", "hour"].map((name) => [name, hostile(8000)]),
    );
    const records = [
      kinesisRecord(1, encode({ ...transaction(hostile(8000)), ...wrong, email: hostile(8000) })),
      kinesisRecord(2, "%".repeat(200_000)),
      kinesisRecord(3, Buffer.alloc(200_000, 0x80).toString("base64")),
      kinesisRecord(4, encode(hostile(20_000))),
    ];
    await world.handler()(event(...records), context);
    const limits = columns("quarantined_events_staging");
    expect(limits).toMatchObject({ source_position: 512, reason: 256, detail: MAX_TEXT_BYTES });
    const lines = world.quarantined();
    expect(lines).toHaveLength(4);
    for (const line of lines) {
      expectFits({ ...line }, limits);
      expect(JSON.stringify(line)).not.toMatch(/\\u0000|\\ud[89a-f]/);
    }
  });

  it("name the field of a refused personal value and quote none", async () => {
    const world = new StreamWorld();
    const refused = transaction("t-1", { user_id: true, email: ["alice@example.org"], latitude: 123.456, ip_address: 10.25 });
    const tooLong = transaction("t-2", { device_id: `alice-${"x".repeat(300)}`, longitude: "12.345 E" });
    await world.handler()(event(kinesisRecord(1, encode(refused)), kinesisRecord(2, encode(tooLong))), context);
    const details = world.quarantined().map(({ detail }) => detail);
    expect(details[0]).toContain("/latitude: Expected a number <= 90.");
    expect(details[0]).toContain("/email: Expected a string or null.");
    expect(details[1]).toContain("/device_id: Expected at most 256 characters.");
    expect(JSON.stringify(world.quarantined()) + world.lines.join()).not.toMatch(/alice|123\.456|10\.25|12\.345/);
  });
});

describe("lines of the archiver", () => {
  it("fit the warehouse for events with any content", () => {
    const record = { event_id: "1", profile: "lead", scored_at: "2026-11-21T10:00:00.000Z", input: { industry: "\ud800x" } };
    const planned = planObjects([{ id: "a", body: JSON.stringify({ detail: { record } }), sentAtMs: 0 }]);
    const [archived] = planned.flatMap((object) => ("lines" in object ? object.lines : []));
    expect(JSON.parse(archived ?? "")).toMatchObject({ event_id: "1", input: { industry: "\ufffdx" } });
  });
});
