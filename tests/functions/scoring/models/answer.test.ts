import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { policy as validatePolicy } from "#validators";
import type { BatchModel, Model } from "../../../../functions/scoring/core/model";
import { type Answers, answerRows, decideAnswer, expectedModel } from "../../../../functions/scoring/models/answer";
import {
  type Challenger,
  localMember,
  type Member,
  type ModelSet,
  ModelUnavailable,
  remoteMember,
  unavailableMember,
} from "../../../../functions/scoring/models/model-set";
import { rolledOutTo, rolloutPosition } from "../../../../functions/scoring/models/rollout";
import { type Comparison, shadowRows } from "../../../../functions/scoring/models/shadow";
import { compilePolicy } from "../../../../functions/scoring/policy/compile";
import { PROFILES } from "../../../../functions/scoring/profiles";

const SIZE = PROFILES.churn.features.size;
const policy = (() => {
  const compiled = compilePolicy(PROFILES.churn.defaultPolicy, PROFILES.churn, validatePolicy);
  if (!compiled.ok) throw new Error("policy");
  return compiled.policy;
})();

const constant = (version: string, score: number, explained: { count: number } = { count: 0 }): Model => ({
  version,
  score: () => score,
  scoreBatch: (_, count, out) => void out.fill(score, 0, count),
  explain: () => {
    explained.count++;
    return [{ code: "age", text: "Age", contribution: score }];
  },
});
const local = (version: string, score: number) => localMember(constant(version, score));
const remote = (version: string, scoreBatch: BatchModel["scoreBatch"]) => remoteMember({ version, scoreBatch });
const failing = (version: string, reason = "timeout") =>
  remote(version, () => Promise.reject(new ModelUnavailable(reason, "for the log")));
const setOf = (chain: Member[], challengers: Challenger[] = []): ModelSet => ({ version: "1", chain, challengers });
const rows = (count: number) => ({ values: new Float64Array(count * SIZE), count, keyOf: (row: number) => `user-${row}` });
const ignore = (): void => {};

describe("the chain", () => {
  it("is the policy's own model if there is no document", async () => {
    const answers = await answerRows(null, policy, rows(2), ignore);
    expect(answers.group(1)).toMatchObject({ member: { name: "churn-logistic-1" }, source: undefined });
    expect(answers.scores[0]).toBe(policy.model.score(new Float64Array(SIZE)));
    expect(expectedModel(null, policy, () => "key")).toBe("churn-logistic-1");
  });

  it("answers with its first model and doesn't mention it", async () => {
    const answers = await answerRows(setOf([local("a", 0.25), local("b", 0.4)]), policy, rows(3), ignore);
    expect([...answers.scores]).toEqual([0.25, 0.25, 0.25]);
    const decision = decideAnswer(policy, new Float64Array(SIZE), answers.scores[0]!, answers.group(0), () => true);
    expect(decision).toMatchObject({ score: 0.25, modelVersion: "a", reasons: [{ code: "age" }] });
    expect(decision).not.toHaveProperty("modelSource");
  });

  it("continues to the first model that can answer, and names the others with their reasons", async () => {
    const failures: string[] = [];
    const set = setOf([
      failing("endpoint"),
      unavailableMember("trees", "artifact", "no object"),
      localMember({
        ...constant("broken", 1),
        scoreBatch() {
          throw new Error("bug");
        },
      }),
      local("last", 0.6),
    ]);
    const answers = await answerRows(set, policy, rows(1), (model) => failures.push(model));
    const decision = decideAnswer(policy, new Float64Array(SIZE), answers.scores[0]!, answers.group(0), () => true);
    expect(decision).toMatchObject({ score: 0.6, band: "high", modelVersion: "last" });
    expect(decision.modelSource).toEqual({
      role: "fallback",
      fallback: [
        { model: "endpoint", reason: "timeout" },
        { model: "trees", reason: "artifact" },
        { model: "broken", reason: "error" },
      ],
    });
    expect(failures).toEqual(["endpoint", "trees", "broken"]);
  });

  it("ends with the policy's own model, and without that with the rules alone", async () => {
    const own = await answerRows(setOf([failing("endpoint")]), policy, rows(1), ignore);
    expect(own.group(0)).toMatchObject({ member: { name: "churn-logistic-1" }, source: { role: "fallback" } });

    const broken = localMember({
      ...constant("own", 0),
      scoreBatch() {
        throw new Error("bug");
      },
    });
    const nobody = await answerRows(null, { ...policy, model: broken.local! }, rows(1), ignore);
    const decision = decideAnswer(policy, new Float64Array(SIZE), nobody.scores[0]!, nobody.group(0), () => true);
    expect(decision).toMatchObject({ score: 0, flags: ["model_unavailable"] });
  });

  it("explains costly models only where reasons are shown; the contributions add up either way", async () => {
    const explained = { count: 0 };
    const set = setOf([localMember(constant("trees", 0.25, explained), true)]);
    const answers = await answerRows(set, policy, rows(1), ignore);
    const decide = (isShown: boolean) => decideAnswer(policy, new Float64Array(SIZE), 0.25, answers.group(0), () => isShown);
    expect(decide(false).reasons).toEqual([{ code: "model", text: "Model trees", contribution: 0.25 }]);
    expect(explained.count).toBe(0);
    expect(decide(true).reasons).toMatchObject([{ code: "age" }]);
    expect(explained.count).toBe(1);
  });
});

