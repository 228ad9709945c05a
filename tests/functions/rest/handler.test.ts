import type { APIGatewayProxyEvent } from "aws-lambda";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { churn, lead, policy as validatePolicy } from "#validators";
import { createRestHandler, type RestHandlerArgs } from "../../../functions/rest/handler";
import type { Claim, StoredAnswer, StoredScore } from "../../../functions/rest/ports";
import { SCORE_PROBLEMS } from "../../../functions/rest/problems";
import { compilePolicy } from "../../../functions/scoring/policy/compile";
import { PROFILES } from "../../../functions/scoring/profiles";
import type { BusEvent } from "../../../functions/shared/event-bus";
import { createLog } from "../../../functions/shared/log";
import { createMetrics } from "../../../functions/shared/metrics";
import { unpackLines } from "../../../functions/shared/ndjson";
import { createTokeniser } from "../../../functions/shared/tokeniser";

const NOW = Date.UTC(2026, 10, 21, 12);
const LEAD = { companySize: 500, industry: "technology", engagementMetrics: 50 };

class World {
  now = NOW;
  readonly scores: StoredScore[] = [];
  readonly keys = new Map<string, { readonly bodyHash: string; answer?: StoredAnswer }>();
  readonly events: BusEvent[] = [];
  readonly objects = new Map<string, Uint8Array>();
  readonly lines: string[] = [];
  down: { table?: boolean; bus?: boolean; bucket?: boolean } = {};

  #table<T>(work: () => T): Promise<T> {
    return this.down.table ? Promise.reject(new Error("table is down")) : Promise.resolve(work());
  }

  args(profileId: "lead" | "churn", overrides: Partial<RestHandlerArgs> = {}): RestHandlerArgs {
    const profile = PROFILES[profileId];
    const compiled = compilePolicy(profile.defaultPolicy, profile, validatePolicy);
    if (!compiled.ok) throw new Error("policy");
    const clock = { now: () => this.now };
    const sink = (line: string) => void this.lines.push(line);
    return {
      profile,
      validate: profileId === "lead" ? lead : churn,
      policies: { current: async () => compiled.policy },
      tokeniser: async () => createTokeniser("secret", profile.schema),
      scores: {
        newest: (id) =>
          this.#table(
            () => this.scores.filter((score) => score.inputId === id).sort((a, b) => b.timestamp - a.timestamp)[0] ?? null,
          ),
        put: (score) => this.#table(() => void this.scores.push(score)),
      },
      idempotency: {
        claim: (key, bodyHash): Promise<Claim> =>
          this.#table(() => {
            const present = this.keys.get(key);
            if (present === undefined) {
              this.keys.set(key, { bodyHash });
              return { kind: "claimed" };
            }
            if (present.bodyHash !== bodyHash) return { kind: "other_body" };
            return present.answer === undefined ? { kind: "in_flight" } : { kind: "answered", answer: present.answer };
          }),
        answer: (key, bodyHash, answer) => this.#table(() => void this.keys.set(key, { bodyHash, answer })),
        release: (key) => this.#table(() => void this.keys.delete(key)),
      },
      bus: {
        publish: async (events) => {
          if (this.down.bus) return events.map((_, index) => index);
          this.events.push(...events);
          return [];
        },
      },
      objects: {
        putIfAbsent: async (key, body) => {
          if (this.down.bucket) throw new Error("bucket is down");
          this.objects.set(key, body);
          return "created";
        },
        size: async (key) => this.objects.get(key)?.length ?? null,
      },
      clock,
      log: createLog("info", {}, sink),
      metrics: createMetrics("Test", { Profile: profileId }, clock, sink),
      eventDetailType: "Lead Scored",
      cacheTtlSeconds: 60,
      jitter: 0,
      random: () => 1,
      ...overrides,
    };
  }

  async post(
    body: unknown,
    headers: Record<string, string> = {},
    profile: "lead" | "churn" = "lead",
    more: Partial<APIGatewayProxyEvent> = {},
  ) {
    // Only the members that the handler reads.
    const event: Partial<APIGatewayProxyEvent> = {
      headers: { "Content-Type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
      isBase64Encoded: false,
      ...more,
      requestContext: { requestId: "request-1", identity: {} } as APIGatewayProxyEvent["requestContext"],
    };
    const answer = await createRestHandler(this.args(profile))(event as APIGatewayProxyEvent);
    return { ...answer, json: JSON.parse(answer.body) as Record<string, unknown> };
  }

  stored(): number {
    return this.scores.length + this.keys.size + this.events.length + this.objects.size;
  }
}

