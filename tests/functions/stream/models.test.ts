import { describe, expect, it } from "vitest";
import type { BatchModel } from "../../../functions/scoring/core/model";
import {
  localMember,
  type Member,
  type ModelSet,
  ModelUnavailable,
  remoteMember,
} from "../../../functions/scoring/models/model-set";
import { rolloutPosition } from "../../../functions/scoring/models/rollout";
import { PROFILES } from "../../../functions/scoring/profiles";
import { treeLoader } from "../../../functions/shared/tree-loader";
import { context, encode, event, kinesisRecord, StreamWorld, transaction } from "../../helpers/stream-world";
import { treeImage } from "../../helpers/tree-image";

const trees = (name: string, seed: number): Member => {
  const { bytes, ref } = treeImage(name, ["amount", "hour", "count_1h"], seed);
  return treeLoader(PROFILES.fraud)(bytes, ref);
};
const CHAMPION = trees("trees-1", 1);
const CHALLENGER = trees("trees-2", 2);
const constant = (name: string, score: number): Member =>
  localMember({
    version: name,
    score: () => score,
    explain: () => [],
    scoreBatch: (_, count, out) => void out.fill(score, 0, count),
  });
const LOW = constant("low", 0.1);
const remote = (version: string, scoreBatch: BatchModel["scoreBatch"]) => remoteMember({ version, scoreBatch });
const setOf = (chain: Member[], ...challengers: [Member, number][]): ModelSet => ({
  version: "1",
  chain,
  challengers: challengers.map(([member, percent]) => ({ member, percent })),
});
const using = (set: ModelSet | null) => ({ models: { current: async () => set } });
const batch = (count: number, first = 1) =>
  event(
    ...Array.from({ length: count }, (_, index) =>
      kinesisRecord(
        first + index,
        encode(transaction(`t-${first + index}`, { user_id: `u-${index}`, amount: 10 * (index + 1) })),
      ),
    ),
  );

