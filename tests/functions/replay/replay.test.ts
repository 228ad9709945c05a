import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { policy as validatePolicy } from "#validators";
import { readArchived } from "../../../functions/replay/archived-event";
import { addChanges, type Changes, changeOf, NO_CHANGES, sumUp } from "../../../functions/replay/changes";
import { generationLines } from "../../../functions/replay/generation-line";
import { type FeatureSource, replay } from "../../../functions/replay/replay";
import { isRescored, type Outcome, type Scoring } from "../../../functions/replay/rescore";
import { versionsOf } from "../../../functions/replay/versions";
import type { PolicyDocument } from "../../../functions/scoring/core/policy-document";
import { readRates } from "../../../functions/scoring/core/rates";
import { localMember, type Member, type ModelSet, unavailableMember } from "../../../functions/scoring/models/model-set";
import { PROFILES, type ProfileId } from "../../../functions/scoring/profiles";
import { treeLoader } from "../../../functions/shared/tree-loader";
import { transaction } from "../../helpers/stream-world";
import { treeImage } from "../../helpers/tree-image";
import { compiled, restLine, streamLines } from "./archive-world";

const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 10, 20);

const trees = (profile: ProfileId, name: string, seed: number): Member => {
  const features = PROFILES[profile].features.definitions.filter(({ categories, open }) => !categories && !open);
  const image = treeImage(
    name,
    features.slice(0, 8).map((feature) => feature.name),
    seed,
  );
  return treeLoader(PROFILES[profile])(image.bytes, image.ref);
};

const setOf = (...chain: Member[]): ModelSet => ({ version: "set", chain, challengers: [] });

function scoringOf(profile: ProfileId, { texts = [], models = [] }: { texts?: string[]; models?: Member[] } = {}): Scoring {
  const versions = versionsOf({ profile: PROFILES[profile], policies: texts, validatePolicy });
  for (const member of models) versions.models.set(member.name, member);
  return { versions };
}

function replayed(
  profile: ProfileId,
  lines: readonly string[],
  scoring: Scoring,
  source: FeatureSource = "archived",
): readonly Outcome[] {
  const events = lines.map((line) => ({ event: readArchived(line, PROFILES[profile]), warmUp: false }));
  return replay(events, source, scoring);
}

const summed = (profile: ProfileId, outcomes: readonly Outcome[]): Changes => sumUp(outcomes, PROFILES[profile], () => true);