let world: World;
beforeEach(() => {
  world = new World();
});

describe("a valid request", () => {
  it("answers score, band, reasons, versions and ids, and records the score on the bus and in the table", async () => {
    const { statusCode, json, headers } = await world.post(LEAD, { "X-Amzn-Trace-Id": "Root=1-2" });
    expect(statusCode).toBe(200);
    expect(json).toMatchObject({
      score: 50,
      band: "medium",
      cached: false,
      modelVersion: "lead-heuristic-1",
      policyVersion: "lead-1",
    });
    expect(headers).toMatchObject({
      "X-Request-Id": "request-1",
      "X-Trace-Id": "Root=1-2",
      "Cache-Control": "no-store",
      "X-Score-Id": json.id,
    });
    expect(world.scores).toHaveLength(1);
    const detail = JSON.parse(world.events[0]!.detail) as Record<string, Record<string, unknown>>;
    expect(detail).toMatchObject({
      leadId: json.leadId,
      score: 50,
      leadData: LEAD,
      record: { event_id: json.id, profile: "lead" },
    });
    const emf = world.lines.map((line) => JSON.parse(line) as Record<string, unknown>).find((line) => "_aws" in line);
    expect(emf).toMatchObject({ ScoringLatency: 0, LeadScore: 50, Profile: "lead" });
  });

  it("may name the encoding that changes nothing", async () => {
    expect((await world.post(LEAD, { "Content-Encoding": "identity" })).statusCode).toBe(200);
  });

  it("gets scores and contributions to a millionth of the scale, and the archive has them unrounded", async () => {
    const noisy = { companySize: 333, industry: "technology", engagementMetrics: 100 / 3 };
    const { json } = await world.post(noisy);
    const reasons = json.reasons as { readonly contribution: number }[];
    const { record } = JSON.parse(world.events[0]!.detail) as { record: { score: number } };
    for (const value of [json.score as number, ...reasons.map(({ contribution }) => contribution)])
      expect(value).toBe(Number(value.toFixed(4)));
    expect(json.score).not.toBe(record.score);
    expect(json.score).toBe(Number(record.score.toFixed(4)));
    const { json: churn } = await world.post({ data: [600, 1, 40, 3, 60000, 2, 1, 1, 50000, 1, 0, 0] }, {}, "churn");
    expect(churn.probability).toBe(churn.score);
    expect(churn.score).toBe(Number((churn.score as number).toFixed(6)));
  });

  it("is answered from the cache until that expires, without a second event", async () => {
    const first = await world.post(LEAD);
    world.now += 59_000;
    const second = await world.post({ engagementMetrics: 50, industry: "technology", companySize: 500 });
    expect(second.json).toEqual({ ...first.json, cached: true });
    expect(world.events).toHaveLength(1);
    world.now += 2_000;
    expect((await world.post(LEAD)).json.cached).toBe(false);
    expect(world.events).toHaveLength(2);
  });

  it("names the id of an input as the profile does", async () => {
    const { json } = await world.post({ data: [600, 1, 40, 3, 60000, 2, 1, 1, 50000, 1, 0, 0] }, {}, "churn");
    expect(json.inputId).toMatch(/^[0-9a-f]{32}$/);
    expect(json).not.toHaveProperty("leadId");
    const detail: unknown = JSON.parse(world.events[0]!.detail);
    expect(detail).toMatchObject({ inputId: json.inputId, input: { data: expect.any(Array) } });
    expect(detail).not.toHaveProperty("leadData");
  });

  it("gives churn its result, and keeps jitter for demonstrations", async () => {
    const answer = await world.post({ data: [600, 1, 40, 3, 60000, 2, 1, 1, 50000, 1, 0, 0] }, {}, "churn");
    expect(answer.statusCode).toBe(200);
    expect(["Will Exit", "Will Not Exit"]).toContain(answer.json.result);
    const event = { headers: {}, body: JSON.stringify(LEAD), requestContext: { requestId: "r" } } as APIGatewayProxyEvent;
    const jittered = await createRestHandler(world.args("lead", { jitter: 5 }))(event);
    expect(JSON.parse(jittered.body)).toMatchObject({ score: 55 });
  });
});

