import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { device as validate, models as validateModels, policy as validatePolicy } from "#validators";
import { accept } from "../../../../functions/scoring/core/accept";
import { featureRecord } from "../../../../functions/scoring/core/features";
import { score } from "../../../../functions/scoring/core/score";
import { textHash } from "../../../../functions/scoring/core/text-hash";
import { parseModels } from "../../../../functions/scoring/models/document";
import { encoder, type RawRecord } from "../../../../functions/scoring/models/feature-encoder";
import { featureSpecOf } from "../../../../functions/scoring/models/feature-spec";
import { slotEncoder } from "../../../../functions/scoring/models/slot-encoder";
import { compilePolicy } from "../../../../functions/scoring/policy/compile";
import { DEVICE } from "../../../../functions/scoring/profiles/device";
import { FLAGS, NUMBERS, TEXTS } from "../../../../functions/scoring/profiles/device/features";
import type { DeviceInput } from "../../../../functions/scoring/profiles/device/input";

const BODY = {
  request_id: "r1",
  device_id: "device-77",
  ip_address: "10.0.0.1",
  vpn: true,
  bot: false,
  browser: "Chrome",
  network_operator: "Telefónica",
  ip_country: "ES",
  timezone_mismatch_hours: 5,
  accounts_on_device_24h: 2,
  ip_distance_km: 812.5,
};

function input(fields: Readonly<Record<string, unknown>>): DeviceInput {
  const result = accept(DEVICE, validate, fields);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.input;
}

function refused(fields: unknown): readonly string[] {
  const result = accept(DEVICE, validate, fields);
  return result.ok ? [] : result.problems.map(({ pointer, detail }) => `${pointer}: ${detail}`);
}

function vectorOf(fields: Readonly<Record<string, unknown>>): Float64Array {
  const out = new Float64Array(DEVICE.features.size);
  DEVICE.extract(input(fields), null, out, 0);
  return out;
}

const compiled = compilePolicy(DEVICE.defaultPolicy, DEVICE, validatePolicy);
if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
const { policy } = compiled;
const decide = (fields: Readonly<Record<string, unknown>>) => score(DEVICE, policy, input(fields), null).decision;

