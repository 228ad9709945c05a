import avsc from "avsc";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AvroBytes } from "../../../functions/formats/avro/bytes";
import { AvroFault, ResolutionFault } from "../../../functions/formats/avro/fault";
import { avroSchemaOf } from "../../../functions/formats/avro/profile-schema";
import { resolve } from "../../../functions/formats/avro/resolve";
import { parseSchema } from "../../../functions/formats/avro/schema";
import { FRAUD_SCHEMA } from "../../../functions/scoring/profiles/fraud/schema";

type Schema = string | readonly Schema[] | { readonly [name: string]: unknown };

const resolved = (writer: Schema, reader: Schema) =>
  resolve(parseSchema(JSON.stringify(writer)), parseSchema(JSON.stringify(reader)));

function translate(writer: Schema, reader: Schema, value: unknown) {
  const bytes = avsc.Type.forSchema(writer as avsc.Schema, { wrapUnions: false }).toBuffer(value);
  const cursor = new AvroBytes(bytes);
  const read = resolved(writer, reader)(cursor);
  expect(cursor.left).toBe(0);
  return { value: read, inexact: cursor.inexact };
}

const record = (name: string, ...fields: readonly object[]): Schema => ({ type: "record", name, fields });
const DECIMAL = { type: "bytes", logicalType: "decimal", precision: 20, scale: 2 };
const MILLIS = { type: "long", logicalType: "timestamp-millis" };
const NOON_MS = 1_772_366_400_000;

