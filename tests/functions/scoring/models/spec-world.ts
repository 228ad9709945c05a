/** Feature specs and raw records for the tests of the encoders, and the cases that TypeScript and Python share. */
import fc from "fast-check";
import { encoder, type RawRecord, type RawValue } from "../../../../functions/scoring/models/feature-encoder";
import type { FeatureSpec } from "../../../../functions/scoring/models/feature-spec";

/** Every kind of column, with and without default and code of the unknown. */
export const SPEC: FeatureSpec = {
  version: 1,
  features: [
    { name: "age", type: "numeric", from: "features", default: null },
    { name: "amount", type: "numeric", from: "features", default: -1.5 },
    { name: "vpn", type: "boolean", from: "features", default: null },
    { name: "bot", type: "boolean", from: "features", default: 0 },
    {
      name: "category",
      type: "categorical",
      from: "features",
      encoder: "encoded",
      categories: ["travel", "grocery", "Jewelry & art"],
      default: null,
    },
    { name: "kind", type: "categorical", from: "features", encoder: "encoded", categories: ["a", "b"], default: 1 },
    {
      name: "browser",
      type: "categorical",
      from: "input",
      encoder: "ordinal",
      // By code point: U+FF21 comes before U+1F600, whose UTF-16 units come first.
      categories: ["7", "Chrome", "Firefox", "Safari, mobile", "chrome", "true", "Édge", "\uff21", "\u{1f600}"],
      unknown: null,
      default: null,
    },
    {
      name: "os",
      type: "categorical",
      from: "input",
      encoder: "ordinal",
      categories: ["Linux", "Windows"],
      unknown: -1,
      default: "Windows",
    },
    { name: "brand", type: "categorical", from: "input", encoder: "ordinal", categories: [], unknown: 99, default: "none" },
  ],
};

/** Raw records by what they are about. */
export const RECORDS: Readonly<Record<string, RawRecord>> = {
  "everything given": {
    age: 41,
    amount: 12.25,
    vpn: true,
    bot: false,
    category: 2,
    kind: 0,
    browser: "Firefox",
    os: "Linux",
    brand: "Dell",
  },
  "everything absent": {},
  "everything null": {
    age: null,
    amount: null,
    vpn: null,
    bot: null,
    category: null,
    kind: null,
    browser: null,
    os: null,
    brand: null,
  },
  "everything empty": { age: "", amount: "", vpn: "", bot: "", category: "", kind: "", browser: "", os: "", brand: "" },
  "blanks are missing for numbers and texts of their own for categories": { age: " \t", amount: "\r\n", browser: " ", os: " " },
  "cells of a file": {
    age: "41",
    amount: " -0.5e1 ",
    vpn: "true",
    bot: "FALSE",
    category: "1",
    kind: "b",
    browser: "Chrome",
    os: "Windows",
  },
  "numbers in other notations": { age: "+1.", amount: ".5", vpn: "1", bot: "0.0", category: "2.0", kind: "1e0" },
  "words for no number": { age: "nan", amount: "NaN", vpn: "inf", bot: "-Infinity", category: "nan", kind: "+INF" },
  "numbers beyond float32": { age: "1e39", amount: 1e300, vpn: "-1e400", bot: -1e39, category: 1e300, kind: "1e39" },
  "the largest float32 and what rounds to it": { age: 3.4028234663852886e38, amount: 3.4028235677973362e38 },
  "numbers that float32 rounds": { age: 0.1, amount: 16_777_217, vpn: 1e-46, bot: 123_456_789.123 },
  "flags as numbers, numbers as flags": { age: true, amount: false, vpn: 0.5, bot: 7 },
  "categories by name": { category: "Jewelry & art", kind: "a" },
  "indices of no category": { category: 3, kind: -1 },
  "indices that are no whole number": { category: 0.5, kind: "1.5" },
  "texts that are not listed": { browser: "Lynx", os: "BeOS", brand: "Nothing" },
  "texts as they are written": { browser: "chrome", os: "windows" },
  "texts with blanks": { browser: "Chrome ", os: " Linux" },
  "texts with commas": { browser: "Safari, mobile", os: 'Win"dows' },
  "texts beyond ASCII": { browser: "Édge", os: "E\u0301dge" },
  "fullwidth text": { browser: "\uff21" },
  "text of two surrogates": { browser: "\u{1f600}" },
  "whole numbers as texts": { browser: 7, os: 7 },
  "flags as texts": { browser: true, os: false },
  "further members": { age: 1, colour: "red", os: "Linux" },
};

export interface EncodedCase {
  readonly name: string;
  readonly raw: Readonly<Record<string, RawValue>>;
  /** Float32 values; null is missing. */
  readonly expected: readonly (number | null)[];
}

/** What tests/jobs/fixtures/feature-spec-cases.json holds: Python's encoder has to give the same rows. */
export function sharedCases(): { readonly spec: FeatureSpec; readonly cases: readonly EncodedCase[] } {
  const encode = encoder(SPEC);
  const cases = Object.entries(RECORDS).map(([name, raw]) => ({
    name,
    raw,
    expected: Array.from(encode.encode(raw), (value) => (Number.isNaN(value) ? null : value)),
  }));
  return { spec: SPEC, cases };
}

const name = fc.string({ minLength: 1, maxLength: 12 });
const category = fc
  .oneof(fc.string({ minLength: 1, maxLength: 8 }), fc.constantFrom("Chrome", "Safari", "a,b", "é"))
  .filter((text) => !/^[0-9.+ -]/.test(text));
const categories = (minLength: number) => fc.uniqueArray(category, { minLength, maxLength: 12 });
const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const from = fc.constantFrom("features" as const, "input" as const);

/** Any fitted spec. */
export const anySpec: fc.Arbitrary<FeatureSpec> = fc
  .uniqueArray(
    fc.oneof(
      fc.record({ name, type: fc.constantFrom("numeric" as const, "boolean" as const), from, default: fc.option(float) }),
      fc
        .record({
          name,
          type: fc.constant("categorical" as const),
          from,
          encoder: fc.constant("encoded" as const),
          categories: categories(1),
        })
        .chain((feature) =>
          fc.record({ default: fc.option(fc.nat(feature.categories.length - 1)) }).map((more) => ({ ...feature, ...more })),
        ),
      fc.record({
        name,
        type: fc.constant("categorical" as const),
        from,
        encoder: fc.constant("ordinal" as const),
        categories: categories(0),
        unknown: fc.option(fc.integer({ min: -1, max: 30 })),
        default: fc.option(category),
      }),
    ),
    { selector: (feature) => feature.name, minLength: 1, maxLength: 12 },
  )
  .map((features) => ({ version: 1, features }));
