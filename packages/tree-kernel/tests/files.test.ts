import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile } from "../src/compile";
import { ModelFileError } from "../src/errors";
import { loadTrees } from "../src/evaluator";
import { parseUbj } from "../src/ubjson";
import { readXgboost } from "../src/xgboost-file";
import { type ModelShape, randomModel } from "./random-model";

const SHAPE: ModelShape = {
  seed: 5,
  trees: 4,
  depth: 3,
  features: 3,
  outputs: 1,
  thresholds: 20,
  categorical: 0.3,
  pruned: 0,
  dart: false,
};
const encode = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const good = () => encode(randomModel(SHAPE));

/** The model with one member replaced, or removed when the value is undefined. */
function altered(path: string, value: unknown, shape: ModelShape = SHAPE, baseScore = "[2.5E-1]"): Uint8Array {
  const model = randomModel({ ...shape, baseScore });
  const names = path.split(".");
  let at: Record<string, unknown> = model;
  // Each step but the last leads to an object or array of the model built above.
  for (const name of names.slice(0, -1)) at = at[name] as Record<string, unknown>;
  at[names[names.length - 1]!] = value;
  return encode(model);
}

const TREE = "learner.gradient_booster.model.trees.1";

describe("model files", () => {
  it.each([
    ["an empty file", encode(""), "The file starts with byte nothing, not with {"],
    ["a pickle", Uint8Array.of(0x80, 0x04, 0x95), "pickles and the old binary format are not read"],
    ["the old binary format", encode("binf\0\0"), "not with {"],
    ["JSON of something else", encode({ a: 1 }), "version is missing"],
    ["an old version", altered("version", [1, 6, 2]), "version is 1.6.2; files of XGBoost 1.7 to 3.x can be read"],
    ["a future version", altered("version", [4, 0, 0]), "version is 4.0.0"],
    [
      "a linear booster",
      altered("learner.gradient_booster.name", "gblinear"),
      'gradient_booster.name is "gblinear"; only tree models',
    ],
    ["an unknown objective", altered("learner.objective.name", "my:loss"), 'learner.objective.name is "my:loss"'],
    ["no trees", altered("learner.gradient_booster.model.trees", undefined), "learner.gradient_booster.model.trees is missing"],
    [
      "a missing tree",
      altered("learner.gradient_booster.model.gbtree_model_param.num_trees", "5"),
      "num_trees is 5, but there are 4 trees",
    ],
    ["a tree that is no object", altered(TREE, 3), "trees[1] is no object"],
    [
      "vector leaves",
      altered(`${TREE}.tree_param.size_leaf_vector`, "3"),
      "size_leaf_vector is 3: trees with a vector in each leaf",
    ],
    [
      "arrays of different lengths",
      altered(`${TREE}.split_indices`, [0]),
      "trees[1].split_indices has 1 elements where 15 were expected",
    ],
    ["a text among numbers", altered(`${TREE}.default_left.4`, "x"), 'trees[1].default_left[4] is "x"; a number was expected'],
    [
      "a child outside the tree",
      altered(`${TREE}.left_children.2`, 99),
      "trees[1].left_children[2] is 99; the tree has 15 nodes",
    ],
    ["a cycle", altered(`${TREE}.right_children.2`, 0), "trees[1].right_children[2] is 0, a node that already has a parent"],
    ["an unknown feature", altered(`${TREE}.split_indices.0`, 3), "trees[1].split_indices[0] is 3; the model has 3 features"],
    ["a leaf that is no number", altered(`${TREE}.split_conditions.14`, "NaN"), "trees[1].split_conditions[14], a leaf, is NaN"],
    [
      "an output too many",
      altered("learner.gradient_booster.model.tree_info.2", 1),
      "tree_info[2] is 1; the model has 1 outputs",
    ],
    [
      "a base score out of range",
      altered("learner.objective.name", "count:poisson", SHAPE, "0"),
      "base_score is 0; count:poisson needs one above 0",
    ],
    [
      "a base score that is no number",
      altered("learner.learner_model_param.base_score", "[x]"),
      'base_score is "[x]"; a finite number was expected',
    ],
    [
      "two base scores for one output",
      altered("learner.learner_model_param.base_score", "[0.1,0.2]"),
      "base_score has 2 values for 1 outputs",
    ],
    [
      "feature names of another count",
      altered("learner.feature_names", ["a"]),
      "learner.feature_names has 1 entries, but num_feature is 3",
    ],
    [
      "a category set outside the categories",
      altered(`${TREE}.categories_segments.0`, 999),
      "trees[1].categories_segments[0] spans 999 to",
    ],
    ["a negative category", altered(`${TREE}.categories.0`, -1), "trees[1].categories holds -1; categories are 0 to 2^24 - 1"],
    [
      "a category set of a numeric node",
      altered(`${TREE}.split_type`, new Array(15).fill(0)),
      "but categories_nodes lists the node",
    ],
    ["an empty tree", altered(`${TREE}.tree_param.num_nodes`, "0"), "num_nodes is 0; a tree has at least its root"],
    [
      "a number where an object belongs",
      altered(`${TREE}.tree_param`, [1]),
      "trees[1].tree_param is an array; an object was expected",
    ],
    [
      "a count that is no number",
      altered("learner.learner_model_param.num_class", "many"),
      'num_class is "many"; a whole number was expected',
    ],
    ["a name that is no text", altered("learner.objective.name", 7), "learner.objective.name is 7; a text was expected"],
    [
      "numbers that are no array",
      altered(`${TREE}.default_left`, { a: 1 }),
      "default_left is an object; an array of numbers was expected",
    ],
    [
      "a threshold that is no number",
      altered(`${TREE}.split_conditions`, new Array(15).fill("NaN"), { ...SHAPE, categorical: 0 }),
      "trees[1].split_conditions[0], a threshold, is not a number",
    ],
    ["an undeclared category set", altered(`${TREE}.categories_nodes`, []), "categories"],
    [
      "dart without weights",
      altered("learner.gradient_booster.weight_drop", [1], { ...SHAPE, dart: true }),
      "weight_drop has 1 weights for 4 trees",
    ],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => readXgboost(bytes)).toThrow(ModelFileError);
    expect(() => readXgboost(bytes)).toThrow(message);
  });

  it("refuses a file that ends early, wherever it ends", () => {
    const whole = good();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        expect(() => readXgboost(whole.subarray(0, length))).toThrow(ModelFileError);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("reads base scores as number, text and array", () => {
    const margins = [0.25, "2.5E-1", "[2.5E-1]"].map(
      (score) => readXgboost(altered("learner.learner_model_param.base_score", score)).baseMargins[0],
    );
    expect(new Set(margins)).toEqual(new Set([Math.fround(Math.log(1 / 3))]));
  });

  it("stops at the round of early stopping when asked to", () => {
    const bytes = altered("learner.attributes", { best_iteration: "1" });
    expect(readXgboost(bytes).trees.length).toBe(4);
    expect(readXgboost(bytes, { rounds: "best" }).trees.length).toBe(2);
    expect(readXgboost(bytes, { rounds: 3 }).trees.length).toBe(3);
    expect(() => readXgboost(bytes, { rounds: 5 })).toThrow("5 boosting rounds were asked for; the model has 4.");
    expect(() => readXgboost(good(), { rounds: "best" })).toThrow("trained without early stopping");
  });
});

describe("UBJSON", () => {
  it("reads every type", () => {
    const text = (value: string) => [...encode(value)];
    const key = (name: string) => [0x69, name.length, ...text(name)];
    const bytes = Uint8Array.from([
      ...text("{"),
      ...[...key("a"), ...text("["), ...text("Z"), ...text("T"), ...text("F"), ...text("N"), ...text("i"), 0xff, ...text("]")],
      ...[...key("b"), ...text("[$l#i"), 2, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff],
      ...[...key("c"), ...text("[$d#U"), 1, 0x3f, 0x80, 0, 0],
      ...[...key("d"), ...text("[#i"), 1, ...text("I"), 0xff, 0xfe],
      ...[...key("e"), ...text("D"), 0x40, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18],
      ...[...key("f"), ...text("L"), 0, 0, 0, 0, 0, 0, 1, 0],
      ...[...key("g"), ...text("S"), ...text("i"), 1, ...text("x"), ...key("h"), ...text("{$U#i"), 1, ...key("k"), 7],
      ...[...key("i"), ...text("[$L#i"), 1, 0, 0, 0, 0, 0, 0, 0, 9, ...key("j"), ...text("C"), 65],
      ...[
        ...key("l"),
        ...text("["),
        ...text("u"),
        1,
        0,
        ...text("m"),
        0,
        1,
        0,
        0,
        ...text("M"),
        0,
        0,
        0,
        0,
        0,
        1,
        0,
        0,
        ...text("]}"),
      ],
    ]);
    expect(parseUbj(bytes)).toEqual({
      ...{
        a: [null, true, false, -1],
        b: Int32Array.of(1, -1),
        c: Float32Array.of(1),
        d: [-2],
        e: Math.PI,
        f: 256,
        g: "x",
        h: { k: 7 },
      },
      ...{ i: Float64Array.of(9), j: "A", l: [256, 65536, 65536] },
    });
  });

  it.each([
    ["a truncated array", [0x5b, 0x24, 0x64, 0x23, 0x69, 2, 0, 0], "truncated"],
    ["an unknown type", [0x5b, 0x3f], 'unknown type "?" at byte 1'],
    ["a negative length", [0x53, 0x69, 0xff], "-1 for a string's length"],
    ["a type without a count", [0x5b, 0x24, 0x64, 0x5d], "an element type without a count"],
    ["a text that is not UTF-8", [0x53, 0x69, 1, 0xff], "not UTF-8"],
    ["an integer beyond all use", [0x4c, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "beyond what any model needs"],
    ["something after the end", [0x5a, 0x5a], "something else after the model"],
    ["endless nesting", new Array(100).fill(0x5b), "nests deeper than 64 levels"],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => parseUbj(Uint8Array.from(bytes))).toThrow(message);
  });
});

describe("images", () => {
  const image = compile(readXgboost(good()));

  it("are the same for the same model", () => {
    expect(Buffer.from(compile(readXgboost(good())))).toEqual(Buffer.from(image));
  });

  it("are refused after any change of a byte", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: image.length - 1 }), fc.integer({ min: 1, max: 255 }), (index, flip) => {
        const damaged = image.slice();
        damaged[index]! ^= flip;
        expect(() => loadTrees(damaged)).toThrow(ModelFileError);
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  it("are refused when another version made them", () => {
    const text = Buffer.from(image).toString("latin1").replace('"format":2', '"format":1');
    const older = Buffer.from(text, "latin1");
    // SHA-256 of everything but itself stands at byte 16.
    createHash("sha256").update(older.subarray(0, 16)).update(older.subarray(48)).digest().copy(older, 16);
    expect(() => loadTrees(older)).toThrow(
      "The compiled model has format 1; this version reads format 2. Compile the model again.",
    );
  });

  it("are refused when truncated, and with a hint when they are no image", () => {
    expect(() => loadTrees(image.subarray(0, image.length - 1))).toThrow("it is truncated; copy it again");
    expect(() => loadTrees(good())).toThrow("does not start with RSTREES1. Compile one with: npm run model -- compile FILE");
  });

  it("load from a buffer that is not aligned", () => {
    const shifted = new Uint8Array(image.length + 1);
    shifted.set(image, 1);
    expect(loadTrees(shifted.subarray(1)).margins([1, 2, 3])).toEqual(loadTrees(image).margins([1, 2, 3]));
  });
});
