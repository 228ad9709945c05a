import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { featureSet } from "../../../../functions/scoring/core/features";
import { encoder } from "../../../../functions/scoring/models/feature-encoder";
import {
  featureSpecOf,
  parseFeatureSpec,
  parseFeatures,
  requireColumns,
  requireFitted,
} from "../../../../functions/scoring/models/feature-spec";
import { PROFILES } from "../../../../functions/scoring/profiles";
import { anySpec, SPEC, sharedCases } from "./spec-world";

const FIXTURE = "tests/jobs/fixtures/feature-spec-cases.json";

describe("featureSpecOf", () => {
  it("takes numbers and flags as they are, closed categories by index, open ones as text of the input", () => {
    const features = featureSet([
      { name: "amount", description: "Amount" },
      { name: "night", description: "Night", boolean: true },
      { name: "kind", description: "Kind", categories: ["a", "b"] },
      { name: "browser", description: "Browser", open: true },
    ]);
    expect(featureSpecOf({ features })).toEqual({
      version: 1,
      features: [
        { name: "amount", type: "numeric", from: "features", default: null },
        { name: "night", type: "boolean", from: "features", default: null },
        { name: "kind", type: "categorical", from: "features", encoder: "encoded", categories: ["a", "b"], default: null },
        {
          name: "browser",
          type: "categorical",
          from: "input",
          encoder: "ordinal",
          categories: null,
          unknown: null,
          default: null,
        },
      ],
    });
  });

  it.each(Object.values(PROFILES))("gives a valid spec of $id", (profile) => {
    const spec = featureSpecOf(profile);
    expect(parseFeatureSpec(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
    expect(spec.features.map(({ name }) => name)).toEqual(profile.features.definitions.map(({ name }) => name));
  });

  it("refuses a profile's feature of two kinds", () => {
    expect(() => featureSet([{ name: "x", description: "X", open: true, boolean: true }])).toThrow(/"x" is of two kinds/);
  });
});

describe("parseFeatureSpec", () => {
  it("accepts every valid spec unchanged", () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        // JSON has one zero.
        const json: unknown = JSON.parse(JSON.stringify(spec));
        expect(parseFeatureSpec(json)).toEqual(json);
      }),
    );
  });

  const numeric = { name: "age", type: "numeric", from: "features", default: null };
  const encoded = { name: "k", type: "categorical", from: "features", encoder: "encoded", categories: ["a"], default: null };
  const ordinal = {
    name: "b",
    type: "categorical",
    from: "input",
    encoder: "ordinal",
    categories: ["x"],
    unknown: null,
    default: null,
  };
  it.each<[string, unknown, RegExp]>([
    ["a list", [], /the feature spec is \[\]; an object was expected/],
    ["another version", { version: 2, features: [numeric] }, /^version is 2; this release reads/],
    ["no features", { version: 1 }, /^features is missing; add it/],
    ["an empty list", { version: 1, features: [] }, /^features is \[\]; a list with at least one/],
    [
      "an unknown member",
      { version: 1, features: [numeric], more: 1 },
      /^more is not known; remove it, or use one of version, features/,
    ],
    ["a feature that is none", { version: 1, features: [1] }, /^features\[0\] is 1; an object was expected/],
    ["no name", { version: 1, features: [{ ...numeric, name: "" }] }, /^features\[0\]\.name is ""; a text was expected/],
    ["a name twice", { version: 1, features: [numeric, numeric] }, /^features\[1\]\.name is "age", like features\[0\]\.name/],
    [
      "another origin",
      { version: 1, features: [{ ...numeric, from: "file" }] },
      /^features\[0\]\.from \("age"\) is "file"; features or input/,
    ],
    [
      "another type",
      { version: 1, features: [{ ...numeric, type: "text" }] },
      /^features\[0\]\.type \("age"\) is "text"; numeric, boolean/,
    ],
    [
      "another encoder",
      { version: 1, features: [{ ...ordinal, encoder: "one-hot" }] },
      /^features\[0\]\.encoder \("b"\) is "one-hot"; encoded or/,
    ],
    [
      "a member of another type",
      { version: 1, features: [{ ...numeric, categories: [] }] },
      /^features\[0\]\.categories is not known/,
    ],
    [
      "a missing member",
      { version: 1, features: [{ ...ordinal, unknown: undefined }] },
      /^features\[0\]\.unknown \("b"\) is missing; a number/,
    ],
    [
      "a default of text for a number",
      { version: 1, features: [{ ...numeric, default: "0" }] },
      /^features\[0\]\.default \("age"\) is "0"; a number/,
    ],
    [
      "a default beyond float32",
      { version: 1, features: [{ ...numeric, default: 1e39 }] },
      /default \("age"\) is 1e\+39; a number that float32/,
    ],
    [
      "a default of a number for a text",
      { version: 1, features: [{ ...ordinal, default: 1 }] },
      /default \("b"\) is 1; a text or null/,
    ],
    [
      "a default that is not an index",
      { version: 1, features: [{ ...encoded, default: 1 }] },
      /default \("k"\) is 1; an index of categories \(0 to 0\)/,
    ],
    [
      "categories that are not a list",
      { version: 1, features: [{ ...ordinal, categories: "x" }] },
      /categories \("b"\) is "x"; a list of texts/,
    ],
    ["no closed categories", { version: 1, features: [{ ...encoded, categories: [] }] }, /categories \("k"\) is empty/],
    [
      "closed categories to be fitted",
      { version: 1, features: [{ ...encoded, categories: null }] },
      /categories \("k"\) is null; a list of texts/,
    ],
    [
      "a category twice",
      { version: 1, features: [{ ...ordinal, categories: ["x", "x"] }] },
      /categories \("b"\)\[1\] is "x", which is there already/,
    ],
    [
      "an empty category",
      { version: 1, features: [{ ...ordinal, categories: [""] }] },
      /categories \("b"\)\[0\] is ""; a text was expected/,
    ],
    [
      "a closed category like an index",
      { version: 1, features: [{ ...encoded, categories: ["7"] }] },
      /categories \("k"\) has "7", which reads like an index/,
    ],
  ])("refuses %s, and says where", (_, json, message) => {
    expect(() => parseFeatureSpec(json)).toThrow(message);
  });

  it("names the list that a caller reads entries from", () => {
    expect(() => parseFeatures({}, "device.json features")).toThrow(/^device\.json features is \{\}; a list/);
  });

  it("never fails in any way but a refusal", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        try {
          parseFeatureSpec(json);
        } catch (error) {
          expect(error).toMatchObject({ code: "FEATURE_SPEC" });
        }
      }),
    );
  });
});

