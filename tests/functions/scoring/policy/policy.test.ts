import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { policy as validatePolicy } from "#validators";
import { featureRecord, featureSet, featureText } from "../../../../functions/scoring/core/features";
import type { CompiledPolicy } from "../../../../functions/scoring/core/policy";
import type { Condition, Operator, PolicyDocument } from "../../../../functions/scoring/core/policy-document";
import type { AnyProfile } from "../../../../functions/scoring/core/profile";
import { didYouMean, nearest } from "../../../../functions/scoring/core/suggest";
import { compilePolicy, parsePolicy } from "../../../../functions/scoring/policy/compile";
import { compileConditions } from "../../../../functions/scoring/policy/program";
import { MAX_POLICY_BYTES } from "../../../../functions/scoring/policy/schema";
import { compileText } from "../../../../functions/scoring/policy/text";
import { PROFILES, profileById } from "../../../../functions/scoring/profiles";
import { FRAUD } from "../../../../functions/scoring/profiles/fraud";
import { LEAD } from "../../../../functions/scoring/profiles/lead";

function compiled(document: unknown, profile: AnyProfile): CompiledPolicy {
  const result = compilePolicy(document, profile, validatePolicy);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.policy;
}

function refused(document: unknown, profile: AnyProfile = FRAUD): readonly string[] {
  const result = compilePolicy(document, profile, validatePolicy);
  if (result.ok) throw new Error("The policy was accepted.");
  return result.problems.map(({ pointer, detail }) => `${pointer}: ${detail}`);
}

const base = {
  profile: "fraud",
  model: { kind: "rules-only" },
  rules: [],
  bands: [{ name: "low", min: 0 }],
} as const satisfies PolicyDocument;
const rule = (when: unknown, rest: object = {}) => ({ id: "r", when, weight: 0.5, text: "t", ...rest });

describe("default policies", () => {
  it.each(Object.values(PROFILES))("of $id compiles and fits a standard SSM parameter", (profile) => {
    const text = JSON.stringify(profile.defaultPolicy);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_POLICY_BYTES);
    expect(parsePolicy(text, profile, validatePolicy).ok).toBe(true);
    expect(compiled(profile.defaultPolicy, profile).version).toMatch(new RegExp(`^${profile.id}-[0-9]+$`));
  });
});

