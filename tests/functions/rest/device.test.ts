import { loadTrees } from "@risk/tree-kernel";
import type { APIGatewayProxyEvent } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { device, policy as validatePolicy } from "#validators";
import { deviceVisit } from "../../../cli/training/device-world";
import { createRestHandler } from "../../../functions/rest/handler";
import type { StoredScore } from "../../../functions/rest/ports";
import { encoder, type RawRecord } from "../../../functions/scoring/models/feature-encoder";
import { type FeatureSpec, featureSpecOf } from "../../../functions/scoring/models/feature-spec";
import type { ModelSet } from "../../../functions/scoring/models/model-set";
import { compilePolicy } from "../../../functions/scoring/policy/compile";
import { PROFILES } from "../../../functions/scoring/profiles";
import type { BusEvent } from "../../../functions/shared/event-bus";
import { createLog } from "../../../functions/shared/log";
import { createMetrics } from "../../../functions/shared/metrics";
import { createTokeniser } from "../../../functions/shared/tokeniser";
import { treeLoader } from "../../../functions/shared/tree-loader";
import { treeImage } from "../../helpers/tree-image";

const profile = PROFILES.device;

/** As training would have fitted it on the visits of the device world. */
const spec: FeatureSpec = {
  version: 1,
  features: featureSpecOf(profile).features.map((feature) => {
    if (!("encoder" in feature) || feature.encoder === "encoded") return feature;
    const seen = Array.from({ length: 200 }, (_, index) => deviceVisit(1, index, 200).raw[feature.name]);
    return { ...feature, categories: [...new Set(seen.filter((value) => typeof value === "string"))].sort() };
  }),
};
const image = treeImage(
  "device-trees-1",
  spec.features.map(({ name }) => name),
  3,
  { objective: "reg:squarederror", featureSpec: spec },
);

class World {
  set: ModelSet | null = null;
  readonly scores: StoredScore[] = [];
  readonly events: BusEvent[] = [];
  readonly lines: string[] = [];

  async post(fields: unknown) {
    const compiled = compilePolicy({ ...profile.defaultPolicy, rules: [] }, profile, validatePolicy);
    const ruled = compilePolicy(profile.defaultPolicy, profile, validatePolicy);
    if (!compiled.ok || !ruled.ok) throw new Error("policy");
    const clock = { now: () => Date.UTC(2026, 10, 21) };
    const sink = (line: string) => void this.lines.push(line);
    const handler = createRestHandler({
      profile,
      validate: device,
      policies: { current: async () => (this.set === null ? ruled.policy : compiled.policy) },
      models: { current: async () => this.set },
      tokeniser: async () => createTokeniser("secret", profile.schema),
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
      metrics: createMetrics("Test", { Profile: profile.id }, clock, sink),
      eventDetailType: "Device Scored",
      cacheTtlSeconds: 60,
      jitter: 0,
      random: () => 0,
    });
    // Only the members that the handler reads.
    const event: Partial<APIGatewayProxyEvent> = {
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(fields),
      isBase64Encoded: false,
      requestContext: { requestId: "request-1", identity: {} } as APIGatewayProxyEvent["requestContext"],
    };
    const { statusCode, body } = await handler(event as APIGatewayProxyEvent);
    return { statusCode, json: JSON.parse(body) as Record<string, unknown> };
  }

  record(): Readonly<Record<string, unknown>> {
    const detail = JSON.parse(this.events.at(-1)?.detail ?? "{}") as Record<string, Record<string, unknown>>;
    return detail.record ?? {};
  }
}

describe("POST /device", () => {
  it("answers by rules, and stores identifiers as tokens", async () => {
    const world = new World();
    const body = {
      request_id: "r1",
      device_id: "dev-1",
      ip_address: "10.1.2.3",
      vpn: true,
      ip_risk_score: 80,
      browser: "Chrome",
    };
    const { statusCode, json } = await world.post(body);
    expect(statusCode).toBe(200);
    expect(json).toMatchObject({ score: 27, band: "low", flags: ["anonymised", "bad_address"], modelVersion: "rules-only" });
    expect(world.record()).toMatchObject({
      profile: "device",
      score_scale: 100,
      user_id: expect.stringMatching(/^tok_/),
      input: {
        request_id: "r1",
        device_id: expect.stringMatching(/^tok_/),
        ip_address: expect.stringMatching(/^tok_/),
        browser: "Chrome",
      },
    });
    expect(JSON.stringify([world.events, world.lines])).not.toMatch(/dev-1|10\.1\.2\.3/);
    expect((await world.post(body)).json).toMatchObject({ cached: true, score: 27 });
  });

  it("names every problem of a bad body", async () => {
    const { statusCode, json } = await new World().post({ browser: 1, colour: "red" });
    expect(statusCode).toBe(400);
    expect(json.errors).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ pointer: "/request_id" }),
        expect.objectContaining({ pointer: "/browser" }),
        expect.objectContaining({ pointer: "/colour" }),
      ]),
    );
  });

  it("scores as the model scores the archived record, with reasons by category", async () => {
    const world = new World();
    world.set = { version: "1", chain: [treeLoader(profile)(image.bytes, image.ref)], challengers: [] };
    const [evaluator, encode] = [loadTrees(image.bytes), encoder(spec)];
    for (let index = 0; index < 30; index++) {
      const { json } = await world.post(deviceVisit(2, index, 30).raw);
      const { features, input } = world.record() as Readonly<Record<"features" | "input", RawRecord>>;
      const raw = Object.fromEntries(spec.features.map(({ name, from }) => [name, (from === "input" ? input : features)[name]]));
      const expected = Math.min(100, Math.max(0, evaluator.predict(encode.encode(raw))[0]!));
      expect(world.record()).toMatchObject({ score: expected });
      expect(json).toMatchObject({ score: Number(expected.toFixed(4)), modelVersion: "device-trees-1" });
      const reasons = json.reasons as { readonly text: string; readonly contribution: number }[];
      expect(reasons.map(({ text }) => text).join()).not.toMatch(/\d{10}/);
    }
  });
});