describe("Idempotency-Key", () => {
  const key = { "Idempotency-Key": "order-1" };

  it("replays the answer for the same body and says so", async () => {
    const first = await world.post(LEAD, key);
    world.now += 100_000;
    const second = await world.post(LEAD, key);
    expect(second.body).toBe(first.body);
    expect(second.headers["Idempotency-Replayed"]).toBe("true");
    expect(world.events).toHaveLength(1);
  });

  it("answers 422 for another body and 409 while the first is in flight", async () => {
    await world.post(LEAD, key);
    expect((await world.post({ ...LEAD, companySize: 1 }, key)).statusCode).toBe(422);
    for (const [name, entry] of world.keys) world.keys.set(name, { bodyHash: entry.bodyHash });
    const busy = await world.post(LEAD, key);
    expect([busy.statusCode, busy.headers["Retry-After"]]).toEqual([409, "1"]);
  });

  it("is free again after a failure, and doesn't prevent scoring when the table is down", async () => {
    world.down = { bus: true, bucket: true };
    expect((await world.post(LEAD, key)).statusCode).toBe(503);
    world.down = {};
    expect((await world.post(LEAD, key)).statusCode).toBe(200);
    world.down = { table: true };
    const degraded = await world.post(LEAD, key);
    expect([degraded.statusCode, degraded.headers["X-Degraded"]]).toEqual([200, "idempotency"]);
  });

  it.each(["", "with space", "x".repeat(256)])("is refused when it is %j", async (bad) => {
    expect((await world.post(LEAD, { "Idempotency-Key": bad })).statusCode).toBe(400);
    expect(world.stored()).toBe(0);
  });
});

describe("outages", () => {
  it("scores without the cache when the table is down", async () => {
    world.down = { table: true };
    const { statusCode, headers } = await world.post(LEAD);
    expect([statusCode, headers["X-Degraded"]]).toEqual([200, "cache, store"]);
    expect(world.events).toHaveLength(1);
  });

  it("archives the score itself when the bus is down", async () => {
    world.down = { bus: true };
    const { statusCode, json } = await world.post(LEAD);
    expect(statusCode).toBe(200);
    const [[key, body]] = [...world.objects] as [[string, Uint8Array]];
    expect(key).toMatch(/^archive\/lead\/dt=2026-11-21\/rest_.*\.ndjson\.zst$/);
    expect(JSON.parse(unpackLines(key, body)[0] ?? "")).toMatchObject({ event_id: json.id, score: 50 });
  });

  it("answers 503 with Retry-After when the score can't be recorded anywhere", async () => {
    world.down = { bus: true, bucket: true, table: true };
    const { statusCode, headers, json } = await world.post(LEAD);
    expect([statusCode, headers["Retry-After"], headers["Content-Type"]]).toEqual([503, "1", "application/problem+json"]);
    expect(json).toMatchObject({ status: 503, title: "Service Unavailable", instance: "urn:request:request-1" });
  });
});