describe("the device profile", () => {
  it("has the reference model's features: 3 yes-or-no, 22 categorical, 60 numeric", () => {
    expect([FLAGS.length, TEXTS.length, NUMBERS.length, DEVICE.features.size]).toEqual([3, 22, 60, 85]);
    const kinds = featureSpecOf(DEVICE).features.map((feature) => ("encoder" in feature ? feature.encoder : feature.type));
    expect(kinds).toEqual([...FLAGS.map(() => "boolean"), ...TEXTS.map(() => "ordinal"), ...NUMBERS.map(() => "numeric")]);
  });

  it("makes features of given fields, but not of identifiers", () => {
    const record = featureRecord(DEVICE.features, vectorOf(BODY));
    const known = Object.entries(record).filter(([, value]) => value !== null);
    expect(Object.fromEntries(known)).toEqual({
      vpn: 1,
      bot: 0,
      browser: textHash("Chrome"),
      network_operator: textHash("Telefónica"),
      ip_country: textHash("ES"),
      timezone_mismatch_hours: 5,
      accounts_on_device_24h: 2,
      ip_distance_km: 812.5,
    });
    for (const name of ["request_id", "device_id", "ip_address"]) {
      expect(DEVICE.features.slot(name)).toBe(-1);
      expect(DEVICE.schema.properties?.[name]?.["x-classification"]).toBe(name === "request_id" ? undefined : "personal");
    }
  });

  it("stores what was given, and fills the warehouse's columns", () => {
    const full = input({ ...BODY, os: null, language: "", battery_percent: null });
    expect(DEVICE.stored(full)).toEqual(BODY);
    expect(DEVICE.stored(input({ request_id: "r", device_id: "", ip_address: null }))).toEqual({ request_id: "r" });
    expect([DEVICE.check(full), DEVICE.eventId(full), DEVICE.occurredAtMs(full), DEVICE.userKey(full)]).toEqual([
      [],
      "r1",
      null,
      "device-77",
    ]);
    expect(DEVICE.columns(full, vectorOf(BODY))).toMatchObject({
      country: "ES",
      distance_km: 812.5,
      amount: null,
    });
    const bare = input({ request_id: "r", ip_country: "Spain", accounts_on_device_24h: 4 });
    expect(DEVICE.columns(bare, vectorOf({ request_id: "r", accounts_on_device_24h: 4 }))).toMatchObject({
      country: null,
      distance_km: null,
    });
    expect(DEVICE.answer(50, {})).toEqual({});
    expect(() => DEVICE.fold(null, bare, 0)).toThrow(/"device" keeps no state/);
  });

  it.each([
    [{}, "/request_id: This field is required and was not given."],
    [{ request_id: "r", colour: "red" }, "/colour: This field is not known; remove it or correct its name."],
    [{ request_id: "r", browser: 7 }, "/browser: Expected a string or null, got 7."],
    [{ request_id: "r", vpn: 1 }, "/vpn: Expected a boolean or null, got 1."],
    [{ request_id: "r", ip_risk_score: 101 }, "/ip_risk_score: Expected a number <= 100, got 101."],
    [{ request_id: "r", ip_address: 12 }, "/ip_address: Expected a string or null, got a number."],
  ])("refuses %j", (fields, problem) => {
    expect(refused(fields)).toEqual([problem]);
  });

  it.each(["\u0000", "a\nb", "\ud83d", "\u{1f600}", "x".repeat(65)])(
    "refuses the text %j, which the archive might change",
    (browser) => {
      expect(refused({ request_id: "r", browser })).toHaveLength(1);
    },
  );

  it("scores by rules until there is a model", () => {
    expect(decide({ request_id: "r" })).toMatchObject({ score: 0, band: "low", flags: [], modelVersion: "rules-only" });
    const emulated = decide({ request_id: "r", device_integrity: "emulator", accounts_on_device_24h: 6, vpn: true, bot: true });
    expect(emulated).toMatchObject({ score: 100, band: "critical" });
    expect(emulated.flags).toEqual(["automation", "emulator", "anonymised", "many_accounts"]);
    expect(decide({ request_id: "r", device_integrity: "rooted" })).toMatchObject({ score: 10, flags: ["tampered"] });
    expect(decide({ request_id: "r", device_integrity: "Emulator" })).toMatchObject({ score: 0 });
    expect(decide(BODY).reasons.map(({ text }) => text)).toEqual([
      "Clock and address are 5 hours apart",
      "The address hides behind a VPN or proxy",
    ]);
  });

  it("gives a model the same row as training made from the archived record", () => {
    const words = ["Chrome", "Edge", "Windows", "genuine", "de-DE"];
    const spec = featureSpecOf(DEVICE);
    const fitted = {
      ...spec,
      features: spec.features.map((feature) =>
        "encoder" in feature && feature.encoder === "ordinal" ? { ...feature, categories: words, unknown: -1 } : feature,
      ),
    };
    const [encode, slots] = [encoder(fitted), slotEncoder(fitted, DEVICE.features)];
    const anyBody = fc.record(
      Object.fromEntries([
        ...FLAGS.map(({ name }) => [name, fc.option(fc.boolean())]),
        ...TEXTS.map(({ name }) => [name, fc.option(fc.constantFrom(...words, "Lynx", "", " "))]),
        ...NUMBERS.map(({ name, minimum, maximum }) => [name, fc.option(fc.double({ min: minimum, max: maximum, noNaN: true }))]),
      ]),
      { requiredKeys: [] },
    );
    const row = new Float32Array(DEVICE.features.size);
    fc.assert(
      fc.property(anyBody, (body) => {
        const fields = { request_id: "r", ...body };
        slots.fill(vectorOf(fields), 0, row);
        // The archive's features and input, as the extract reads them by `from`.
        const archived = { ...featureRecord(DEVICE.features, vectorOf(fields)), ...DEVICE.stored(input(fields)) };
        expect(Array.from(row, (value) => value + 0)).toEqual(
          Array.from(encode.encode(archived as RawRecord), (value) => value + 0),
        );
      }),
    );
  });

  it("has texts that rules can only compare for equality, and that no endpoint accepts", () => {
    const rule = (op: string, value: unknown, text = "Browser") => ({
      ...DEVICE.defaultPolicy,
      rules: [{ id: "x", when: { field: "browser", op, value }, weight: 1, text }],
    });
    const problemsOf = (document: unknown) => {
      const result = compilePolicy(document, DEVICE, validatePolicy);
      return result.ok ? [] : result.problems.map(({ pointer, detail }) => `${pointer} ${detail}`);
    };
    expect(problemsOf(rule("!=", "Chrome"))).toEqual([]);
    expect(problemsOf(rule("==", 1))).toEqual(['/rules/0/when/value Expected text for "browser", got 1.']);
    expect(problemsOf(rule(">", "Chrome"))).toEqual([
      '/rules/0/when/value Texts have no order: use == or != with "browser", not >.',
    ]);
    expect(problemsOf(rule("==", "Chrome", "{browser}"))).toEqual([
      expect.stringMatching(/^\/rules\/0\/text "browser" is compared by its hash/),
    ]);
    const endpoint = { kind: "endpoint", name: "e", endpointName: "e", contentType: "text/csv", timeoutMs: 100 };
    const models = (more: object) => parseModels(JSON.stringify({ chain: [{ ...endpoint, ...more }] }), DEVICE, validateModels);
    expect(models({ features: ["vpn", "latency_ms"] }).ok).toBe(true);
    expect(models({})).toMatchObject({
      ok: false,
      problems: [{ detail: expect.stringMatching(/browser, .* are texts; list the/) }],
    });
  });
});
