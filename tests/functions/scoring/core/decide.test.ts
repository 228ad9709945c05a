import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { policy as validatePolicy } from "#validators";
import { decide, MODEL_UNAVAILABLE, type ModelScore } from "../../../../functions/scoring/core/decide";
import type { CompiledPolicy } from "../../../../functions/scoring/core/policy";
import type { AnyProfile } from "../../../../functions/scoring/core/profile";
import { score } from "../../../../functions/scoring/core/score";
import type { Decision } from "../../../../functions/scoring/core/types";
import { compilePolicy } from "../../../../functions/scoring/policy/compile";
import { CHURN } from "../../../../functions/scoring/profiles/churn";
import { FRAUD } from "../../../../functions/scoring/profiles/fraud";
import { LEAD } from "../../../../functions/scoring/profiles/lead";

function compiled(document: unknown, profile: AnyProfile): CompiledPolicy {
  const result = compilePolicy(document, profile, validatePolicy);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.policy;
}

/** A policy whose rule `i` fires when slot `i` is above 0. */
function policyOf(profile: AnyProfile, weights: readonly number[]): CompiledPolicy {
  const bands = [0, 0.3, 0.6, 0.9].map((share, index) => ({ name: `band_${index}`, min: share * profile.scale.max }));
  const names = profile.features.definitions.map((definition) => definition.name);
  const rules = weights.map((weight, index) => ({
    id: `rule_${index}`,
    when: { field: names[index], op: ">", value: 0 },
    weight,
    text: `Rule ${index}`,
  }));
  const model = profile.id === "lead" ? { kind: "heuristic", name: "lead-heuristic-1" } : { kind: "rules-only" };
  return compiled({ version: "test", profile: profile.id, model, rules, bands }, profile);
}

const modelOf = (value: number): ModelScore => ({ score: value, version: "m", contributions: [] });
const sum = (decision: Decision) => decision.reasons.reduce((total, reason) => total + reason.contribution, 0);