describe("compilePolicy", () => {
  it("uses the hash of the document as version when it names none", () => {
    const reordered = { bands: base.bands, rules: base.rules, profile: base.profile, model: base.model };
    expect(compiled(base, FRAUD).version).toMatch(/^[0-9a-f]{12}$/);
    expect(compiled(reordered, FRAUD).version).toBe(compiled(base, FRAUD).version);
    expect(compiled({ ...base, thresholds: { a: 1 } }, FRAUD).version).not.toBe(compiled(base, FRAUD).version);
  });

  it("lists every problem of shape", () => {
    expect(refused({ profile: "fraud", model: { kind: "magic" }, rules: [{}], bands: [], more: 1 })).toEqual([
      "/more: This field is not known; remove it or correct its name.",
      '/model/kind: Expected one of "rules-only", "heuristic", "logistic", got "magic".',
      "/rules/0/id: This field is required and was not given.",
      "/rules/0/when: This field is required and was not given.",
      "/rules/0/weight: This field is required and was not given.",
      "/rules/0/text: This field is required and was not given.",
      "/bands: Expected at least 1 elements, got an array of 0.",
    ]);
    expect(refused({ ...base, thresholds: { "Bad Name": 1 } }).join()).toContain(
      "/thresholds/Bad Name: This name is not allowed",
    );
  });

  it("lists every problem of meaning, with suggestions", () => {
    const rules = [
      rule({ field: "amout", op: ">", value: 1 }, { id: "a", text: "{distnce_km} and {amount}", weight: 1 }),
      rule(
        { all: [{ field: "amount", op: ">", value: "$hgh" }, { not: { field: "amount", op: ">", value: "many" } }] },
        { id: "a", weight: -1 },
      ),
      rule({ any: [{ field: "category", op: "==", value: "travle" }] }, { id: "b" }),
      rule({ field: "category", op: ">", value: "travel" }, { id: "c" }),
      rule({ field: "category", op: "==", value: 3 }, { id: "d" }),
      rule({ field: "amount", op: ">" }, { id: "e" }),
      rule({ all: [{ field: "amount", op: ">", value: 1 }], not: { field: "amount", op: ">", value: 1 } }, { id: "f" }),
    ];
    expect(refused({ ...base, thresholds: { high: 1 }, rules })).toEqual([
      "/rules/0/weight: Expected a probability from 0 to 0.999, got 1.",
      '/rules/0/text: There is no feature "distnce_km". Did you mean "distance_km"?',
      '/rules/0/when/field: There is no feature "amout". Did you mean "amount"?',
      '/rules/1/id: Rule "a" occurs twice; give each rule its own id.',
      "/rules/1/weight: Expected a probability from 0 to 0.999, got -1.",
      '/rules/1/when/all/0/value: There is no threshold "hgh". Did you mean "high"?',
      '/rules/1/when/all/1/not/value: Expected a number or a threshold ("$name") for "amount", got "many".',
      '/rules/2/when/any/0/value: "category" has no category "travle". Did you mean "travel"?',
      '/rules/3/when/value: Categories have no order: use == or != with "category", not >.',
      '/rules/4/when/value: Expected one of the categories of "category", got 3.',
      "/rules/5/when: Expected field, op and value, or one of all, any, not; got field, op.",
      "/rules/6/when: Expected field, op and value, or one of all, any, not; got all, not.",
    ]);
  });

  it("limits nesting", () => {
    let when: unknown = { field: "amount", op: ">", value: 1 };
    for (let level = 0; level < 6; level++) when = { not: when };
    expect(refused({ ...base, rules: [rule(when)] })).toEqual([
      "/rules/0/when/not/not/not/not/not/not: Conditions nest at most 6 deep; split the rule.",
    ]);
  });

  it("requires a total order of bands starting at 0", () => {
    const bands = [
      { name: "a", min: 0.5 },
      { name: "a", min: 0.5 },
      { name: "b", min: 2 },
    ];
    expect(refused({ ...base, bands })).toEqual([
      '/bands/1/name: Band "a" occurs twice; give each band its own name.',
      "/bands/1/min: Two bands start at 0.5; give each its own start.",
      "/bands/2/min: Expected at most 1, the end of the scale, got 2.",
      "/bands: Expected one band with min 0, so that every score has a band.",
    ]);
  });

  it("checks the profile and the model", () => {
    expect(refused({ ...base, profile: "lead" })).toEqual([
      '/profile: Expected "fraud", the profile that loads this policy, got "lead".',
    ]);
    expect(refused({ ...base, model: { kind: "rules-only", name: "x" } })).toEqual([
      '/model/name: A model of kind "rules-only" has no name; remove it.',
    ]);
    expect(refused({ ...base, model: { kind: "logistic" } })[0]).toContain("/model/name: Expected another kind");
    expect(refused({ ...base, profile: "lead", model: { kind: "heuristic", name: "lead-heuristc-1" } }, LEAD)).toEqual([
      '/model/name: Expected one of lead-heuristic-1, got "lead-heuristc-1". Did you mean "lead-heuristic-1"?',
    ]);
  });

  it("sorts bands and applies alerts and flags", () => {
    const document = {
      ...base,
      rules: [
        rule({ field: "amount", op: ">", value: 1 }, { id: "a" }),
        rule({ field: "hour", op: ">", value: 1 }, { id: "b", flag: false }),
      ],
      bands: [
        { name: "high", min: 0.5, alert: true },
        { name: "low", min: 0 },
      ],
    };
    const policy = compiled(document, FRAUD);
    expect([0, 0.499, 0.5, 1].map((score) => policy.bandOf(score))).toEqual(["low", "low", "high", "high"]);
    expect(["low", "high", "none"].map((band) => policy.isAlert(band))).toEqual([false, true, false]);
    expect([0, 1, 2, 3, 3].map((mask) => policy.flagsOf(mask))).toEqual([[], ["a"], [], ["a"], ["a"]]);
    expect(policy.flagsOf(3)).toBe(policy.flagsOf(3));
  });
});

describe("parsePolicy", () => {
  it.each([
    ["{", "is not JSON"],
    ["null", "Expected an object, got null"],
    [`"${"x".repeat(5000)}"`, "5002 bytes; a standard SSM parameter holds 4096"],
  ])("refuses %.10s", (text, expected) => {
    const result = parsePolicy(text, FRAUD, validatePolicy);
    expect(result.ok ? [] : result.problems).toMatchObject([{ pointer: "", detail: expect.stringContaining(expected) }]);
  });
});