describe("bad input", () => {
  const TWELVE = "[1,2,3,4,5,6,7,8,9,10,11,12]";
  it.each<[string, number, string, Record<string, string>]>([
    ["another media type", 415, JSON.stringify(LEAD), { "Content-Type": "text/csv" }],
    ["another charset", 415, JSON.stringify(LEAD), { "Content-Type": "application/json; charset=latin1" }],
    ["a compressed body", 415, JSON.stringify(LEAD), { "Content-Encoding": "gzip" }],
    ["an unknown content encoding", 415, JSON.stringify(LEAD), { "content-encoding": "identity, zstd" }],
    ["an empty body", 400, "", {}],
    ["text that is not JSON", 400, "{", {}],
    ["NaN", 400, '{"companySize":NaN,"industry":"a","engagementMetrics":1}', {}],
    ["a number beyond a double", 400, '{"companySize":1e999,"industry":"a","engagementMetrics":1}', {}],
    ["deep nesting", 400, `${"[".repeat(30_000)}${"]".repeat(30_000)}`, {}],
    ["too many bytes", 413, JSON.stringify({ ...LEAD, industry: "x".repeat(100_000) }), {}],
    ["a polluting name", 400, '{"__proto__":{"a":1},"companySize":1,"industry":"a","engagementMetrics":1}', {}],
    ["a nested polluting name", 400, '{"companySize":{"constructor":1},"industry":"a","engagementMetrics":1}', {}],
    ["a name twice", 400, '{"companySize":1,"companySize":2,"industry":"a","engagementMetrics":1}', {}],
    ["replacement characters", 400, JSON.stringify({ ...LEAD, industry: "\uFFFD" }), {}],
    ["null", 400, "null", {}],
  ])("%s is answered %i and stores nothing", async (_, status, body, headers) => {
    const answer = await world.post(body, headers);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers["Content-Type"]).toBe("application/problem+json");
    expect(answer.json).toMatchObject({ status, instance: "urn:request:request-1" });
    expect(world.stored()).toBe(0);
  });

  it("gives every problem that the route declares, and no other", async () => {
    const kinds = new Set<unknown>();
    const provoke = async (body: unknown, headers: Record<string, string> = {}, base64 = false) => {
      const { json } = await world.post(body, headers, "lead", { isBase64Encoded: base64 });
      if (json.type !== undefined) kinds.add(String(json.type).replace("urn:risk-scoring:problem:", ""));
    };
    await provoke(Buffer.from([0x7b, 0xff, 0x7d]).toString("base64"), {}, true);
    await provoke("{");
    await provoke('{"__proto__":{"a":1}}');
    await provoke('{"companySize":1,"companySize":2}');
    await provoke({ ...LEAD, industry: "x".repeat(100_000) });
    await provoke(LEAD, { "Content-Type": "text/csv" });
    await provoke({});
    await provoke(LEAD, { "Idempotency-Key": "with space" });
    await provoke(LEAD, { "Idempotency-Key": "a" });
    await provoke({ ...LEAD, companySize: 1 }, { "Idempotency-Key": "a" });
    for (const [name, { bodyHash }] of world.keys) world.keys.set(name, { bodyHash });
    await provoke(LEAD, { "Idempotency-Key": "a" });
    world.down = { bus: true, bucket: true, table: true };
    await provoke(LEAD);
    expect([...kinds].sort()).toEqual([...SCORE_PROBLEMS].sort());
  });

  it("names every problem by its pointer", async () => {
    const { json } = await world.post({ companySize: "big", engagementMetrics: -1 });
    const pointers = (json.errors as { pointer: string }[]).map(({ pointer }) => pointer).sort();
    expect(pointers).toEqual(["/companySize", "/engagementMetrics", "/industry"]);
  });

  it.each([TWELVE.replace(",12", ""), TWELVE.replace("12]", "12,13]"), '["a"]', '"x"', "null"])(
    "churn refuses %s in the contract's words",
    async (data) => {
      const { statusCode, json } = await world.post(`{"data":${data}}`, {}, "churn");
      expect([statusCode, json.detail]).toEqual([400, "Invalid input. Expected a list of 12 numerical values."]);
    },
  );

  it("refuses base64 bodies that are not UTF-8 and accepts other JSON media types", async () => {
    const bytes = Buffer.from([0x7b, 0xff, 0x7d]).toString("base64");
    expect((await world.post(bytes, {}, "lead", { isBase64Encoded: true })).statusCode).toBe(400);
    expect((await world.post(LEAD, { "Content-Type": 'application/vnd.lead+json; charset="UTF-8"' })).statusCode).toBe(200);
  });

  it("never answers 5xx, whatever the body", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.jsonValue().map((value) => JSON.stringify({ ...LEAD, industry: value })),
        ),
        async (body) => {
          const { statusCode } = await new World().post(body);
          expect(statusCode).toBeLessThan(500);
        },
      ),
      { numRuns: 300, seed: 1 },
    );
  });
});
