import avsc from "avsc";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AvroBytes, MAX_DEPTH } from "../../../functions/formats/avro/bytes";
import { AvroFault, SchemaFault } from "../../../functions/formats/avro/fault";
import { canonicalForm, fingerprint } from "../../../functions/formats/avro/fingerprint";
import { readerOf } from "../../../functions/formats/avro/read";
import { MAX_SCHEMA_LENGTH, parseSchema } from "../../../functions/formats/avro/schema";
import foreign from "./fixtures/fingerprints.json";

const readAs = (schema: unknown, bytes: readonly number[] | Uint8Array): unknown => {
  const cursor = new AvroBytes(Buffer.from(bytes));
  const value = readerOf(parseSchema(JSON.stringify(schema)))(cursor);
  expect(cursor.left).toBe(0);
  return value;
};

/** Zigzag, in as many bytes as it takes. */
const long = (value: bigint): number[] => {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; left >= 128n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  return [...bytes, Number(left)];
};

/** A type with values of it that both implementations show alike. */
interface Sample {
  readonly schema: object | string;
  readonly value: fc.Arbitrary<unknown>;
}

let names = 0;
const leaves: fc.Arbitrary<Sample> = fc.constantFrom<Sample>(
  { schema: "null", value: fc.constant(null) },
  { schema: "boolean", value: fc.boolean() },
  { schema: "int", value: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }) },
  // avsc writes longs beyond 2^52 wrong: -4503599627370497 becomes 4503599627370496.
  { schema: "long", value: fc.integer({ min: -(2 ** 52), max: 2 ** 52 }) },
  { schema: "double", value: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { schema: "float", value: fc.float({ noNaN: true, noDefaultInfinity: true }) },
  { schema: "string", value: fc.string({ unit: "grapheme" }) },
);
const samples: fc.Arbitrary<Sample> = fc.letrec<{ any: Sample }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaves,
    tie("any").map(({ schema, value }) => ({
      schema: { type: "array", items: schema },
      value: fc.array(value, { maxLength: 4 }),
    })),
    tie("any").map(({ schema, value }) => ({
      schema: { type: "map", values: schema },
      value: fc.dictionary(fc.string(), value, { maxKeys: 4, noNullPrototype: true }),
    })),
    fc.array(tie("any"), { maxLength: 4 }).map((parts) => ({
      schema: {
        type: "record",
        name: `R${names++}`,
        fields: parts.map(({ schema }, index) => ({ name: `f${index}`, type: schema })),
      },
      value: fc.record(Object.fromEntries(parts.map(({ value }, index) => [`f${index}`, value])), { noNullPrototype: true }),
    })),
    leaves
      .filter(({ schema }) => schema !== "null")
      .map(({ schema, value }) => ({ schema: ["null", schema], value: fc.option(value) })),
  ),
})).any;

