import type { APIGatewayProxyEvent } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { churn, policy as validatePolicy } from "#validators";
import { createRestHandler } from "../../../functions/rest/handler";
import type { StoredScore } from "../../../functions/rest/ports";
import {
  localMember,
  type Member,
  type ModelSet,
  ModelUnavailable,
  remoteMember,
} from "../../../functions/scoring/models/model-set";
import { compilePolicy } from "../../../functions/scoring/policy/compile";
import { PROFILES } from "../../../functions/scoring/profiles";
import type { BusEvent } from "../../../functions/shared/event-bus";
import { createLog } from "../../../functions/shared/log";
import { createMetrics } from "../../../functions/shared/metrics";
import { createTokeniser } from "../../../functions/shared/tokeniser";
import { treeLoader } from "../../../functions/shared/tree-loader";
import { treeImage } from "../../helpers/tree-image";

const CUSTOMER = { data: [600, 1, 40, 3, 60_000, 2, 1, 1, 50_000, 1, 0, 0] };
const image = treeImage("churn-trees-1", ["age", "balance", "products"], 4);
const TREES = treeLoader(PROFILES.churn)(image.bytes, image.ref);
const constant = (name: string, score: number): Member =>
  localMember({
    version: name,
    score: () => score,
    explain: () => [],
    scoreBatch: (_, count, out) => void out.fill(score, 0, count),
  });

class World {
  set: ModelSet | null = null;
  readonly scores: StoredScore[] = [];
  readonly events: BusEvent[] = [];
  readonly lines: string[] = [];

  async predict(): Promise<Record<string, unknown>> {
    const profile = PROFILES.churn;
    const compiled = compilePolicy(profile.defaultPolicy, profile, validatePolicy);
    if (!compiled.ok) throw new Error("policy");
    const clock = { now: () => Date.UTC(2026, 10, 21) };
    const sink = (line: string) => void this.lines.push(line);
    const handler = createRestHandler({
      profile,
      validate: churn,
      policies: { current: async () => compiled.policy },
      models: { current: async () => this.set },
      tokeniser: async () => createTokeniser(null, profile.schema),
      scores: {
        newest: async (id) => this.scores.filter(({ inputId }) => inputId === id).at(-1) ?? null,
        put: async (score) => void this.scores.push(score),
      },
      idempotency: { claim: async () => ({ kind: "claimed" }), answer: async () => {}, release: async () => {} },
      bus: {
        publish: async (events) => {
          this.events.push(...events);
          return [];
        },
      },
      objects: { putIfAbsent: async () => "created", size: async () => null },
      clock,
      log: createLog("info", {}, sink),
      metrics: createMetrics("Test", { Profile: "churn" }, clock, sink),
      eventDetailType: "Lead Scored",
      cacheTtlSeconds: 60,
      jitter: 0,
      random: () => 0,
    });
    // Only the members that the handler reads.
    const event: Partial<APIGatewayProxyEvent> = {
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(CUSTOMER),
      isBase64Encoded: false,
      requestContext: { requestId: "request-1", identity: {} } as APIGatewayProxyEvent["requestContext"],
    };
    const { body } = await handler(event as APIGatewayProxyEvent);
    return JSON.parse(body) as Record<string, unknown>;
  }

  record(): Record<string, unknown> {
    const detail = JSON.parse(this.events.at(-1)?.detail ?? "{}") as Record<string, Record<string, unknown>>;
    return detail.record ?? {};
  }
}

const setOf = (chain: Member[], ...challengers: [Member, number][]): ModelSet => ({
  version: "1",
  chain,
  challengers: challengers.map(([member, percent]) => ({ member, percent })),
});

describe("models behind POST /predict", () => {
  it("answer with reasons by feature that add up to the score; challengers are only in the record", async () => {
    const world = new World();
    const remote = remoteMember({ version: "remote", scoreBatch: () => Promise.reject(new Error("must not be asked")) });
    world.set = setOf([TREES], [constant("challenger", 0.9), 0], [remote, 0]);
    const answer = await world.predict();
    expect(answer).toMatchObject({ modelVersion: "churn-trees-1", cached: false });
    expect(answer).not.toHaveProperty("modelRole");
    const reasons = answer.reasons as { code: string; contribution: number }[];
    expect(reasons.map(({ code }) => code)).toContain("base");
    expect(reasons.reduce((sum, { contribution }) => sum + contribution, 0)).toBeCloseTo(Number(answer.score), 9);
    expect(JSON.stringify(answer)).not.toContain("challenger");
    expect(world.record().challengers).toEqual([{ model: "challenger", score: expect.closeTo(0.9), band: "critical" }]);
    expect(world.lines.join()).not.toContain("model_failed");
  });

  it("fall back and say from which model, and the next call asks the champion again", async () => {
    const world = new World();
    let isDown = true;
    const endpoint = remoteMember({
      version: "endpoint",
      scoreBatch: async (_, count, out) => {
        if (isDown) throw new ModelUnavailable("timeout", "slow");
        out.fill(0.75, 0, count);
      },
    });
    world.set = setOf([endpoint, TREES]);
    expect(await world.predict()).toMatchObject({
      modelVersion: "churn-trees-1",
      modelRole: "fallback",
      modelFallback: [{ model: "endpoint", reason: "timeout" }],
    });
    expect(world.record()).toMatchObject({ model_role: "fallback", model_fallback: "endpoint: timeout" });
    isDown = false;
    expect(await world.predict()).toMatchObject({ modelVersion: "endpoint", score: 0.75, result: "Will Exit", cached: false });
    expect(await world.predict()).toMatchObject({ modelVersion: "endpoint", cached: true });
  });

  it("are promoted and rolled back at once: cached scores of another model are not used", async () => {
    const world = new World();
    const old = setOf([constant("old", 0.25)]);
    world.set = old;
    expect(await world.predict()).toMatchObject({ modelVersion: "old", result: "Will Not Exit" });
    expect(await world.predict()).toMatchObject({ cached: true });
    world.set = setOf([constant("new", 0.75)]);
    expect(await world.predict()).toMatchObject({ modelVersion: "new", result: "Will Exit", cached: false });
    world.set = old;
    expect(await world.predict()).toMatchObject({ modelVersion: "old", cached: false });
  });

  it("are rolled out by share, and cached answers follow it", async () => {
    const world = new World();
    world.set = setOf([constant("champion", 0.25)], [constant("challenger", 0.75), 100]);
    expect(await world.predict()).toMatchObject({ modelVersion: "challenger", modelRole: "challenger" });
    expect(world.record()).toMatchObject({ model_role: "challenger", challengers: [{ model: "champion" }] });
    expect(await world.predict()).toMatchObject({ cached: true, modelRole: "challenger" });
    world.set = setOf([constant("champion", 0.25)], [constant("challenger", 0.75), 0]);
    expect(await world.predict()).toMatchObject({ modelVersion: "champion", cached: false });
  });
});