describe("decide by noisy-or", () => {
  const weights = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 10 });
  const bits = fc.array(fc.boolean(), { minLength: 29, maxLength: 29 });
  const probability = fc.double({ min: 0, max: 1, noNaN: true });

  it("stays within bounds, adds up, is deterministic and sorts its reasons", () => {
    fc.assert(
      fc.property(weights, bits, probability, (w, fired, p) => {
        const policy = policyOf(FRAUD, w);
        const vector = Float64Array.from(fired, Number);
        const decision = decide(policy, vector, modelOf(p));
        const expected = 1 - w.reduce((remaining, weight, index) => (fired[index] ? remaining * (1 - weight) : remaining), 1 - p);
        expect(decision.score).toBeCloseTo(expected, 9);
        expect(decision.score).toBeGreaterThanOrEqual(0);
        expect(decision.score).toBeLessThanOrEqual(1);
        expect(Math.abs(sum(decision) - decision.score)).toBeLessThan(1e-9);
        expect(decide(policy, vector, modelOf(p))).toEqual(decision);
        const contributions = decision.reasons.map((reason) => reason.contribution);
        expect(contributions).toEqual(contributions.toSorted((a, b) => b - a));
        expect(decision.flags).toEqual(w.map((_, index) => `rule_${index}`).filter((_, index) => fired[index]));
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it("never falls when one more rule fires or the model rises, and bands follow the score", () => {
    fc.assert(
      fc.property(weights, bits, probability, probability, fc.nat(9), (w, fired, p, q, extra) => {
        const policy = policyOf(FRAUD, w);
        const vector = Float64Array.from(fired, Number);
        const before = decide(policy, vector, modelOf(Math.min(p, q)));
        vector[extra] = 1;
        const after = decide(policy, vector, modelOf(Math.max(p, q)));
        expect(after.score).toBeGreaterThanOrEqual(before.score);
        expect(after.band >= before.band).toBe(true);
      }),
      { seed: 8, numRuns: 300 },
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("counts a model score of %d as unusable and flags it", (bad) => {
    const decision = decide(policyOf(FRAUD, [0.5]), new Float64Array(29).fill(1), modelOf(bad));
    expect(decision).toMatchObject({
      score: 0.5,
      flags: ["rule_0", MODEL_UNAVAILABLE],
      modelVersion: "m",
      policyVersion: "test",
    });
    expect(sum(decision)).toBe(0.5);
  });

  it("copes with a vector of unknown features", () => {
    expect(decide(policyOf(FRAUD, [0.5]), new Float64Array(29).fill(Number.NaN), modelOf(0))).toEqual({
      score: 0,
      band: "band_0",
      reasons: [],
      flags: [],
      modelVersion: "m",
      policyVersion: "test",
    });
  });

  it("divides the model's part by its own explanation and names the rest", () => {
    const contributions = [
      { code: "a", text: "A", contribution: 0.3 },
      { code: "b", text: "B", contribution: -0.1 },
      { code: "broken", text: "C", contribution: Number.NaN },
    ];
    const decision = decide(policyOf(FRAUD, []), new Float64Array(29), { score: 0.4, version: "m", contributions });
    expect(decision.score).toBeCloseTo(0.4, 12);
    expect(decision.reasons.map(({ code, contribution }) => [code, Number(contribution.toFixed(9))])).toEqual([
      ["a", 0.3],
      ["model", 0.2],
      ["b", -0.1],
    ]);
  });

  it("accepts a model that is certain", () => {
    const decision = decide(policyOf(FRAUD, [0.5]), new Float64Array(29).fill(1), modelOf(1));
    expect(decision.score).toBeCloseTo(1, 9);
    expect(Math.abs(sum(decision) - decision.score)).toBeLessThan(1e-9);
  });
});

describe("decide by points", () => {
  it("clamps the score, and scales the reasons accordingly", () => {
    const points = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(
        points,
        fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
        fc.double({ min: 0, max: 100, noNaN: true }),
        (w, fired, p) => {
          const decision = decide(policyOf(LEAD, w), Float64Array.from(fired, Number), modelOf(p));
          const total = w.reduce((all, weight, index) => (fired[index] ? all + weight : all), p);
          expect(decision.score).toBe(Math.min(Math.max(total, 0), 100));
          expect(Math.abs(sum(decision) - decision.score)).toBeLessThan(1e-7);
        },
      ),
      { seed: 9, numRuns: 500 },
    );
  });
});

describe("score", () => {
  const lead = compiled(LEAD.defaultPolicy, LEAD);
  const churn = compiled(CHURN.defaultPolicy, CHURN);

  it("follows the formula for leads and explains it, clamped or not", () => {
    const amount = fc.double({ min: 0, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(
        fc.oneof(amount, fc.integer({ min: 0, max: 4000 })),
        fc.oneof(amount, fc.integer({ min: 0, max: 150 })),
        (companySize, engagementMetrics) => {
          const { decision } = score(LEAD, lead, { companySize, industry: "x", engagementMetrics }, null);
          expect(decision.score).toBe(Math.min(100, (companySize / 1000) * 30 + engagementMetrics * 0.7));
          expect(Math.abs(sum(decision) - decision.score)).toBeLessThan(1e-7);
        },
      ),
      { seed: 10, numRuns: 500 },
    );
  });

  it("explains churn so that the shares add up", () => {
    const flag = fc.integer({ min: 0, max: 1 });
    const customer = fc.tuple(
      fc.integer({ min: 300, max: 850 }),
      flag,
      fc.integer({ min: 18, max: 92 }),
      fc.integer({ min: 0, max: 10 }),
      fc.double({ min: 0, max: 250_000, noNaN: true }),
      fc.integer({ min: 1, max: 4 }),
      flag,
      flag,
      fc.double({ min: 0, max: 200_000, noNaN: true }),
      flag,
      flag,
      flag,
    );
    const anything = fc.array(fc.double({ min: -1e12, max: 1e12, noNaN: true }), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(fc.oneof(customer, anything), (data) => {
        const { decision } = score(CHURN, churn, { data }, null);
        expect(decision.score).toBeGreaterThanOrEqual(0);
        expect(decision.score).toBeLessThanOrEqual(1);
        expect(Math.abs(sum(decision) - decision.score)).toBeLessThan(1e-9);
      }),
      { seed: 11, numRuns: 500 },
    );
  });
});