describe("a spec and a model's columns", () => {
  const columns = SPEC.features.map(({ name }) => ({ name }));

  it("belong together when the names agree, or the model has none", () => {
    requireColumns(SPEC, columns);
    requireColumns(
      SPEC,
      columns.map((_, index) => ({ name: `f${index}` })),
    );
    expect(() => requireColumns(SPEC, columns.slice(1))).toThrow("The feature spec has 9 features, the model 8");
    expect(() => requireColumns(SPEC, columns.toReversed())).toThrow(
      'Column 1 is "brand" in the model and "age" in the feature spec',
    );
  });

  it("need training to have filled in the categories", () => {
    const spec = featureSpecOf(PROFILES.device);
    expect(() => requireFitted(spec)).toThrow(/Feature "browser", "browser_engine", .* has no categories yet/);
    expect(() => encoder(spec)).toThrow(/no categories yet/);
  });
});

describe("encoder", () => {
  it("gives the results of the cases that Python is also tested with", () => {
    expect(JSON.parse(readFileSync(FIXTURE, "utf8"))).toEqual(sharedCases());
  });

  it("gives these rows", () => {
    const { cases } = sharedCases();
    const row = (name: string) => cases.find((one) => one.name === name)?.expected;
    expect(row("everything given")).toEqual([41, 12.25, 1, 0, 2, 0, 2, 0, 99]);
    expect(row("everything absent")).toEqual([null, -1.5, null, 0, null, 1, null, 1, 99]);
    for (const name of ["everything null", "everything empty", "words for no number", "numbers beyond float32"])
      expect(row(name), name).toEqual(row("everything absent"));
    expect(row("cells of a file")).toEqual([41, -5, 1, 0, 1, 1, 1, 1, 99]);
    expect(row("numbers in other notations")?.slice(0, 6)).toEqual([1, 0.5, 1, 0, 2, 1]);
    expect(row("indices of no category")?.slice(4, 6)).toEqual([null, null]);
    expect(row("texts that are not listed")?.slice(6)).toEqual([null, -1, 99]);
    expect(row("whole numbers as texts")?.slice(6)).toEqual([0, -1, 99]);
    expect(row("numbers that float32 rounds")?.slice(0, 4)).toEqual([Math.fround(0.1), 16_777_216, 0, 123_456_792]);
  });

  it("encodes records and ordered values in the same way, at any offset of an array", () => {
    const encode = encoder(SPEC);
    expect(encode.names).toEqual(SPEC.features.map(({ name }) => name));
    const raw = { age: 3, os: "Linux", browser: "Chrome" };
    const values = encode.names.map((name) => (raw as Record<string, string | number>)[name]);
    const out = new Float32Array(20).fill(5);
    encode.encodeValues(values, out, 10);
    expect(out.subarray(10, 19)).toEqual(encode.encode(raw));
    expect([...out.subarray(0, 10), out[19]]).toEqual(new Array(11).fill(5));
    expect(() => encode.encodeValues([1])).toThrow(/A row has 1 values where 9 were expected: age, amount/);
    expect(encode.encode(Object.create({ age: 1 }))[0]).toBeNaN();
  });

  it.each([
    ["age", "old", 'Feature "age" is "old"; a number, true or false was expected'],
    ["vpn", "yes", 'Feature "vpn" is "yes"; a number'],
    ["age", "1_000", 'Feature "age" is "1_000"'],
    ["age", "0x10", 'Feature "age" is "0x10"'],
    ["age", "١", 'Feature "age" is "١"'],
    ["category", "food", 'Feature "category" is "food"; a number'],
    ["browser", 1.5, 'Feature "browser" is 1.5; a text was expected'],
    ["browser", 2 ** 60, 'Feature "browser" is 1152921504606847000; a text'],
  ])("refuses %s = %j", (name, value, message) => {
    expect(() => encoder(SPEC).encode({ [name]: value })).toThrow(message);
  });

  it("gives every listed category its position, and otherwise finite values or NaN", () => {
    const raw = fc.oneof(fc.double(), fc.boolean(), fc.constantFrom(null, undefined, "", "a", "Chrome", "3", "nan"), fc.string());
    fc.assert(
      fc.property(anySpec, fc.array(raw, { minLength: 12, maxLength: 12 }), (spec, values) => {
        const encode = encoder(spec);
        for (const [column, feature] of spec.features.entries()) {
          if (feature.type === "categorical") {
            for (const [code, category] of (feature.categories ?? []).entries())
              expect(encode.encode({ [feature.name]: category })[column]).toBe(code);
          }
          try {
            const [value] = encode.encode({ [feature.name]: values[column] }).subarray(column, column + 1);
            expect(Number.isNaN(value) || Number.isFinite(value)).toBe(true);
          } catch (error) {
            expect(error).toMatchObject({ code: "FEATURE_VALUE" });
          }
        }
      }),
    );
  });
});