describe("resolve", () => {
  it.each([
    ["int", "long", 7, 7],
    ["int", "double", 7, 7],
    ["int", "float", 7, 7],
    ["long", "float", 7, 7],
    ["long", "double", 7, 7],
    ["float", "double", 0.5, 0.5],
    ["bytes", "string", Buffer.from("ä"), "ä"],
    ["string", "bytes", "ä", "\u00c3\u00a4"],
    ["null", "null", null, null],
    ["boolean", "boolean", true, true],
  ])("promotes %s to %s", (writer, reader, value, expected) => {
    expect(translate(writer, reader, value).value).toBe(expected);
  });

  it.each([
    ["long", "int"],
    ["double", "float"],
    ["float", "long"],
    ["string", "int"],
    ["null", "string"],
    ["boolean", "long"],
    [
      { type: "array", items: "string" },
      { type: "array", items: "int" },
    ],
    [{ type: "map", values: "string" }, "string"],
    [record("R"), "string"],
    ["string", record("R")],
    [
      { type: "fixed", name: "F", size: 2 },
      { type: "fixed", name: "F", size: 3 },
    ],
    [
      { type: "fixed", name: "F", size: 2 },
      { type: "fixed", name: "G", size: 2 },
    ],
    [{ type: "fixed", name: "F", size: 2 }, "string"],
    [
      { type: "enum", name: "E", symbols: ["A"] },
      { type: "enum", name: "D", symbols: ["A"] },
    ],
    [{ type: "enum", name: "E", symbols: ["A"] }, "int"],
    [["string", "boolean"], "int"],
    ["string", ["null", "int"]],
  ] as [Schema, Schema][])("refuses %j for %j", (writer, reader) => {
    expect(() => resolved(writer, reader)).toThrow(ResolutionFault);
  });

  it("takes fields by name in any order, skips others, and fills in defaults of every type", () => {
    const writer = record(
      "W",
      { name: "z", type: { type: "array", items: "double" } },
      { name: "b", type: "int" },
      { name: "a", type: "string" },
    );
    const defaults: readonly (readonly [Schema, unknown, unknown?])[] = [
      [["null", "int"], null],
      [["int", "null"], 4],
      [["int", "null"], null],
      ["boolean", true],
      ["long", 5],
      ["double", 0.5],
      ["string", "s"],
      ["bytes", "\u00ff"],
      [{ type: "fixed", name: "F", size: 1 }, "\u0001"],
      [{ type: "enum", name: "E", symbols: ["A"] }, "A"],
      [{ type: "array", items: "int" }, [1]],
      [{ type: "map", values: "int" }, { x: 1 }],
      [record("D", { name: "p", type: "int" }, { name: "q", type: "int", default: 2 }), { p: 1 }, { p: 1, q: 2 }],
      [{ type: "int", logicalType: "date" }, 1, "1970-01-02"],
      [{ type: "int", logicalType: "time-millis" }, 1, "00:00:00.001"],
      [MILLIS, 1, "1970-01-01T00:00:00.001Z"],
      [DECIMAL, "\u0001", 0.01],
    ];
    const fields = defaults.map(([type, value], index) => ({ name: `d${index}`, type, default: value }));
    const reader = record("R", { name: "a", type: "string" }, { name: "b", type: "long" }, ...fields);
    const expected = Object.fromEntries(defaults.map(([, value, shown = value], index) => [`d${index}`, shown]));
    expect(translate(writer, reader, { z: [1, 2], b: 3, a: "x" }).value).toEqual({ a: "x", b: 3, ...expected });
  });

  it("gives each record a default of its own", () => {
    const read = resolved(record("W"), record("W", { name: "list", type: { type: "array", items: "int" }, default: [1] }));
    const first = read(new AvroBytes(Buffer.alloc(0))) as { list: number[] };
    first.list.push(2);
    expect(read(new AvroBytes(Buffer.alloc(0)))).toEqual({ list: [1] });
  });

  it.each([
    ["null", 1],
    ["boolean", 1],
    ["int", 0.5],
    ["double", "1"],
    ["string", 1],
    [{ type: "enum", name: "E", symbols: ["A"] }, "B"],
    [{ type: "array", items: "int" }, {}],
    [{ type: "map", values: "int" }, []],
    [record("D"), 1],
    [["null", "int"], "x"],
  ] as [Schema, unknown][])("refuses a default of %j that is %j", (type, value) => {
    expect(() => resolved(record("W"), record("W", { name: "d", type, default: value }))).toThrow("default");
  });

  it("names the field of the reader that is missing, or of another type", () => {
    const reader = record("R", { name: "amount", type: "double" });
    expect(() => resolved(record("W", { name: "sum", type: "double" }), reader)).toThrow("Field amount is missing");
    expect(() => resolved(record("W", { name: "amount", type: "string" }), reader)).toThrow(
      "Field amount: Expected the type double",
    );
  });

  it("takes a field by an alias of the reader's, unless the writer has one of the name itself", () => {
    const reader = record("R", { name: "id", aliases: ["transactionId"], type: "string" });
    expect(translate(record("W", { name: "transactionId", type: "string" }), reader, { transactionId: "a" }).value).toEqual({
      id: "a",
    });
    const both = record("W", { name: "transactionId", type: "string" }, { name: "id", type: "string" });
    expect(translate(both, reader, { transactionId: "a", id: "b" }).value).toEqual({ id: "b" });
  });

  it("takes enums by name, alias and symbol, and an unknown symbol as the reader's default", () => {
    const writer = { type: "enum", name: "x.E", symbols: ["A", "B"] };
    expect(translate(writer, { type: "enum", name: "E", symbols: ["B", "A"] }, "A").value).toBe("A");
    expect(translate(writer, { type: "enum", name: "D", aliases: ["x.E"], symbols: ["A"], default: "A" }, "B").value).toBe("A");
    expect(() => translate(writer, { type: "enum", name: "E", symbols: ["A"] }, "B")).toThrow(AvroFault);
    expect(translate(writer, "string", "B").value).toBe("B");
  });

  it("resolves unions of the writer branch by branch: one that isn't taken only matters when it comes", () => {
    expect(translate(["string", "int"], "long", 5).value).toBe(5);
    expect(() => translate(["string", "int"], "long", "x")).toThrow(AvroFault);
    expect(translate(["null", "int"], ["null", "double"], null).value).toBe(null);
  });

  it("prefers the reader's branch of the same type or name over one that it could be promoted to", () => {
    const exact = resolved("string", ["bytes", "string"]);
    expect(exact(new AvroBytes(Buffer.from([4, 0xc3, 0xa4])))).toBe("ä");
    const one = record("One", { name: "a", type: "int", default: 1 });
    const two = record("Two", { name: "b", type: "int", default: 2 });
    expect(translate(two, [one, two], { b: 5 }).value).toEqual({ b: 5 });
    expect(translate(record("Three", { name: "c", type: "int" }), [one, two], { c: 5 }).value).toEqual({ a: 1 });
  });

  it("resolves types that refer to themselves, also where one of two branches can't be taken", () => {
    const tree = (...more: readonly object[]) =>
      record("T", { name: "value", type: "int" }, { name: "next", type: ["null", "T"] }, ...more);
    const value = { value: 1, next: { value: 2, next: null } };
    const reader = tree({ name: "extra", type: "string", default: "e" });
    expect(translate(tree(), reader, value).value).toEqual({ value: 1, extra: "e", next: { value: 2, next: null, extra: "e" } });
    const strict = tree({ name: "extra", type: "string" });
    expect(() => resolved(tree(), strict)).toThrow("extra");
    expect(translate(["null", tree()], ["null", tree()], value).value).toEqual(value);
  });

  it("takes logical types as what they are in JSON, also inside unions", () => {
    const bytes = (unscaled: number) => Buffer.from([unscaled >> 8, unscaled & 255]);
    expect(translate(DECIMAL, "double", bytes(1234)).value).toBe(12.34);
    expect(translate(["null", DECIMAL], ["null", "double"], bytes(1234)).value).toBe(12.34);
    expect(translate(MILLIS, ["string", "double"], NOON_MS).value).toBe("2026-03-01T12:00:00.000Z");
    expect(translate({ ...DECIMAL, scale: 0 }, ["string", "long"], bytes(1234)).value).toBe(1234);
    expect(translate({ type: "string", logicalType: "uuid" }, "string", "u").value).toBe("u");
  });

  it("takes the plain number of a logical type that the reader doesn't know, and the reader's type where the writer has none", () => {
    expect(translate(MILLIS, "double", NOON_MS).value).toBe(NOON_MS);
    expect(translate("long", MILLIS, NOON_MS).value).toBe("2026-03-01T12:00:00.000Z");
    expect(translate(MILLIS, MILLIS, NOON_MS).value).toBe("2026-03-01T12:00:00.000Z");
    expect(translate({ type: "int", logicalType: "date" }, ["null", { type: "int", logicalType: "date" }], 1).value).toBe(
      "1970-01-02",
    );
  });

  it("gives the exact text of a large long where text is taken, and says that a number is inexact", () => {
    const large = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
    expect(resolved("long", ["string", "long"])(new AvroBytes(large))).toBe("9223372036854775807");
    for (const reader of ["long", "double", ["null", "double"]] as Schema[]) {
      const cursor = new AvroBytes(large);
      resolved("long", reader)(cursor);
      expect(cursor.inexact).toBe(true);
    }
    expect(translate(DECIMAL, "double", Buffer.from("0de0b6b3a763ffff", "hex")).inexact).toBe(true);
  });

  it("does not mind a number that it doesn't ask for", () => {
    const writer = record("W", { name: "x", type: "double" }, { name: "y", type: "int" });
    const cursor = new AvroBytes(Buffer.from([0, 0, 0, 0, 0, 0, 0xf8, 0x7f, 2]));
    expect(resolved(writer, record("W", { name: "y", type: "int" }))(cursor)).toEqual({ y: 1 });
    expect([cursor.notFinite, cursor.inexact]).toEqual([false, false]);
  });

  it("never throws anything but a fault for damaged data", () => {
    const schema = JSON.parse(JSON.stringify(avroSchemaOf("fraud", FRAUD_SCHEMA))) as Schema;
    const read = resolved(schema, schema);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          read(new AvroBytes(Buffer.from(bytes)));
        } catch (error) {
          expect(error).toBeInstanceOf(AvroFault);
        }
      }),
    );
  });
});

