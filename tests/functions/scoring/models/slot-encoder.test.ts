import { compile, loadTrees, readXgboost } from "@risk/tree-kernel";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FeatureDefinition, featureSet } from "../../../../functions/scoring/core/features";
import { textHash } from "../../../../functions/scoring/core/text-hash";
import { encoder, type RawValue } from "../../../../functions/scoring/models/feature-encoder";
import { type FeatureSpec, type FeatureSpecEntry, featureSpecOf } from "../../../../functions/scoring/models/feature-spec";
import { slotEncoder } from "../../../../functions/scoring/models/slot-encoder";
import { compileWithSpec, featureSpecIn } from "../../../../functions/scoring/models/tree-image";
import { treeModel } from "../../../../functions/scoring/models/tree-model";
import { randomModel } from "../../../../packages/tree-kernel/tests/random-model";
import { anySpec } from "./spec-world";

const text = (entry: Partial<Extract<FeatureSpecEntry, { encoder: "ordinal" }>>): FeatureSpecEntry => ({
  name: "browser",
  type: "categorical",
  from: "input",
  encoder: "ordinal",
  categories: ["Chrome", "Firefox"],
  unknown: null,
  default: null,
  ...entry,
});
/** Two texts with the hash 3216905837475868, found by walking from hash to hash until one came back. */
const COLLISION = ["13ca6e22b71a60", "ffe3515f3b0910"] as const;

const spec = (...features: FeatureSpecEntry[]): FeatureSpec => ({ version: 1, features });

/** A profile that a spec could come from: its closed categories in another order, and one that the model does not know. */
function profileOf({ features }: FeatureSpec): readonly FeatureDefinition[] {
  return [
    { name: "\u0000not in the model", description: "Unused" },
    ...features.map(({ name, ...feature }): FeatureDefinition => {
      if (feature.type !== "categorical")
        return { name, description: name, ...(feature.type === "boolean" ? { boolean: true } : {}) };
      if (feature.encoder === "ordinal") return { name, description: name, open: true };
      return { name, description: name, categories: ["\u0000later", ...feature.categories.toReversed()] };
    }),
  ];
}

/** The slot of a raw value, as a profile's `extract` writes it. */
function slotOf(definition: FeatureDefinition, value: RawValue): number {
  if (value === null || value === undefined) return Number.NaN;
  if (typeof value !== "string") return Number(value);
  if (definition.open) return textHash(value);
  const index = definition.categories?.indexOf(value) ?? -1;
  return index < 0 ? Number.NaN : index;
}

/** A raw value that fits a feature: often one that the model knows. */
function rawFor(feature: FeatureSpecEntry, choice: number, number: number, word: string): RawValue {
  if (choice === 0) return null;
  if (feature.type !== "categorical") return feature.type === "boolean" ? choice > 4 : number;
  const categories = feature.categories ?? [];
  if (feature.encoder === "ordinal" && choice === 1) return word;
  return categories[choice % Math.max(1, categories.length)] ?? null;
}

const anyChoices = fc.array(fc.tuple(fc.nat(9), fc.double(), fc.string({ minLength: 1 })), { minLength: 12, maxLength: 12 });

describe("slotEncoder", () => {
  it("gives the same row from a vector as the encoder from raw values, in any order of columns", () => {
    fc.assert(
      fc.property(anySpec, anyChoices, (any, choices) => {
        const definitions = profileOf(any).toReversed();
        const features = featureSet(definitions);
        const raw = Object.fromEntries(
          any.features.map((feature, column) => [feature.name, rawFor(feature, ...choices[column]!)]),
        );
        const vector = Float64Array.from(definitions, (definition) => slotOf(definition, raw[definition.name]));
        const row = new Float32Array(any.features.length);
        slotEncoder(any, features).fill(vector, 0, row);
        // Float32Array equality tells NaN from numbers and takes both zeros as one.
        expect(Array.from(row, (value) => value + 0)).toEqual(Array.from(encoder(any).encode(raw), (value) => value + 0));
      }),
      { numRuns: 300 },
    );
  });

  it("maps closed categories by their text, and unknown ones to missing", () => {
    const features = featureSet([{ name: "kind", description: "Kind", categories: ["new", "b", "a"] }]);
    const kind = {
      name: "kind",
      type: "categorical",
      from: "features",
      encoder: "encoded",
      categories: ["a", "b"],
      default: 1,
    } as const;
    const encode = slotEncoder(spec(kind), features);
    const row = new Float32Array(1);
    const codes = [0, 1, 2, 3, 0.5, -1, Number.NaN].map((value) => {
      encode.fill(Float64Array.of(value), 0, row);
      return row[0];
    });
    expect(codes).toEqual([Number.NaN, 1, 0, Number.NaN, Number.NaN, Number.NaN, 1]);
  });

  it("takes a closed category by its text if the model was trained on text", () => {
    const features = featureSet([{ name: "browser", description: "Browser", categories: ["Firefox", "Lynx", "Chrome"] }]);
    const encode = slotEncoder(spec(text({ unknown: -1, default: "Firefox" })), features);
    const row = new Float32Array(1);
    const codes = [0, 1, 2, Number.NaN].map((value) => {
      encode.fill(Float64Array.of(value), 0, row);
      return row[0];
    });
    expect(codes).toEqual([1, -1, 0, 1]);
    expect(encode.describe(0, 2)).toBe("Chrome");
  });

  it("describes texts by the model's categories", () => {
    const encode = slotEncoder(spec(text({})), featureSet([{ name: "browser", description: "Browser", open: true }]));
    expect([textHash("Firefox"), textHash("Lynx"), Number.NaN].map((value) => encode.describe(0, value))).toEqual([
      "Firefox",
      "a value that the model has not seen",
      "unknown",
    ]);
  });

  it("finds each of many categories", () => {
    const categories = Array.from({ length: 5000 }, (_, index) => `category ${index}`);
    const encode = slotEncoder(spec(text({ categories })), featureSet([{ name: "browser", description: "Browser", open: true }]));
    const row = new Float32Array(1);
    for (const [code, category] of categories.entries()) {
      encode.fill(Float64Array.of(textHash(category)), 0, row);
      expect(row[0]).toBe(code);
    }
  });

  it("refuses categories that share a hash", () => {
    const [one, other] = COLLISION;
    expect(textHash(one)).toBe(textHash(other));
    expect(() =>
      slotEncoder(
        spec(text({ categories: [one, other] })),
        featureSet([{ name: "browser", description: "Browser", open: true }]),
      ),
    ).toThrow(/Categories ".*" and ".*" of feature "browser" have the same hash/);
  });

  it.each<[string, FeatureDefinition, FeatureSpecEntry, RegExp]>([
    [
      "not there",
      { name: "os", description: "Os", open: true },
      text({}),
      /feature "browser" is not one of the profile's \(os\)/,
    ],
    [
      "a number in the profile",
      { name: "browser", description: "Browser" },
      text({}),
      /feature "browser" is categorical, the profile's is a number/,
    ],
    [
      "a text in the profile",
      { name: "browser", description: "Browser", open: true },
      { name: "browser", type: "numeric", from: "features", default: null },
      /feature "browser" is numeric, the profile's is categorical/,
    ],
    ["not fitted", { name: "browser", description: "Browser", open: true }, text({ categories: null }), /no categories yet/],
  ])("refuses a feature that is %s", (_, definition, feature, message) => {
    expect(() => slotEncoder(spec(feature), featureSet([definition]))).toThrow(message);
  });
});