describe("a percentage rollout", () => {
  const challengers = (...percents: number[]): Challenger[] =>
    percents.map((percent, index) => ({ member: local(`c${index}`, 0.9), percent }));

  it("depends only on the key, and raising it never removes a key from it", () => {
    const percent = fc.double({ min: 0, max: 50, noNaN: true });
    fc.assert(
      fc.property(fc.string(), percent, percent, percent, (key, first, one, other) => {
        const position = rolloutPosition(key);
        expect(position).toBe(rolloutPosition(key));
        expect(position >= 0 && position < 100).toBe(true);
        const [less, more] = one < other ? [one, other] : [other, one];
        const chosen = (last: number) => rolledOutTo(challengers(first, last), position)?.member.name;
        if (chosen(less) !== undefined) expect(chosen(more)).toBe(chosen(less));
        expect(rolledOutTo(challengers(0, 0), position)).toBeNull();
        expect(rolledOutTo(challengers(50, 50), position)).not.toBeNull();
      }),
    );
  });

  it("gives each challenger its share", () => {
    const tally = new Map<string | undefined, number>();
    for (let user = 0; user < 20_000; user++) {
      const name = rolledOutTo(challengers(10, 25), rolloutPosition(`tok_${user}`))?.member.name;
      tally.set(name, (tally.get(name) ?? 0) + 1);
    }
    expect((tally.get("c0") ?? 0) / 20_000).toBeCloseTo(0.1, 1.7);
    expect((tally.get("c1") ?? 0) / 20_000).toBeCloseTo(0.25, 1.7);
  });

  it("lets the challenger answer its share and says so", async () => {
    const seen: number[] = [];
    const champion = localMember({
      ...constant("champion", 0.1),
      scoreBatch: (_, count, out) => {
        seen.push(count);
        out.fill(0.1, 0, count);
      },
    });
    const set = setOf([champion], challengers(40));
    const answers = await answerRows(set, policy, rows(200), ignore);
    let rolledOut = 0;
    for (let row = 0; row < 200; row++) {
      const isRolledOut = rolloutPosition(`user-${row}`) < 40;
      if (isRolledOut) rolledOut++;
      expect(answers.scores[row]).toBe(isRolledOut ? 0.9 : 0.1);
      expect(answers.group(row).source).toEqual(isRolledOut ? { role: "challenger", fallback: [] } : undefined);
      expect(expectedModel(set, policy, () => `user-${row}`)).toBe(isRolledOut ? "c0" : "champion");
    }
    expect(seen).toEqual([200 - rolledOut]);
  });

  it("gives events back to the champion when the challenger fails", async () => {
    const set = setOf([local("champion", 0.1)], [{ member: failing("endpoint"), percent: 100 }]);
    const answers = await answerRows(set, policy, rows(1), ignore);
    expect(answers.group(0)).toMatchObject({
      member: { name: "champion" },
      source: { role: "champion", fallback: [{ model: "endpoint", reason: "timeout" }] },
    });
  });
});