describe("avroSchemaOf", () => {
  const { fields, ...schema } = avroSchemaOf("fraud", FRAUD_SCHEMA);
  const field = (name: string) => fields.find((one) => one.name === name);

  it("has a field for each property, in order, with its description", () => {
    expect(schema).toEqual({
      type: "record",
      name: "Transaction",
      namespace: "risk.fraud",
      doc: "A card transaction or order to be scored from 0 to 1.",
    });
    expect(fields.map(({ name }) => name)).toEqual(Object.keys(FRAUD_SCHEMA.properties ?? {}));
    expect(field("amount")).toEqual({ name: "amount", doc: FRAUD_SCHEMA.properties?.amount?.description, type: "double" });
    expect(field("user_id")?.type).toEqual(["string", "long"]);
  });

  it("makes what may be missing a union with null, null by default", () => {
    expect(field("card_present")).toMatchObject({ type: ["null", "boolean", "long"], default: null });
    expect(field("country")).toMatchObject({ type: ["null", "string"], default: null });
  });

  it("can be read by itself, and by another implementation", () => {
    expect(() => avsc.Type.forSchema(avroSchemaOf("fraud", FRAUD_SCHEMA) as avsc.Schema)).not.toThrow();
  });

  it("refuses a property of a type that no stream has", () => {
    expect(() => avroSchemaOf("x", { properties: { list: { type: "array" } } })).toThrow("list: the type array");
    expect(avroSchemaOf("x", { properties: { any: {} }, required: ["any"] }).name).toBe("Event");
  });
});