const MIXED = spec({ name: "age", type: "numeric", from: "features", default: 0.25 }, text({ unknown: 2 }), {
  name: "kind",
  type: "categorical",
  from: "features",
  encoder: "encoded",
  categories: ["a", "b"],
  default: null,
});
const PROFILE = featureSet([
  { name: "kind", description: "Kind", categories: ["b", "a"] },
  { name: "browser", description: "Browser", open: true },
  { name: "age", description: "Age" },
]);

function ensembleOf(names: readonly string[]) {
  const model = randomModel({
    seed: 4,
    trees: 20,
    depth: 4,
    features: names.length,
    outputs: 1,
    thresholds: 16,
    categorical: 0,
    pruned: 0,
    dart: false,
  });
  // The model built above: its learner is an object.
  (model.learner as Record<string, unknown>).feature_names = names;
  return readXgboost(new TextEncoder().encode(JSON.stringify(model)));
}

describe("treeModel with a feature spec", () => {
  const evaluator = loadTrees(compileWithSpec(ensembleOf(["age", "browser", "kind"]), MIXED));
  const model = treeModel(evaluator, PROFILE, { version: "device-1" });

  it("travels in the image", () => {
    expect(featureSpecIn(evaluator)).toEqual(MIXED);
    expect(featureSpecIn(loadTrees(compile(ensembleOf(["age", "browser", "kind"]))))).toBeUndefined();
  });

  it("scores like the evaluator on the encoded row, alone and in a batch", () => {
    const encode = encoder(MIXED);
    const value = fc.record({
      age: fc.option(fc.double({ min: -3, max: 3, noNaN: true })),
      browser: fc.option(fc.constantFrom("Chrome", "Firefox", "Lynx")),
      kind: fc.option(fc.constantFrom("a", "b")),
    });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 40 }), (records) => {
        const rows = new Float64Array(3 * records.length);
        const expected = records.map((raw, index) => {
          rows.set(
            PROFILE.definitions.map((definition) => slotOf(definition, raw[definition.name as keyof typeof raw])),
            3 * index,
          );
          return evaluator.predict(encode.encode(raw))[0]!;
        });
        const out = new Float64Array(records.length);
        model.scoreBatch(rows, records.length, out);
        expect([...out]).toEqual(expected);
        expect(records.map((_, index) => model.score(rows.subarray(3 * index, 3 * index + 3)))).toEqual(expected);
      }),
    );
  });

  it("explains with the category's text, and shares that add up", () => {
    const vector = Float64Array.of(1, textHash("Firefox"), 0.5);
    const shares = model.explain(vector);
    expect(shares.find(({ code }) => code === "browser")?.text).toBe("Browser: Firefox");
    expect(shares.find(({ code }) => code === "kind")?.text).toBe("Kind: a");
    expect(shares.reduce((sum, { contribution }) => sum + contribution, 0)).toBeCloseTo(model.score(vector), 12);
    const other = model.explain(Float64Array.of(1, textHash("Lynx"), 0.5));
    expect(other.find(({ code }) => code === "browser")?.text).toBe("Browser: a value that the model has not seen");
  });

  it("refuses another model's spec, and texts without a spec", () => {
    expect(() => compileWithSpec(ensembleOf(["browser", "age", "kind"]), MIXED)).toThrow(
      'Column 1 is "browser" in the model and "age" in the feature spec',
    );
    expect(() => compileWithSpec(ensembleOf(["age", "browser", "kind"]), featureSpecOf({ features: PROFILE }))).toThrow(
      /has 3|Column|no categories yet/,
    );
    expect(() => treeModel(loadTrees(compile(ensembleOf(["age", "browser"]))), PROFILE, { version: "1" })).toThrow(
      /feature "browser" is a text, and the model has no feature spec .*compile it with --spec/,
    );
  });
});
