import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import avsc from "avsc";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { fingerprint } from "../../../functions/formats/avro/fingerprint";
import { avroSchemaOf } from "../../../functions/formats/avro/profile-schema";
import { parseSchema } from "../../../functions/formats/avro/schema";
import { createWriterSchemas, type SchemaRegistry } from "../../../functions/formats/avro/writer-schemas";
import { createRecordFormats, RECORD_LIMITS } from "../../../functions/formats/decode";
import { FRAUD_SCHEMA } from "../../../functions/scoring/profiles/fraud/schema";

const OWN = JSON.stringify(avroSchemaOf("fraud", FRAUD_SCHEMA));
const PAYMENT = {
  type: "record",
  name: "Payment",
  namespace: "acme",
  fields: [
    { name: "transaction_id", type: { type: "string", logicalType: "uuid" } },
    { name: "user_id", type: "long" },
    { name: "amount", type: ["null", { type: "bytes", logicalType: "decimal", precision: 12, scale: 2 }] },
    { name: "timestamp", type: { type: "long", logicalType: "timestamp-millis" } },
    { name: "channel", type: { type: "enum", name: "Channel", symbols: ["web", "pos"] } },
    { name: "internal", type: "double" },
  ],
};
const OTHER = { type: "record", name: "Transaction", fields: [{ name: "x", type: "int" }] };
const ID = {
  payment: "00000000-0000-4000-8000-000000000001",
  other: "00000000-0000-4000-8000-000000000002",
  none: "00000000-0000-4000-8000-0000000000ff",
};
const VALUE = {
  transaction_id: "t-1",
  user_id: 7,
  amount: Buffer.from([0x30, 0x39]),
  timestamp: 1_772_366_400_000,
  channel: "pos",
  internal: 0.5,
};
const EXPECTED = {
  transaction_id: "t-1",
  user_id: 7,
  amount: 123.45,
  timestamp: "2026-03-01T12:00:00.000Z",
  channel: "pos",
};

const texts = new Map<string, string>();
const calls: string[] = [];
let now = 0;
let failure: Error | null = null;
const registry: SchemaRegistry = {
  async schema(id) {
    calls.push(id);
    if (failure !== null) throw failure;
    return texts.get(id) ?? null;
  },
  async versions() {
    calls.push("versions");
    return [...texts.keys()];
  },
};
const world = () => createRecordFormats(createWriterSchemas({ reader: OWN, registry, clock: { now: () => now } }));

const payload = (schema: object, value: unknown): Buffer =>
  avsc.Type.forSchema(schema as avsc.Schema, { wrapUnions: false }).toBuffer(value);
const uuidBytes = (id: string): Buffer => Buffer.from(id.replaceAll("-", ""), "hex");
const glue = (id: string, data: Buffer, compression: 0 | 5 = 0): Buffer =>
  Buffer.concat([Buffer.from([3, compression]), uuidBytes(id), compression === 5 ? deflateSync(data) : data]);
const singleObject = (schema: string, data: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0xc3, 1]), Buffer.from(fingerprint(parseSchema(schema)), "hex"), data]);

async function decode(...records: readonly Uint8Array[]) {
  const decoder = await world().decoderFor(records);
  return records.map(decoder);
}

beforeEach(() => {
  texts.clear();
  texts.set(ID.payment, JSON.stringify(PAYMENT)).set(ID.other, JSON.stringify(OTHER));
  calls.length = 0;
  now = 0;
  failure = null;
});

