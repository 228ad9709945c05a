import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAggregate, MAX_USER_RECORDS, splitAggregate } from "../../../functions/formats/aggregate";
import { field, record, sealed } from "../../helpers/aggregate";
import foreign from "./fixtures/aggregates.json";

describe("splitAggregate", () => {
  it("gives the user records of another implementation's aggregate in order, with their own keys", () => {
    const split = splitAggregate(Buffer.from(foreign.aggregate, "base64"));
    const records = split.kind === "aggregate" ? split.records : [];
    expect(records.map(({ partitionKey, bytes }) => [partitionKey, Buffer.from(bytes).toString()])).toEqual(foreign.records);
  });

  it("leaves explicit hash keys out, and data as it is", () => {
    const split = splitAggregate(Buffer.from(foreign.binary, "base64"));
    expect(split).toEqual({ kind: "aggregate", records: [{ partitionKey: "k", bytes: Buffer.from([0, 1, 255]) }] });
  });

  it("passes other bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        fc.pre(!isAggregate(bytes));
        expect(splitAggregate(bytes)).toEqual({ kind: "plain" });
      }),
    );
  });

  it("gives back what was put in", () => {
    const users = fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.uint8Array()), { maxLength: 20 });
    fc.assert(
      fc.property(users, (all) => {
        const keys = all.map(([key]) => field(1, Buffer.from(key)));
        const message = Buffer.concat([...keys, ...all.map(([, data], index) => record(index, data))]);
        const split = splitAggregate(sealed(message));
        const records = all.map(([partitionKey, bytes]) => ({ partitionKey, bytes: Buffer.from(bytes) }));
        expect(split).toEqual({ kind: "aggregate", records });
      }),
    );
  });

  it("refuses an aggregate that is damaged or cut anywhere", () => {
    const whole = Buffer.from(foreign.aggregate, "base64");
    fc.assert(
      fc.property(fc.nat(whole.length - 5), fc.integer({ min: 1, max: 255 }), (offset, change) => {
        const damaged = Buffer.from(whole);
        damaged[4 + offset]! ^= change;
        expect(splitAggregate(damaged)).toMatchObject({ kind: "refused", reason: "aggregated_corrupt" });
        expect(splitAggregate(whole.subarray(0, 4 + offset))).toMatchObject({ reason: "aggregated_corrupt" });
      }),
    );
  });

  it("never throws, whatever a right checksum stands behind", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (message) => {
        expect(["aggregate", "refused"]).toContain(splitAggregate(sealed(Buffer.from(message))).kind);
      }),
    );
  });

  it.each([
    ["a key index beyond the table", Buffer.concat([field(1, Buffer.from("k")), record(1, Buffer.from("x"))])],
    ["a record without data", Buffer.concat([field(1, Buffer.from("k")), field(3, Buffer.from([8, 0]))])],
    ["a number of too many bytes", Buffer.alloc(12, 0xff)],
    ["a number that ends too early", Buffer.from([0x80])],
    ["an unknown wire type", Buffer.from([0x0b])],
  ])("refuses %s", (_, message) => {
    expect(splitAggregate(sealed(message))).toMatchObject({ kind: "refused", reason: "aggregated_corrupt" });
  });

  it("skips fields of newer versions", () => {
    const newer = Buffer.concat([
      Buffer.from([0x41]),
      Buffer.alloc(8),
      Buffer.from([0x45]),
      Buffer.alloc(4),
      Buffer.from([0x48, 7]),
    ]);
    const message = Buffer.concat([newer, field(1, Buffer.from("k")), record(0, Buffer.from("x"))]);
    expect(splitAggregate(sealed(message))).toMatchObject({ records: [{ partitionKey: "k" }] });
  });

  it("refuses more records than it holds at once", () => {
    const many = Buffer.concat(Array.from({ length: MAX_USER_RECORDS + 1 }, () => record(0, Buffer.alloc(0))));
    const split = splitAggregate(sealed(Buffer.concat([field(1, Buffer.from("k")), many])));
    expect(split).toMatchObject({ kind: "refused", reason: "too_large", detail: expect.stringContaining("10000") });
  });
});
