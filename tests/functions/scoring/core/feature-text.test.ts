import fc from "fast-check";
import { expect, it } from "vitest";
import { featureRecord, featureSet, featureWriter, readFeatureList } from "../../../../functions/scoring/core/features";
import { isoTime } from "../../../../functions/scoring/core/timestamp";

const value = fc.oneof(
  fc.constantFrom(0, -0, 1, 255, 256, -1, 2 ** 31, -(2 ** 31), 2 ** 32 + 1, 1e21, 0.1, Number.NaN, Number.POSITIVE_INFINITY),
  fc.double(),
  fc.integer(),
);

it("writes features by name as JSON.stringify does and by slot so that the same numbers are read back, repeated values or not", () => {
  const set = featureSet(["a", 'b"', "c", "d", "e", "f"].map((name) => ({ name, description: name })));
  const writer = featureWriter(set);
  const vectors = fc.array(value, { minLength: set.size, maxLength: set.size });
  fc.assert(
    fc.property(vectors, (values) => {
      const vector = Float64Array.from(values);
      const { json, list } = writer(vector);
      expect(json).toBe(JSON.stringify(featureRecord(set, vector)));
      expect(readFeatureList(list)).toEqual(vector.map((number) => (Number.isFinite(number) ? number + 0 : Number.NaN)));
    }),
  );
});

it("writes a time as toISOString does, whatever was written before", () => {
  fc.assert(
    fc.property(fc.array(fc.date({ noInvalidDate: true }), { minLength: 1 }), (dates) => {
      for (const date of dates) expect(isoTime(date.getTime())).toBe(date.toISOString());
    }),
  );
  expect(() => isoTime(Number.NaN)).toThrow(RangeError);
});
