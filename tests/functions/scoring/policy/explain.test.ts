import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { featureSet } from "../../../../functions/scoring/core/features";
import type { Condition, Operator, PolicyDocument } from "../../../../functions/scoring/core/policy-document";
import { hasRule } from "../../../../functions/scoring/core/rule-mask";
import { textHash } from "../../../../functions/scoring/core/text-hash";
import { type ComparisonOutcome, type ConditionOutcome, explainRules } from "../../../../functions/scoring/policy/explain";
import { compileConditions } from "../../../../functions/scoring/policy/program";

const FEATURES = featureSet([
  { name: "amount", description: "" },
  { name: "speed", description: "" },
  { name: "kind", description: "", categories: ["a", "b"] },
  { name: "browser", description: "", open: true },
]);
const THRESHOLDS = { high: 10, low: -3 };

const operator = fc.constantFrom<Operator>(">", ">=", "<", "<=", "==", "!=");
const number = fc.oneof(fc.constantFrom(-3, 0, 10, 11), fc.double({ min: -20, max: 20, noNaN: true }));
const comparison: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({
    field: fc.constantFrom("amount", "speed"),
    op: operator,
    value: fc.oneof(number, fc.constantFrom("$high", "$low")),
  }),
  fc.record({ field: fc.constant("kind"), op: fc.constantFrom<Operator>("==", "!="), value: fc.constantFrom("a", "b") }),
  fc.record({
    field: fc.constant("browser"),
    op: fc.constantFrom<Operator>("==", "!="),
    value: fc.constantFrom("Chrome", "Safari"),
  }),
);
const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    comparison,
    fc.record({ all: fc.array(tie("condition"), { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.array(tie("condition"), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie("condition") }),
  ),
}));
const vector = fc
  .tuple(
    fc.oneof(number, fc.constant(Number.NaN)),
    fc.oneof(number, fc.constant(Number.NaN)),
    fc.constantFrom(0, 1, Number.NaN),
    fc.constantFrom(textHash("Chrome"), textHash("Opera"), Number.NaN),
  )
  .map((values) => Float64Array.from(values));

const documentOf = (conditions: readonly Condition[]): PolicyDocument => ({
  profile: "fraud",
  model: { kind: "rules-only" },
  thresholds: THRESHOLDS,
  rules: conditions.map((when, index) => ({ id: `r${index}`, when, weight: 0.5, text: "t" })),
  bands: [{ name: "low", min: 0 }],
});

const comparisons = (outcome: ConditionOutcome): readonly ComparisonOutcome[] =>
  outcome.kind === "comparison" ? [outcome] : outcome.parts.flatMap(comparisons);

describe("explainRules", () => {
  it("says of every rule what the compiled program says", () => {
    fc.assert(
      fc.property(fc.array(condition, { minLength: 1, maxLength: 5 }), vector, (conditions, features) => {
        const fired = compileConditions(conditions, FEATURES, THRESHOLDS)(features);
        const outcomes = explainRules(documentOf(conditions), FEATURES, features);
        expect(outcomes.map((outcome) => outcome.fired)).toEqual(conditions.map((_, index) => hasRule(fired, index)));
      }),
      { numRuns: 500 },
    );
  });

  it("gives a distance exactly where a number isn't as the rule needs it", () => {
    fc.assert(
      fc.property(condition, vector, (when, features) => {
        const [outcome] = explainRules(documentOf([when]), FEATURES, features);
        for (const one of comparisons(outcome!.condition)) {
          const missed = one.holds === one.negated && typeof one.actual === "number" && typeof one.expected === "number";
          expect(one.missedBy).toBe(missed ? Math.abs(Number(one.actual) - Number(one.expected)) : undefined);
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    [
      { field: "amount", op: ">", value: "$high" },
      [8],
      { actual: 8, expected: 10, threshold: "high", holds: false, missedBy: 2 },
    ],
    [{ field: "amount", op: ">", value: 8 }, [8], { holds: false, missedBy: 0 }],
    [{ field: "amount", op: ">", value: 5 }, [8], { holds: true }],
    [{ field: "amount", op: "!=", value: 5 }, [Number.NaN], { actual: null, holds: false }],
    [{ field: "kind", op: "==", value: "a" }, [0, 0, 1], { actual: "b", expected: "a", holds: false }],
    [{ field: "browser", op: "==", value: "Chrome" }, [0, 0, 0, textHash("Opera")], { actual: textHash("Opera"), holds: false }],
  ] as const)("explains %j", (when, values, expected) => {
    const features = new Float64Array(4);
    features.set(values);
    const [outcome] = explainRules(documentOf([when]), FEATURES, features);
    const { kind: _kind, field: _field, op: _op, negated: _negated, ...found } = outcome!.condition as ComparisonOutcome;
    expect(found).toMatchObject(expected);
    expect("missedBy" in found).toBe("missedBy" in expected);
  });

  it("explains what a rule needs inside of not: a comparison that holds is what was in the way", () => {
    const when: Condition = { not: { field: "amount", op: ">", value: 5 } };
    const [outcome] = explainRules(documentOf([when]), FEATURES, Float64Array.of(8, 0, 0, 0));
    expect(outcome).toMatchObject({
      fired: false,
      condition: { kind: "not", parts: [{ holds: true, negated: true, missedBy: 3 }] },
    });
  });
});