describe("profileById", () => {
  it("finds profiles, and lists them when there is no such profile", () => {
    expect(profileById("churn").id).toBe("churn");
    expect(() => profileById("constructor")).toThrow(/no profile "constructor"; use one of lead, churn, fraud, device/);
  });
});

describe("conditions", () => {
  const features = featureSet([
    { name: "a", description: "" },
    { name: "b", description: "" },
    { name: "k", description: "", categories: ["x", "y"] },
  ]);
  const compare: Readonly<Record<Operator, (a: number, b: number) => boolean>> = {
    ">": (a, b) => a > b,
    ">=": (a, b) => a >= b,
    "<": (a, b) => a < b,
    "<=": (a, b) => a <= b,
    "==": (a, b) => a === b,
    "!=": (a, b) => !Number.isNaN(a) && a !== b,
  };
  /** The meaning of a condition, as plainly as it can be written. */
  const holds = (condition: Condition, vector: Float64Array): boolean => {
    if ("all" in condition) return condition.all.every((part) => holds(part, vector));
    if ("any" in condition) return condition.any.some((part) => holds(part, vector));
    if ("not" in condition) return !holds(condition.not, vector);
    const { field, op, value } = condition;
    const bound = value === "$t" ? 2 : value === "x" ? 0 : value === "y" ? 1 : Number(value);
    return compare[op](vector[features.slot(field)]!, bound);
  };
  const number = fc.constantFrom(Number.NaN, -1, 0, 1, 2, 3);
  const op = fc.constantFrom<Operator>(">", ">=", "<", "<=", "==", "!=");
  const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.record({ field: fc.constantFrom("a", "b"), op, value: fc.oneof(fc.integer({ min: -1, max: 3 }), fc.constant("$t")) }),
      fc.record({ field: fc.constant("k"), op: fc.constantFrom<Operator>("==", "!="), value: fc.constantFrom("x", "y") }),
      fc.record({ all: fc.array(tie("condition"), { minLength: 1, maxLength: 3 }) }),
      fc.record({ any: fc.array(tie("condition"), { minLength: 1, maxLength: 3 }) }),
      fc.record({ not: tie("condition") }),
    ),
  }));

  it("evaluate as written, including unknown features", () => {
    fc.assert(
      fc.property(fc.array(condition, { maxLength: 31 }), number, number, number, (conditions, a, b, k) => {
        const vector = Float64Array.of(a, b, k);
        const expected = conditions.reduce((mask, each, index) => (holds(each, vector) ? mask | (1 << index) : mask), 0);
        expect(compileConditions(conditions, features, { t: 2 })(vector)).toBe(expected);
      }),
      { seed: 6, numRuns: 1000 },
    );
  });
});

describe("texts", () => {
  const features = featureSet([
    { name: "km", description: "" },
    { name: "kind", description: "", categories: ["x", "y"] },
  ]);
  it("fill in values", () => {
    const text = compileText("{km} km of {kind}, {km}", features);
    expect(text(Float64Array.of(12.345, 1))).toBe("12.35 km of y, 12.35");
    expect(text(Float64Array.of(Number.NaN, Number.NaN))).toBe("unknown km of unknown, unknown");
    expect(compileText("plain {", features)(Float64Array.of(1, 1))).toBe("plain {");
  });
  it.each([
    [3, "3"],
    [812.4, "812"],
    [-0.456, "-0.46"],
    [1e12, "1000000000000"],
    [Number.POSITIVE_INFINITY, "unknown"],
  ])("write %d as %s", (value, text) => {
    expect(featureText(value)).toBe(text);
  });
  it("write unknown for a category that is not listed", () => {
    expect(featureText(7, ["x"])).toBe("unknown");
  });
});

describe("features", () => {
  it("have names of their own and are archived by name", () => {
    expect(() =>
      featureSet([
        { name: "a", description: "" },
        { name: "a", description: "" },
      ]),
    ).toThrow(/"a" is defined twice/);
    const set = featureSet([
      { name: "a", description: "" },
      { name: "b", description: "" },
    ]);
    expect(set.slot("c")).toBe(-1);
    expect(featureRecord(set, Float64Array.of(1, Number.NaN))).toEqual({ a: 1, b: null });
  });
});

describe("suggestions", () => {
  it("are a near name, or the whole list, or nothing", () => {
    expect(nearest("amuont", ["amount", "hour"])).toBe("amount");
    expect(didYouMean("zzzzzz", ["amount", "hour"])).toBe(" Known: amount, hour.");
    expect(didYouMean("zzzzzz", [])).toBe("");
  });
});