describe("models in the stream", () => {
  it("score a batch in one call; each line names the model and what challengers said", async () => {
    const world = new StreamWorld();
    const calls: number[] = [];
    const counted: Member = {
      ...CHAMPION,
      model: {
        version: CHAMPION.name,
        scoreBatch(rows, count, out) {
          calls.push(count);
          return CHAMPION.model.scoreBatch(rows, count, out);
        },
      },
    };
    await world.handler(using(setOf([counted], [CHALLENGER, 0])))(batch(20), context);
    expect(calls).toEqual([20]);
    const lines = world.archived();
    expect(lines).toHaveLength(20);
    for (const line of lines) {
      expect(line.model_version).toBe("trees-1");
      expect(line).not.toHaveProperty("model_role");
      expect(line.challengers).toMatchObject([{ model: "trees-2", band: expect.any(String) }]);
      expect(line.reasons.reduce((sum, { contribution }) => sum + contribution, 0)).toBeCloseTo(line.score, 9);
      expect(world.results.get(line.event_id)?.challengers).toEqual(line.challengers);
    }
    const metrics = world.lines.filter((line) => line.includes("ChallengerScored")).map((line): unknown => JSON.parse(line));
    expect(metrics).toMatchObject([{ Model: "trees-2", Profile: "fraud", ChallengerScored: 20 }]);
  });

  it("are explained by feature in alerts only", async () => {
    const world = new StreamWorld();
    const alerting = transaction("alert", { location_mismatch: true, velocity_flag: true, amount: 5000 });
    const set = setOf([
      localMember({ ...LOW.local!, explain: () => [{ code: "amount", text: "Amount", contribution: 0.1 }] }, true),
    ]);
    await world.handler(using(set))(
      event(kinesisRecord(1, encode(alerting)), kinesisRecord(2, encode(transaction("calm", { user_id: "u" })))),
      context,
    );
    const codes = (id: string) => world.results.get(id)?.decision.reasons.map(({ code }) => code);
    expect(world.results.get("alert")?.decision.band).toMatch(/high|critical/);
    expect(codes("alert")).toContain("amount");
    expect(codes("calm")).not.toContain("amount");
  });

  it("leave a redelivered batch exactly as it was, whatever the current models are", async () => {
    const world = new StreamWorld();
    world.faults = (_, port) => (port === "objects.put" ? "before" : "none");
    await world.handler(using(setOf([CHAMPION], [CHALLENGER, 0])))(batch(3), context);
    expect(world.archived()).toHaveLength(0);
    const decided = new Map(world.results);
    world.faults = () => "none";
    await world.handler(using(setOf([constant("other", 0.9)])))(batch(3), context);
    const lines = world.archived();
    expect(lines.map(({ model_version }) => model_version)).toEqual(["trees-1", "trees-1", "trees-1"]);
    for (const line of lines) expect(line.challengers).toEqual(decided.get(line.event_id)?.challengers);
  });

  it("fall back along the chain, and the rules always apply", async () => {
    const world = new StreamWorld();
    const down = remote("endpoint", () => Promise.reject(new ModelUnavailable("timeout", "slow")));
    await world.handler(using(setOf([down, CHAMPION])))(batch(2), context);
    await world.handler(using(setOf([down])))(
      event(kinesisRecord(9, encode(transaction("t-9", { location_mismatch: true, user_id: "u" })))),
      context,
    );
    expect(world.archived()).toMatchObject([
      { model_version: "trees-1", model_role: "fallback", model_fallback: "endpoint: timeout" },
      { model_version: "trees-1", model_role: "fallback" },
      {
        model_version: "rules-only",
        model_fallback: "endpoint: timeout",
        flags: ["location_mismatch"],
        score: expect.closeTo(0.42),
      },
    ]);
    expect(world.results.get("t-1")?.decision.modelSource).toEqual({
      role: "fallback",
      fallback: [{ model: "endpoint", reason: "timeout" }],
    });
    expect(world.lines.filter((line) => line.includes('"model_failed"'))).toHaveLength(2);
  });

  it("are rolled out to a share of users, whose lines say so and keep the champion beside them", async () => {
    const world = new StreamWorld();
    await world.handler(using(setOf([CHAMPION], [constant("c", 0.5), 50])))(batch(40), context);
    const lines = world.archived();
    for (const line of lines) {
      const isRolledOut = rolloutPosition(line.user_id ?? "") < 50;
      expect(line.model_version).toBe(isRolledOut ? "c" : "trees-1");
      expect(line.model_role).toBe(isRolledOut ? "challenger" : undefined);
      expect(line.challengers?.map(({ model }) => model)).toEqual([isRolledOut ? "trees-1" : "c"]);
    }
    expect(new Set(lines.map(({ model_version }) => model_version)).size).toBe(2);
  });

  it("have remote challengers that only delay the archive, not results or alerts", async () => {
    const world = new StreamWorld();
    let answer: () => void = () => {};
    const slow = remote(
      "slow",
      (_, count, out) =>
        new Promise((resolve) => {
          answer = () => {
            out.fill(0.9, 0, count);
            resolve();
          };
        }),
    );
    const alerting = encode(transaction("t-1", { location_mismatch: true, velocity_flag: true }));
    const done = world.handler(using(setOf([CHAMPION], [slow, 0])))(event(kinesisRecord(1, alerting)), context);
    while (world.published.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(world.results.get("t-1")).not.toHaveProperty("challengers");
    expect(world.objects.size).toBe(0);
    answer();
    expect(await done).toEqual({ batchItemFailures: [] });
    expect(world.archived()[0]?.challengers).toMatchObject([{ model: "slow" }]);
  });

  it("change between batches and never within one", async () => {
    const world = new StreamWorld();
    let set = setOf([remote("a", async (_, count, out) => void out.fill(0.1, 0, count))]);
    const handler = world.handler({ models: { current: async () => set } });
    const first = handler(batch(10), context);
    set = setOf([constant("b", 0.2)]);
    await Promise.all([first, handler(batch(10, 100), context)]);
    const versions = world.archived().map(({ event_id, model_version }) => [Number(event_id.slice(2)) < 100, model_version]);
    expect(new Set(versions.map(String))).toEqual(new Set(["true,a", "false,b"]));
    const mixed = new Set(
      [...world.results.values()].map(({ archiveKey, decision }) => `${archiveKey} ${decision.modelVersion}`),
    );
    expect(mixed.size).toBe(2);
  });
});