describe("readerOf", () => {
  it("reads what another implementation writes", () => {
    const pairs = samples.chain(({ schema, value }) => value.map((one) => ({ schema, value: one })));
    fc.assert(
      fc.property(pairs, ({ schema, value }) => {
        const written = avsc.Type.forSchema(schema as avsc.Schema, { wrapUnions: false }).toBuffer(value);
        expect(readAs(schema, written)).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it("never throws anything but a fault, nor takes long, whatever the bytes", () => {
    fc.assert(
      fc.property(samples, fc.uint8Array({ maxLength: 64 }), ({ schema }, bytes) => {
        const read = readerOf(parseSchema(JSON.stringify(schema)));
        try {
          read(new AvroBytes(Buffer.from(bytes)));
        } catch (error) {
          expect(error).toBeInstanceOf(AvroFault);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("reads every long: as a number where that is exact, else as its text", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const expected = Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
        expect(readAs("long", long(value))).toBe(expected);
      }),
    );
    for (const edge of [2n ** 52n, 2n ** 53n - 1n, 2n ** 53n, -(2n ** 53n), 2n ** 27n, 2n ** 55n, -(2n ** 63n)]) {
      expect(String(readAs("long", long(edge)))).toBe(String(edge));
    }
  });

  it.each([
    ["a boolean of 2", "boolean", [2]],
    ["an int of 33 bits", "int", long(2n ** 31n)],
    ["an int of 64 bits", "int", long(2n ** 62n)],
    ["a long of 65 bits", "long", [...Array(9).fill(0xff), 2]],
    ["a long that ends too early", "long", [0x80]],
    ["a double that ends too early", "double", [0, 0]],
    ["a string longer than the data", "string", long(10n)],
    ["a string of a negative length", "string", long(-1n)],
    ["a string of 2^60 bytes", "string", long(2n ** 60n)],
    ["a string that isn't UTF-8", "string", [2, 0xff]],
    ["an unknown branch", ["null", "int"], [6]],
    ["a negative branch", ["null", "int"], [1]],
    ["an unknown symbol", { type: "enum", name: "E", symbols: ["A"] }, [2]],
    ["a fixed that ends too early", { type: "fixed", name: "F", size: 3 }, [0]],
    ["an array that claims 2^40 nulls", { type: "array", items: "null" }, [...long(2n ** 40n), 0]],
    ["an array that claims 2^62 entries", { type: "array", items: "int" }, long(2n ** 62n)],
    ["a decimal of 33 bytes", { type: "bytes", logicalType: "decimal", precision: 80, scale: 1 }, [66, ...Array(33).fill(1)]],
  ])("refuses %s", (_, schema, bytes) => {
    expect(() => readAs(schema, bytes)).toThrow(AvroFault);
  });

  it("keeps a U+FFFD that was sent, and reads a member named __proto__ like any other", () => {
    expect(readAs("string", [6, 0xef, 0xbf, 0xbd])).toBe("\ufffd");
    const map = readAs({ type: "map", values: "int" }, [2, 18, ...Buffer.from("__proto__"), 2, 0]);
    expect(Object.keys(map as object)).toEqual(["__proto__"]);
  });

  it("reads array blocks that give their size", () => {
    expect(readAs({ type: "array", items: "int" }, [3, 4, 2, 4, 2, 6, 0])).toEqual([1, 2, 3]);
  });

  it("reads a list that nests within itself, to a limit", () => {
    const list = { type: "record", name: "L", fields: [{ name: "next", type: ["null", "L"] }] };
    expect(readAs(list, [2, 2, 0])).toEqual({ next: { next: { next: null } } });
    expect(() => readAs(list, [...Array(MAX_DEPTH).fill(2), 0])).toThrow("nested");
    expect(() => readAs(list, Array(1_000_000).fill(2))).toThrow("nested");
  });
});

describe("logical types", () => {
  const decimal = (scale: number) => ({ type: "bytes", logicalType: "decimal", precision: 40, scale });
  const timestamp = (unit: string) => ({ type: "long", logicalType: unit });
  const noon = 1_772_366_400_000n;

  it.each([
    ["a decimal", decimal(2), [4, 0x30, 0x39], 123.45],
    ["a negative decimal", decimal(2), [4, 0xcf, 0xc7], -123.45],
    ["an empty decimal", decimal(2), [0], 0],
    ["a decimal of 15 digits", decimal(2), [14, ...Buffer.from("038d7ea4c67fff", "hex")], 9_999_999_999_999.99],
    ["the text of one with more", decimal(2), [16, ...Buffer.from("0de0b6b3a763ffff", "hex")], "9999999999999999.99"],
    [
      "the text of a small negative one with more",
      decimal(20),
      [16, ...Buffer.from("ff00000000000001", "hex")],
      "-0.00072057594037927935",
    ],
    ["an integer", decimal(0), [16, ...Buffer.from("001fffffffffffff", "hex")], 9_007_199_254_740_991],
    ["the text of a larger integer", decimal(0), [16, ...Buffer.from("0de0b6b3a763ffff", "hex")], "999999999999999999"],
    [
      "a fixed decimal",
      { type: "fixed", name: "D", size: 2, logicalType: "decimal", precision: 4, scale: 1 },
      [0xff, 0xff],
      -0.1,
    ],
    ["a date", { type: "int", logicalType: "date" }, long(20_513n), "2026-03-01"],
    ["a date before 1970", { type: "int", logicalType: "date" }, long(-1n), "1969-12-31"],
    ["the number of a day beyond the year 9999", { type: "int", logicalType: "date" }, long(3_000_000n), 259_200_000_000_000],
    ["milliseconds", timestamp("timestamp-millis"), long(noon + 7n), "2026-03-01T12:00:00.007Z"],
    ["microseconds", timestamp("timestamp-micros"), long(noon * 1000n + 7n), "2026-03-01T12:00:00.000007Z"],
    ["microseconds before 1970", timestamp("timestamp-micros"), long(-1n), "1969-12-31T23:59:59.999999Z"],
    ["nanoseconds", timestamp("timestamp-nanos"), long(noon * 1_000_000n + 7n), "2026-03-01T12:00:00.000000007Z"],
    ["nanoseconds before 1970", timestamp("timestamp-nanos"), long(-(2n ** 62n)), "1823-11-12T00:06:21.572612096Z"],
    ["a local time", timestamp("local-timestamp-millis"), long(noon), "2026-03-01T12:00:00.000"],
    ["the number of a time beyond the year 9999", timestamp("timestamp-millis"), long(2n ** 50n), 2 ** 50],
    ["a time of day", { type: "int", logicalType: "time-millis" }, long(3_600_007n), "01:00:00.007"],
    ["a time of day in microseconds", timestamp("time-micros"), long(3_600_007_000n), "01:00:00.007"],
    ["the number of what is no time of day", { type: "int", logicalType: "time-millis" }, long(-5n), -5],
    ["a UUID", { type: "string", logicalType: "uuid" }, [2, 0x61], "a"],
    [
      "a fixed UUID",
      { type: "fixed", name: "U", size: 16, logicalType: "uuid" },
      Array(16).fill(0xab),
      "abababab-abab-abab-abab-abababababab",
    ],
    ["an unknown one as what it is", { type: "int", logicalType: "celsius" }, long(3n), 3],
    ["one on a wrong type as what it is", { type: "long", logicalType: "date" }, long(3n), 3],
    ["a wrong decimal as what it is", { type: "bytes", logicalType: "decimal", precision: 1, scale: 2 }, [2, 0x61], "a"],
    ["bytes one character each", "bytes", [4, 0x61, 0xff], "a\u00ff"],
  ])("gives %s", (_, schema, bytes, expected) => {
    expect(readAs(schema, bytes)).toBe(expected);
    expect(readAs(["null", schema], [2, ...bytes])).toBe(expected);
  });
});

describe("parseSchema", () => {
  it.each([
    ["no JSON", "{", "define"],
    ["an unknown type", '"nothing"', "define"],
    ["a number", "7", "neither"],
    ["an empty union", "[]", "no branch"],
    ["a union in a union", '["int", ["null"]]', "no branch|union"],
    ["a branch twice", '["int", {"type":"int","logicalType":"date"}]', "two branches"],
    ["a record without fields", '{"type":"record","name":"R"}', "fields"],
    ["a record without a name", '{"type":"record","fields":[]}', "no name"],
    ["a field that is none", '{"type":"record","name":"R","fields":[1]}', "not an object"],
    [
      "two fields of one name",
      '{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}',
      "two fields",
    ],
    ["a name with a blank", '{"type":"record","name":"a b","fields":[]}', "letters"],
    ["a field named __proto__", '{"type":"record","name":"R","fields":[{"name":"__proto__","type":"int"}]}', "reserved"],
    ["an enum without symbols", '{"type":"enum","name":"E","symbols":[]}', "symbols"],
    ["an enum with a wrong default", '{"type":"enum","name":"E","symbols":["A"],"default":"B"}', "default"],
    ["a fixed of a gigabyte", '{"type":"fixed","name":"F","size":1e9}', "size"],
    ["a type twice", '[{"type":"fixed","name":"F","size":1},{"type":"enum","name":"F","symbols":["A"]}]', "twice"],
    ["deep nesting", `${'{"type":"array","items":'.repeat(100)}"int"${"}".repeat(100)}`, "nested"],
    ["a schema of more than a megabyte", `"${"x".repeat(MAX_SCHEMA_LENGTH)}"`, "characters"],
  ])("refuses %s", (_, text, message) => {
    expect(() => parseSchema(text)).toThrow(SchemaFault);
    expect(() => parseSchema(text)).toThrow(new RegExp(message));
  });

  it("finds names by namespace, and takes a bare type name", () => {
    expect(parseSchema("int")).toEqual({ kind: "int", logical: null });
    const schema = {
      type: "record",
      name: "a.b.R",
      fields: [
        { name: "x", type: { type: "enum", name: "E", symbols: ["A"] } },
        { name: "y", type: "E" },
        { name: "z", type: "a.b.E" },
        { name: "w", type: { type: "error", name: "W", namespace: "", fields: [] } },
        { name: "v", type: "W" },
      ],
    };
    expect(canonicalForm(parseSchema(JSON.stringify(schema)))).toContain('"name":"y","type":"a.b.E"');
  });
});

describe("fingerprint", () => {
  it.each(foreign.cases)(
    "agrees with another implementation about $canonical",
    ({ schema, canonical, fingerprint: expected }) => {
      const type = parseSchema(JSON.stringify(schema));
      expect(canonicalForm(type)).toBe(canonical);
      expect(fingerprint(type)).toBe(expected);
    },
  );
});