describe("decoderFor", () => {
  it("asks no registry for JSON", async () => {
    expect(await decode(Buffer.from('{"a":1}'), gzipSync('{"a":2}'), zstdCompressSync('{"a":3}'))).toEqual([
      { ok: true, value: { a: 1 } },
      { ok: true, value: { a: 2 } },
      { ok: true, value: { a: 3 } },
    ]);
    expect(calls).toEqual([]);
  });

  it("reads a record of a registered schema as the profile's, with its logical types inside unions, plain, in zlib, or in gzip", async () => {
    const plain = glue(ID.payment, payload(PAYMENT, VALUE));
    const decoded = await decode(plain, glue(ID.payment, payload(PAYMENT, VALUE), 5), gzipSync(plain));
    for (const one of decoded) {
      expect(one).toMatchObject({ ok: true, value: EXPECTED });
      expect(one.ok && one.value).not.toHaveProperty("internal");
    }
    expect(calls).toEqual([ID.payment]);
  });

  it("reads single-object encoding of the platform's own schema without a registry", async () => {
    const value = { transaction_id: "t", user_id: "u", amount: 1.5, timestamp: "2026-03-01T12:00:00Z" };
    const type = avsc.Type.forSchema(JSON.parse(OWN) as avsc.Schema, { wrapUnions: false });
    const full = { ...Object.fromEntries(Object.keys(FRAUD_SCHEMA.properties ?? {}).map((name) => [name, null])), ...value };
    const [decoded] = await decode(singleObject(OWN, type.toBuffer(full)));
    expect(decoded).toEqual({ ok: true, value: full });
    expect(calls).toEqual([]);
  });

  it("finds other fingerprints among the versions of the platform's schema, and lists them once a minute at most", async () => {
    const formats = world();
    const known = singleObject(JSON.stringify(PAYMENT), payload(PAYMENT, VALUE));
    const unknown = singleObject('"int"', Buffer.from([2]));
    for (let time = 0; time < 3; time++) {
      const decoder = await formats.decoderFor([known, unknown]);
      expect(decoder(known)).toMatchObject({ ok: true, value: EXPECTED });
      expect(decoder(unknown)).toMatchObject({ ok: false, problem: { reason: "unknown_schema" } });
    }
    expect(calls).toEqual(["versions", ID.payment, ID.other]);
    now = 61_000;
    await formats.decoderFor([unknown]);
    expect(calls.slice(3)).toEqual(["versions"]);
  });

  it("refuses what it can't read by name, and reads its neighbours", async () => {
    const good = glue(ID.payment, payload(PAYMENT, VALUE));
    const large = Buffer.alloc(RECORD_LIMITS.maxBytes + 1);
    const cases: readonly (readonly [Uint8Array, object])[] = [
      [glue(ID.none, Buffer.from([1])), { problem: { reason: "unknown_schema" } }],
      [Buffer.from([0, 0, 0, 0, 7, 1]), { problem: { reason: "unknown_schema", detail: expect.stringContaining("Confluent") } }],
      [
        glue(ID.other, Buffer.from([2])),
        { problem: { reason: "incompatible_schema", detail: expect.stringContaining("transaction_id") } },
      ],
      [good.subarray(0, -3), { problem: { reason: "avro_corrupt" } }],
      [
        Buffer.concat([good, Buffer.from([0])]),
        { problem: { reason: "avro_corrupt", detail: expect.stringContaining("behind") } },
      ],
      [glue(ID.payment, large), { reason: "too_large" }],
      [glue(ID.payment, large, 5), { problem: { reason: "unpacked_too_large" } }],
      [
        Buffer.concat([Buffer.from([3, 5]), uuidBytes(ID.payment), Buffer.from("x")]),
        { problem: { reason: "compressed_corrupt" } },
      ],
      [gzipSync(large), { problem: { reason: "unpacked_too_large" } }],
      [gzipSync("{}").subarray(0, -9), { problem: { reason: "compressed_corrupt" } }],
      [gzipSync(gzipSync("{}")), { problem: { reason: "compressed_twice" } }],
      [Buffer.from([3, 0, 1]), { reason: "not_json" }],
      [Buffer.from([3, 4, ...Array(20).fill(1)]), { reason: "not_json" }],
      [Buffer.from([0xc3, 1]), { reason: "not_utf8" }],
      [Buffer.from([0, 1]), { reason: "not_json" }],
    ];
    const decoded = await decode(good, ...cases.map(([bytes]) => bytes), good);
    expect(decoded.slice(1, -1)).toMatchObject(cases.map(([, expected]) => ({ ok: false, ...expected })));
    expect([decoded[0], decoded.at(-1)]).toMatchObject([{ value: EXPECTED }, { value: EXPECTED }]);
  });

  it("refuses numbers that JSON can't say or a double can't hold", async () => {
    const at = "2026-03-01T12:00:00Z";
    const inline = (amount: unknown) => ({
      type: "record",
      name: "T",
      fields: ["transaction_id", "user_id", "timestamp"]
        .map((name): object => ({ name, type: "string" }))
        .concat({ name: "amount", type: amount }),
    });
    const [double, long] = [inline("double"), inline("long")];
    texts.set(ID.payment, JSON.stringify(double)).set(ID.other, JSON.stringify(long));
    const value = { transaction_id: "t", user_id: "u", timestamp: at };
    const decoded = await decode(
      glue(ID.payment, payload(double, { ...value, amount: Number.NaN })),
      glue(
        ID.other,
        Buffer.concat([payload(long, { ...value, amount: 0 }).subarray(0, -1), Buffer.from([0xfe, ...Array(8).fill(0xff), 1])]),
      ),
    );
    expect(decoded).toMatchObject([
      { ok: false, reason: "invalid", cause: "not_finite" },
      { ok: false, problem: { reason: "invalid", detail: expect.stringContaining("double") } },
    ]);
  });

  it("rejects while the registry can't be asked, so that the records wait, and goes on when it can", async () => {
    const formats = world();
    const bytes = glue(ID.payment, payload(PAYMENT, VALUE));
    failure = new Error("down");
    await expect(formats.decoderFor([bytes])).rejects.toThrow("down");
    failure = null;
    expect((await formats.decoderFor([bytes]))(bytes)).toMatchObject({ value: EXPECTED });
  });

  it("asks again for an unknown id after a minute, and never again for a known one", async () => {
    const formats = world();
    const bytes = glue(ID.none, payload(PAYMENT, VALUE));
    for (const at of [0, 30_000, 59_999]) {
      now = at;
      expect((await formats.decoderFor([bytes]))(bytes)).toMatchObject({ problem: { reason: "unknown_schema" } });
    }
    expect(calls).toEqual([ID.none]);
    texts.set(ID.none, JSON.stringify(PAYMENT));
    now = 60_000;
    expect((await formats.decoderFor([bytes]))(bytes)).toMatchObject({ value: EXPECTED });
    now = 10 ** 9;
    await formats.decoderFor([bytes]);
    expect(calls).toEqual([ID.none, ID.none]);
  });

  it("takes a registered text that is no Avro schema for an incompatible one", async () => {
    texts.set(ID.other, "{");
    expect(await decode(glue(ID.other, Buffer.from([2])))).toMatchObject([{ problem: { reason: "incompatible_schema" } }]);
  });

  it("decodes a batch of more schemas than it keeps", async () => {
    const ids = Array.from({ length: 600 }, (_, index) => `00000000-0000-4000-9000-${String(index).padStart(12, "0")}`);
    for (const id of ids) texts.set(id, JSON.stringify(PAYMENT));
    const records = ids.map((id) => glue(id, payload(PAYMENT, VALUE)));
    const decoded = await decode(...records);
    expect(decoded.filter(({ ok }) => ok)).toHaveLength(600);
  });

  it("gives a value or a refusal for any bytes, and never throws", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.uint8Array(),
            fc.uint8Array().map((rest) => glue(ID.payment, Buffer.from(rest))),
          ),
        ),
        async (records) => {
          for (const one of await decode(...records)) expect(typeof one.ok).toBe("boolean");
        },
      ),
    );
  });

  it("refuses a schema that it was not asked to look up", async () => {
    const decoder = await world().decoderFor([]);
    expect(decoder(glue(ID.payment, Buffer.from([1])))).toMatchObject({ problem: { reason: "unknown_schema" } });
  });
});