const amount = fc.oneof(fc.double({ min: 0.01, max: 20_000, noNaN: true }), fc.constantFrom(500, 1000, 5000, 9999.99));
const transactions = fc
  .array(
    fc.record({
      user_id: fc.constantFrom("alice", "bob", "carol"),
      amount,
      minutes: fc.integer({ min: 0, max: 600 }),
      place: fc.option(fc.tuple(fc.integer({ min: -60, max: 60 }), fc.integer({ min: -170, max: 170 })), { nil: undefined }),
      location_mismatch: fc.boolean(),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((list) =>
    list.map(({ minutes, place, ...rest }, index) =>
      transaction(`t${String(index).padStart(3, "0")}`, {
        ...rest,
        timestamp: new Date(START + minutes * 60_000).toISOString(),
        latitude: place?.[0],
        longitude: place?.[1],
      }),
    ),
  );

const bodies: Readonly<Record<"lead" | "churn" | "device", fc.Arbitrary<unknown>>> = {
  lead: fc.record({
    companySize: fc.integer({ min: 1, max: 100_000 }),
    industry: fc.constantFrom("technology", "finance", "unheard of"),
    engagementMetrics: fc.integer({ min: 0, max: 100 }),
  }),
  churn: fc
    .tuple(
      fc.integer({ min: 300, max: 900 }),
      fc.integer({ min: 18, max: 90 }),
      fc.double({ min: 0, max: 200_000, noNaN: true }),
      fc.integer({ min: 1, max: 4 }),
    )
    .map(([credit, age, balance, products]) => ({ data: [credit, 0, age, 2, balance, products, 1, 1, 101_348.88, 1, 0, 0] })),
  device: fc.record({
    request_id: fc.stringMatching(/^[a-z]{8}$/),
    vpn: fc.boolean(),
    bot: fc.boolean(),
    browser: fc.constantFrom("Chrome", "Safari", ""),
    ip_distance_km: fc.double({ min: 0, max: 20_000, noNaN: true }),
    accounts_on_device_24h: fc.integer({ min: 0, max: 20 }),
  }),
};

describe("a replay with nothing changed", () => {
  it("gives the stream's decisions again, bit by bit, by rules and by trees", async () => {
    const models = trees("fraud", "fraud-a", 3);
    await fc.assert(
      fc.asyncProperty(transactions, fc.boolean(), async (list, byTrees) => {
        const lines = await streamLines(list, byTrees ? { models: setOf(models) } : {});
        const changes = summed("fraud", replayed("fraud", lines, scoringOf("fraud", { models: [models] })));
        expect(changes).toMatchObject({
          events: list.length,
          identical: list.length,
          moved: 0,
          bands: {},
          leftOut: {},
          examples: [],
        });
      }),
      { numRuns: 25 },
    );
  });

  it.each(["lead", "churn", "device"] as const)("gives the REST decisions of profile %s again, bit by bit", async (profile) => {
    const models = trees(profile, `${profile}-a`, 5);
    await fc.assert(
      fc.asyncProperty(bodies[profile], fc.boolean(), async (body, byTrees) => {
        const line = await restLine(profile, body, byTrees ? { models: setOf(models) } : {});
        const outcomes = replayed(profile, [line], scoringOf(profile, { models: [models] }));
        expect(summed(profile, outcomes)).toMatchObject({ events: 1, identical: 1, random: 0, leftOut: {} });
      }),
      { numRuns: 40 },
    );
  });

  it("keeps why a fallback answered", async () => {
    const down = unavailableMember("churn-endpoint", "timeout", "no answer");
    const line = await restLine("churn", { data: [619, 0, 42, 2, 0, 1, 1, 1, 101_348.88, 1, 0, 0] }, { models: setOf(down) });
    const [outcome] = replayed("churn", [line], scoringOf("churn"));
    expect(JSON.parse(line)).toMatchObject({ model_role: "fallback", model_fallback: "churn-endpoint: timeout" });
    expect(isRescored(outcome!) && changeOf(outcome, PROFILES.churn)).toMatchObject({ identical: true });
  });

  it("repeats a decision that no model could give a score for", async () => {
    const broken = localMember({
      version: "broken",
      score: () => Number.NaN,
      explain: () => [],
      scoreBatch: (_r, n, out) => void out.fill(Number.NaN, 0, n),
    });
    const lines = await streamLines([transaction("t1", { amount: 9000 })], { models: setOf(broken) });
    expect(JSON.parse(lines[0]!)).toMatchObject({
      model_version: "broken",
      flags: expect.arrayContaining(["model_unavailable"]),
    });
    expect(summed("fraud", replayed("fraud", lines, scoringOf("fraud")))).toMatchObject({ identical: 1, leftOut: {} });
  });

  it("knows a reason again whose text the archive had to change for the warehouse", async () => {
    const { version: _, ...document } = PROFILES.fraud.defaultPolicy;
    const rules = document.rules.map((rule) => ({ ...rule, text: `\ud800 ${rule.text}` }));
    const texts = [JSON.stringify({ ...document, rules })];
    const scoring = scoringOf("fraud", { texts });
    const lines = await streamLines([transaction("t1", { amount: 9000 })], { policy: scoring.versions.inForce.policy });
    expect(lines[0]).toContain(String.raw`\ufffd`);
    expect(summed("fraud", replayed("fraud", lines, scoring))).toMatchObject({ events: 1, identical: 1 });
  });

  it("names a random part of a score, which it can't repeat", async () => {
    const line = await restLine("lead", { companySize: 50, industry: "finance", engagementMetrics: 20 }, { jitter: 5 });
    expect(summed("lead", replayed("lead", [line], scoringOf("lead")))).toMatchObject({
      events: 1,
      identical: 0,
      random: 1,
      moved: 1,
    });
  });

  it("finds decisions of an earlier policy by its version, and leaves out those whose policy or model isn't known", async () => {
    const earlier: PolicyDocument = {
      ...PROFILES.fraud.defaultPolicy,
      version: "earlier",
      rules: PROFILES.fraud.defaultPolicy.rules.slice(0, 1),
    };
    const lines = await streamLines([transaction("t1", { amount: 9000 })], { policy: compiled("fraud", earlier) });
    const known = scoringOf("fraud", {
      texts: ["not JSON", JSON.stringify(earlier), JSON.stringify(PROFILES.fraud.defaultPolicy)],
    });
    expect(summed("fraud", replayed("fraud", lines, known))).toMatchObject({ identical: 1 });
    expect(known.versions.inForce.policy.version).toBe(PROFILES.fraud.defaultPolicy.version);
    expect(summed("fraud", replayed("fraud", lines, scoringOf("fraud")))).toMatchObject({
      events: 1,
      identical: 0,
      leftOut: { "policy earlier is not known": 1 },
    });
    const byTrees = await streamLines([transaction("t1")], { models: setOf(trees("fraud", "gone", 1)) });
    expect(summed("fraud", replayed("fraud", byTrees, scoringOf("fraud"))).leftOut).toEqual({ "model gone is not known": 1 });
  });
});

describe("a replay with another policy", () => {
  it("changes exactly the rule whose threshold changed, for exactly the events between both thresholds", async () => {
    const { defaultPolicy } = PROFILES.fraud;
    const before = defaultPolicy.thresholds!.high_amount!;
    await fc.assert(
      fc.asyncProperty(transactions, fc.double({ min: 1, max: 20_000, noNaN: true }), async (list, after) => {
        const lines = await streamLines(list);
        const { version: _, ...document } = defaultPolicy;
        const changed = { ...document, thresholds: { ...document.thresholds, high_amount: after } };
        const scoring = scoringOf("fraud", { texts: [JSON.stringify(changed)] });
        const outcomes = replayed("fraud", lines, { ...scoring, policy: scoring.versions.inForce });
        for (const outcome of outcomes) {
          if (!isRescored(outcome)) throw new Error(outcome.leftOut);
          const change = changeOf(outcome, PROFILES.fraud);
          expect(
            [...change.gained, ...change.lost].filter((rule) => rule !== "high_amount" && rule !== "extreme_amount"),
          ).toEqual([]);
          const given = outcome.event.record.amount ?? 0;
          const inBetween = given >= Math.min(before, after) && given <= Math.max(before, after);
          if (!inBetween) expect([change.gained, change.lost, change.from.score]).toEqual([[], [], change.to.score]);
        }
      }),
      { numRuns: 25 },
    );
  });

  it("lets the new policy's own model answer where the old one's did, and keeps any other", async () => {
    const { version: _, ...document } = PROFILES.churn.defaultPolicy;
    const texts = [JSON.stringify({ ...document, model: { kind: "rules-only" } })];
    const body = { data: [619, 0, 42, 2, 0, 1, 1, 1, 101_348.88, 1, 0, 0] };
    const models = trees("churn", "churn-a", 5);
    const scoring = scoringOf("churn", { texts, models: [models] });
    const given = { ...scoring, policy: scoring.versions.inForce };
    const versionOf = (line: string) => {
      const [outcome] = replayed("churn", [line], given);
      return isRescored(outcome!) && outcome.decision.modelVersion;
    };
    expect(versionOf(await restLine("churn", body))).toBe("rules-only");
    expect(versionOf(await restLine("churn", body, { models: setOf(models) }))).toBe("churn-a");
  });

  it("scores with one model whatever answered, and then forgets the role of the other", async () => {
    const down = unavailableMember("churn-endpoint", "timeout", "no answer");
    const line = await restLine("churn", { data: [619, 0, 42, 2, 0, 1, 1, 1, 101_348.88, 1, 0, 0] }, { models: setOf(down) });
    const outcomes = replayed("churn", [line], { ...scoringOf("churn"), model: trees("churn", "churn-b", 9) });
    const lineOf = generationLines(PROFILES.churn, { number: 4, scoredAt: "2026-11-22T00:00:00.000Z" });
    const written = JSON.parse(lineOf(outcomes.filter(isRescored)[0]!));
    expect(written).toMatchObject({ decision_generation: 4, model_version: "churn-b", scored_at: "2026-11-22T00:00:00.000Z" });
    expect([written.event_id, written.features]).toEqual([JSON.parse(line).event_id, JSON.parse(line).features]);
    expect(Object.keys(written)).not.toContain("model_role");
  });
});

describe("recomputed features", () => {
  const onGrid = (list: readonly Record<string, unknown>[]) =>
    list.toSorted(
      (a, b) =>
        String(a.timestamp).localeCompare(String(b.timestamp)) ||
        String(a.transaction_id).localeCompare(String(b.transaction_id)),
    );

  it("are those of the archive when the events came in order of occurrence, whatever the order in which they are read", async () => {
    await fc.assert(
      fc.asyncProperty(transactions, fc.integer(), async (list, seed) => {
        const lines = await streamLines(onGrid(list));
        const shuffled = lines.toSorted((a, b) => ((a.length * 31 + seed) % 7) - ((b.length * 31 + seed) % 7));
        const changes = summed("fraud", replayed("fraud", shuffled, scoringOf("fraud"), "recomputed"));
        expect(changes).toMatchObject({ events: list.length, identical: list.length, features: {} });
      }),
      { numRuns: 25 },
    );
  });

  it("keep the archived value where they depend on a place, which the archive rounds", async () => {
    const places = [
      [40.7128, -74.006],
      [40.7301, -73.9352],
      [41.8781, -87.6298],
    ];
    const list = places.map(([latitude, longitude], index) =>
      transaction(`t${index}`, { latitude, longitude, timestamp: new Date(START + index * HOUR_MS).toISOString() }),
    );
    const lines = await streamLines(list);
    expect(JSON.parse(lines[1]!).input).toMatchObject({ latitude: 40.7, longitude: -73.9 });
    const outcomes = replayed("fraud", lines, scoringOf("fraud"), "recomputed");
    expect(summed("fraud", outcomes)).toMatchObject({ events: 3, identical: 3, features: {} });
    // An event that had no distance when it arrived, because the one before it came later, gets the rounded one.
    const [first, second] = lines;
    const late = JSON.parse(second!);
    const text = JSON.stringify({ ...late, features: { ...late.features, distance_km: null } });
    const [, outcome] = replayed("fraud", [first!, text], scoringOf("fraud"), "recomputed");
    const km = isRescored(outcome!) ? outcome.features[PROFILES.fraud.features.slot("distance_km")]! : 0;
    expect(Math.abs(km - late.features.distance_km)).toBeLessThan(16);
    expect(km).not.toBe(late.features.distance_km);
  });

  it("take the rates, hours and addresses of the time, in any reference currency", async () => {
    const fields = [
      { amount: 200_000, currency: "JPY", email: "A.nn+x@gmail.com" },
      { amount: -300.125, currency: "KWD", email: "ann@gmail.com" },
      { amount: 12.5, currency: "CHF", timestamp: "2026-11-20T20:00:00-08:00" },
      { amount: 1200, currency: "EUR", time_zone: "America/Los_Angeles" },
      { amount: 900, currency: "USD", country: "JP" },
    ];
    const list = fields.map((more, index) => transaction(`t${index}`, { timestamp: START + index * HOUR_MS, ...more }));
    for (const reference of ["USD", "JPY", "EUR"]) {
      const base = { base: "USD", as_of: "2026-11-01", rates: { JPY: 150.3, KWD: 0.306, EUR: 0.85 } };
      const result = readRates({ reference, ...base });
      const lines = await streamLines(list, result.ok ? { rates: result.rates } : {});
      expect(summed("fraud", replayed("fraud", lines, scoringOf("fraud"), "recomputed"))).toMatchObject({
        events: fields.length,
        identical: fields.length,
        features: {},
      });
    }
  });

  it.each(["lead", "churn", "device"] as const)("of profile %s come from the input alone", async (profile) => {
    await fc.assert(
      fc.asyncProperty(bodies[profile], async (body) => {
        const outcomes = replayed(profile, [await restLine(profile, body)], scoringOf(profile), "recomputed");
        expect(summed(profile, outcomes)).toMatchObject({ events: 1, identical: 1, features: {} });
      }),
      { numRuns: 20 },
    );
  });

  it("know what the warm-up's events did, and don't score these", async () => {
    const at = (hours: number) => new Date(START + hours * HOUR_MS).toISOString();
    const list = [1, 2, 3].map((hour) => transaction(`t${hour}`, { timestamp: at(hour), amount: 100 * hour }));
    const lines = await streamLines(list);
    const events = lines.map((line, index) => ({ event: readArchived(line, PROFILES.fraud), warmUp: index < 2 }));
    const warm = sumUp(replay(events, "recomputed", scoringOf("fraud")), PROFILES.fraud, () => true);
    expect(warm).toMatchObject({ events: 1, identical: 1, features: {} });
    const cold = sumUp(replay(events.slice(2), "recomputed", scoringOf("fraud")), PROFILES.fraud, () => true);
    expect(Object.keys(cold.features)).not.toEqual([]);
    expect(replay(events, "archived", scoringOf("fraud"))).toHaveLength(1);
  });

  it("aren't made of an input that the profile can't read any more", async () => {
    const [line] = await streamLines([transaction("t1")]);
    const record = JSON.parse(line!);
    const broken = [{ ...record.input, timestamp: "some day" }, null].map((input, index) =>
      JSON.stringify({ ...record, event_id: `b${index}`, input }),
    );
    const events = broken.map((text) => ({ event: readArchived(text, PROFILES.fraud), warmUp: false }));
    const outcomes = replay([...events, { ...events[0]!, warmUp: true }], "recomputed", scoringOf("fraud"));
    expect(Object.values(summed("fraud", outcomes).leftOut)).toEqual([2]);
  });

  it("have no state for an event without a user", async () => {
    const lines = (await streamLines([transaction("t1"), transaction("t2")])).map((line) =>
      JSON.stringify({ ...JSON.parse(line), user_id: null }),
    );
    expect(summed("fraud", replayed("fraud", lines, scoringOf("fraud"), "recomputed"))).toMatchObject({ events: 2, leftOut: {} });
  });
});

describe("sums of changes", () => {
  it("are the same however the events are divided, and count no event twice", async () => {
    const lines = await streamLines(
      Array.from({ length: 30 }, (_, index) => transaction(`t${index}`, { amount: 300 * index, user_id: `u${index}` })),
    );
    const { version: _, ...document } = PROFILES.fraud.defaultPolicy;
    const texts = [JSON.stringify({ ...document, thresholds: { ...document.thresholds, high_amount: 3000 } })];
    const scoring = scoringOf("fraud", { texts });
    const outcomes = replayed("fraud", lines, { ...scoring, policy: scoring.versions.inForce });
    const whole = summed("fraud", outcomes);
    expect(whole.moved).toBeGreaterThan(0);
    expect(whole.examples).toHaveLength(5);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 }), (cut) => {
        const parts = [outcomes.slice(0, cut), outcomes.slice(cut)].map((part) => summed("fraud", part));
        const sum = parts.reduce(addChanges, NO_CHANGES);
        expect({ ...sum, movedBy: 0 }).toEqual({ ...whole, movedBy: 0 });
        expect(sum.movedBy).toBeCloseTo(whole.movedBy, 9);
      }),
    );
    expect(sumUp(outcomes, PROFILES.fraud, (index) => index % 2 === 0).events).toBe(15);
  });
});
