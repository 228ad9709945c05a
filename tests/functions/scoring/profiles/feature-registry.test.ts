import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AnyProfile } from "../../../../functions/scoring/core/profile";
import { featureSpecOf } from "../../../../functions/scoring/models/feature-spec";
import { PROFILES } from "../../../../functions/scoring/profiles";
import { type RegisteredFeature, registeredFeatures } from "../../../../functions/scoring/profiles/feature-registry";
import { datasets } from "../../../../stacks/datasets";

type Raw = Readonly<Record<string, unknown>>;

const { fraud } = PROFILES;
const all: readonly AnyProfile[] = Object.values(PROFILES);

function vectorOf(profile: AnyProfile, raw: Raw, state: unknown = null): number[] {
  const out = new Float64Array(profile.features.size);
  profile.extract(profile.normalise(raw), state, out);
  return [...out];
}

const stateAfter = (records: readonly Raw[]): unknown =>
  records.reduce<unknown>((state, raw) => (fraud as AnyProfile).fold(state, fraud.normalise(raw)), null);

/** Few values each, so that records of a history often agree. */
const oneOf = (...values: readonly unknown[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
const START = Date.UTC(2026, 2, 1);
const fields = {
  transaction_id: fc.constantFrom("t1", "t2"),
  user_id: fc.constantFrom("u1", "u2"),
  amount: fc.constantFrom(1, 20, 99.5, 100, 5000),
  timestamp: fc
    .oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 2_000 }))
    .map((minutes) => new Date(START + minutes * 30_000).toISOString()),
  hour: oneOf(0, 3, 12),
  location_mismatch: oneOf(true, false),
  velocity_flag: oneOf(true, false),
  currency: oneOf("USD", "EUR"),
  category: oneOf("home", "travel"),
  merchant_category: oneOf("home", "jewelry"),
  merchant_id: oneOf("m1", "m2"),
  country: oneOf("US", "DE", "FR"),
  latitude: oneOf(0, 40, 41),
  longitude: oneOf(0, 8, 9),
  home_latitude: oneOf(0, 40),
  home_longitude: oneOf(0, 8),
  device_id: oneOf("d1", "d2", "d3"),
  ip_address: oneOf("192.0.2.1", "192.0.2.2"),
  email: oneOf("a@example.com", "b@example.com"),
  card_present: oneOf(true, false),
  channel: oneOf("web", "pos"),
};
const transaction = fc.record(fields);
const history = fc.array(transaction, { maxLength: 12 });

/** A record with one field exchanged for that of another record. */
const change = fc
  .tuple(history, transaction, transaction, fc.constantFrom(...Object.keys(fields)))
  .map(([past, raw, other, field]) => ({
    state: stateAfter(past),
    raw: raw as Raw,
    changed: { ...raw, [field]: (other as Raw)[field] } as Raw,
    field,
  }));

function otherThan(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(otherThan);
  if (typeof value === "number") return value + 1;
  return typeof value === "boolean" ? !value : `${String(value)} other`;
}

function differing(profile: AnyProfile, before: readonly number[], after: readonly number[]): RegisteredFeature[] {
  return registeredFeatures(profile).filter((_, slot) => !Object.is(before[slot], after[slot]));
}

describe("the feature registry", () => {
  it.each(all)("has every feature of %o once, in the vector's order", (profile) => {
    expect(registeredFeatures(profile).map(({ name }) => name)).toEqual(profile.features.definitions.map(({ name }) => name));
  });

  it.each(all)("names fields of the schema of %o as sources", ({ schema, ...profile }) => {
    const known = Object.keys(schema.properties ?? {});
    for (const { name, source, history: past, description, since } of registeredFeatures({ ...profile, schema })) {
      expect(known, name).toEqual(expect.arrayContaining([...source]));
      expect(source.length > 0 || past !== undefined, name).toBe(true);
      expect(description, name).not.toBe("");
      expect(since, name).toBeGreaterThan(0);
    }
  });

  it.each(all)("gives features of %o the kinds that models are trained with", (profile) => {
    const kinds = featureSpecOf(profile).features.map((entry) => {
      if (entry.type !== "categorical") return entry.type === "boolean" ? "boolean" : "number";
      return entry.encoder === "encoded" ? "category" : "text";
    });
    expect(registeredFeatures(profile).map(({ type }) => type)).toEqual(kinds);
  });

  it("has every feature that a dataset trains with", () => {
    for (const { profile, features } of Object.values(datasets({ fraudMaturityDays: 30, device: null }))) {
      const known = registeredFeatures(PROFILES[profile as keyof typeof PROFILES]).map(({ name }) => name);
      expect(known).toEqual(expect.arrayContaining(features.map(({ name }) => name)));
    }
  });

  it("says whose fields a feature is made of: another field never changes it", () => {
    fc.assert(
      fc.property(change, ({ state, raw, changed, field }) => {
        const wrong = differing(fraud, vectorOf(fraud, raw, state), vectorOf(fraud, changed, state)).filter(
          ({ source }) => !source.includes(field),
        );
        expect(wrong.map(({ name }) => `${name} depends on ${field}`)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it("names no field in vain: each source changes its feature", () => {
    const missing = new Set(registeredFeatures(fraud).flatMap(({ name, source }) => source.map((field) => `${name} ${field}`)));
    for (const { state, raw, changed, field } of fc.sample(change, { numRuns: 6000, seed: 7 }))
      for (const { name } of differing(fraud, vectorOf(fraud, raw, state), vectorOf(fraud, changed, state)))
        missing.delete(`${name} ${field}`);
    expect([...missing]).toEqual([]);
  });

  it("says which features need a history: it changes them and no others", () => {
    const changedByHistory = new Set<string>();
    for (const [past, raw] of fc.sample(fc.tuple(history, transaction), { numRuns: 3000, seed: 7 }))
      for (const { name } of differing(fraud, vectorOf(fraud, raw), vectorOf(fraud, raw, stateAfter(past))))
        changedByHistory.add(name);
    const registered = registeredFeatures(fraud).filter(({ history: past }) => past !== undefined);
    expect([...changedByHistory].sort()).toEqual(registered.map(({ name }) => name).sort());
  });

  it.each(all.filter(({ stateful }) => !stateful))("has the sources of %o right, by its examples", (profile) => {
    const [example] = (profile.schema.examples ?? []) as readonly Raw[];
    expect(example).toBeDefined();
    const raw = example ?? {};
    for (const field of Object.keys(profile.schema.properties ?? {})) {
      const other = { ...raw, [field]: otherThan(raw[field]) };
      const wrong = differing(profile, vectorOf(profile, raw), vectorOf(profile, other)).filter(
        ({ source }) => !source.includes(field),
      );
      expect(wrong.map(({ name }) => `${name} depends on ${field}`)).toEqual([]);
    }
  });

  it("refuses a profile or a feature that isn't registered, by name", () => {
    expect(() => registeredFeatures({ ...PROFILES.lead, id: "loan" })).toThrow('The profile "loan" is not registered');
    const { lead } = PROFILES;
    const definitions = [...lead.features.definitions, { name: "newest", description: "New" }];
    expect(() => registeredFeatures({ ...lead, features: { ...lead.features, definitions } })).toThrow(
      "The feature lead.newest is not registered",
    );
    expect(() => registeredFeatures({ ...lead, features: { ...lead.features, definitions: definitions.slice(1) } })).toThrow(
      "The registry has lead.company_size, which is no feature",
    );
  });
});