describe("models in shadow", () => {
  const answered = (scores: readonly number[], name = "champion"): Answers => ({
    scores: Float64Array.from(scores),
    group: () => ({ member: local(name, 0), source: undefined }),
  });
  function shadow(set: ModelSet, answers: Answers, withRemote = true) {
    const comparisons: Comparison[] = [];
    const failures: string[] = [];
    const count = answers.scores.length;
    const scores = shadowRows({
      set,
      policy,
      rows: rows(count),
      answers,
      decisionOf: (row) => ({ score: answers.scores[row]!, band: policy.bandOf(answers.scores[row]!) }),
      withRemote,
      onFailure: (model) => failures.push(model),
      onComparison: (comparison) => comparisons.push(comparison),
    });
    return { scores, comparisons, failures };
  }
  const challenger = (member: Member): Challenger => ({ member, percent: 0 });

  it("record score and band per model, and how they compare", async () => {
    const set = setOf([local("champion", 0.3)], [challenger(local("c1", 0.4)), challenger(local("c2", 0.9))]);
    const { scores, comparisons } = shadow(set, answered([0.3, 0.3]));
    expect(scores.settled).toBeNull();
    expect(scores.of(1)).toEqual([
      { model: "c1", score: expect.closeTo(0.4), band: "medium" },
      { model: "c2", score: expect.closeTo(0.9), band: "critical" },
    ]);
    expect(comparisons).toEqual([
      { model: "c1", scored: 2, agreed: 2, difference: expect.closeTo(0.2) },
      { model: "c2", scored: 2, agreed: 0, difference: expect.closeTo(1.2) },
    ]);
  });

  it("are compared the other way round where the challenger answers", async () => {
    const set = setOf([local("champion", 0.3)], [{ member: local("c1", 0.9), percent: 100 }]);
    const answers = await answerRows(set, policy, rows(1), ignore);
    expect(shadow(set, answers).scores.of(0)).toMatchObject([{ model: "champion", band: "medium" }]);
  });

  it("may be remote: their scores come later, in the document's order, or not at all", async () => {
    let finish: () => void = () => {};
    const slow = remote(
      "slow",
      (_, count, out) =>
        new Promise((resolve) => {
          finish = () => {
            out.fill(0.9, 0, count);
            resolve();
          };
        }),
    );
    const set = setOf([local("champion", 0.3)], [slow, failing("down"), local("c1", 0.4)].map(challenger));
    const { scores, failures } = shadow(set, answered([0.3]));
    expect(scores.of(0)).toMatchObject([{ model: "c1" }]);
    finish();
    await scores.settled;
    expect(scores.of(0)).toMatchObject([{ model: "slow" }, { model: "c1" }]);
    expect(failures).toEqual(["down"]);
    expect(shadow(set, answered([0.3]), false).scores).toMatchObject({ settled: null });
  });

  it("change nothing when they fail", () => {
    const broken = localMember({
      ...constant("broken", 1),
      scoreBatch() {
        throw new Error("bug");
      },
    });
    const { scores, failures } = shadow(setOf([local("champion", 0.3)], [challenger(broken)]), answered([0.3]));
    expect(scores.of(0)).toEqual([]);
    expect(failures).toEqual(["broken"]);
  });
});
