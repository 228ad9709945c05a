/** Exchange rates: amounts of all currencies are compared in one of them, the reference currency. */
import { hashJson } from "./hash";
import { isObject } from "./json";
import { parseTimestamp } from "./timestamp";
import type { Problem } from "./types";

/** A rate table as people write it, and as rates are published: how much of each currency one unit of the base buys. */
export interface RateDocument {
  /** The currency that amounts are compared in: thresholds, sums and means are in its units. */
  readonly reference: string;
  /** Default: the reference currency. Another one needs a rate of the reference currency. */
  readonly base?: string;
  /** Day or time of the rates, ISO 8601. */
  readonly as_of: string;
  /** `{"EUR": 0.92, "JPY": 151.3}` for a base of USD. */
  readonly rates: Readonly<Record<string, number>>;
}

/** The rates in force. */
export interface Rates {
  /** Hash of the document. */
  readonly version: string;
  /** ISO 4217. */
  readonly reference: string;
  /** ms since the epoch; NaN without a table. */
  readonly asOfMs: number;
  /** Units of a currency (ISO 4217, in capitals) for one of the reference currency: 1 for itself, NaN when not known. */
  rateOf(currency: string): number;
  /** An amount by a rate, in the reference currency and rounded to its minor unit; NaN without a rate. */
  convert(amount: number, rate: number): number;
}

export type RatesResult =
  | { readonly ok: true; readonly rates: Rates }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** US dollars, and no rate of another currency. */
export const DOLLARS: Rates = {
  version: "none",
  reference: "USD",
  asOfMs: Number.NaN,
  rateOf: (currency) => (currency === "USD" ? 1 : Number.NaN),
  convert: (amount, rate) => toReference(amount, rate, "USD"),
};

/** Decimals of the currencies that don't have two (ISO 4217, list one). */
const MINOR_UNITS = new Map<string, number>(
  [
    [0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"],
    [3, "BHD IQD JOD KWD LYD OMR TND"],
    [4, "CLF UYW"],
  ].flatMap(([digits, codes]) =>
    String(codes)
      .split(" ")
      .map((code) => [code, Number(digits)] as const),
  ),
);

/** Decimals of a currency: 2 for USD, 0 for JPY, 3 for KWD. */
export const minorUnits = (currency: string): number => MINOR_UNITS.get(currency) ?? 2;

/** An amount in the reference currency, rounded to its minor unit; NaN without a rate. */
export function toReference(amount: number, rate: number, reference: string): number {
  const units = 10 ** minorUnits(reference);
  // Adding 0 turns −0, which JSON cannot hold, into 0.
  return Math.round((amount / rate) * units) / units + 0;
}

/** Units of a currency that make a round sum, 10,000 of its smallest: 100 USD, 10,000 JPY, 10 KWD. */
export const roundSum = (currency: string): number => ROUND_SUMS[minorUnits(currency)]!;

const ROUND_SUMS = [10_000, 1000, 100, 10, 1] as const;

/** Codes of currencies, in capitals. */
const CODE = /^[A-Z]{3}$/;
/** No currency is so small or so large; a rate beyond is a typing error. */
const SMALLEST_RATE = 1e-9;
const LARGEST_RATE = 1e9;
const MEMBERS = ["reference", "base", "as_of", "rates"];
/** Capacity of a standard SSM parameter. */
export const MAX_RATES_BYTES = 4096;

/** Reads a rate table from the text of its parameter, and names every problem. */
export function parseRates(text: string): RatesResult {
  if (Buffer.byteLength(text) > MAX_RATES_BYTES)
    return refused(
      "",
      `Expected at most ${MAX_RATES_BYTES} bytes, which a standard SSM parameter holds; remove currencies that nobody uses.`,
    );
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return refused("", "Expected one JSON object, got text that does not parse.");
  }
  return readRates(document);
}

/** Checks a rate table and names every problem. */
export function readRates(document: unknown): RatesResult {
  if (!isObject(document)) return refused("", `Expected an object of ${MEMBERS.join(", ")}.`);
  const { reference, base = reference, as_of: asOf, rates } = document;
  const asOfMs = typeof asOf === "string" ? parseTimestamp(asOf) : Number.NaN;
  const problems = [
    ...Object.keys(document)
      .filter((name) => !MEMBERS.includes(name))
      .map((name) => ({ pointer: `/${name}`, detail: `Expected one of ${MEMBERS.join(", ")}.` })),
    ...(isCode(reference) ? [] : [{ pointer: "/reference", detail: "Expected a currency such as USD." }]),
    ...(isCode(base) ? [] : [{ pointer: "/base", detail: "Expected a currency such as USD." }]),
    ...(Number.isNaN(asOfMs) ? [{ pointer: "/as_of", detail: "Expected the day of the rates, such as 2026-03-01." }] : []),
    ...rateProblems(rates),
  ];
  if (problems.length > 0 || !isCode(reference) || !isCode(base) || !isObject(rates)) return { ok: false, problems };
  const perBase = new Map(Object.entries(rates).map(([code, rate]) => [code, Number(rate)]));
  perBase.set(base, 1);
  const ofReference = perBase.get(reference);
  if (ofReference === undefined)
    return refused(
      `/rates/${reference}`,
      `Expected a rate of ${reference}, since it is the reference currency and not the base.`,
    );
  const version = hashJson(document).slice(0, 12);
  const rateOf = (currency: string): number => (currency === reference ? 1 : (perBase.get(currency) ?? Number.NaN) / ofReference);
  const convert = (amount: number, rate: number): number => toReference(amount, rate, reference);
  return { ok: true, rates: { version, reference, asOfMs, rateOf, convert } };
}

const isCode = (value: unknown): value is string => typeof value === "string" && CODE.test(value);

function rateProblems(rates: unknown): Problem[] {
  if (!isObject(rates))
    return [{ pointer: "/rates", detail: 'Expected an object of currencies and rates, such as {"EUR": 0.92}.' }];
  return Object.entries(rates).flatMap(([code, rate]) => {
    const pointer = `/rates/${code}`;
    if (!isCode(code)) return [{ pointer, detail: "Expected a currency of three capitals, such as EUR." }];
    // `pulumi config set --path` stores fractions as text.
    const number = typeof rate === "number" || (typeof rate === "string" && rate.trim() !== "") ? Number(rate) : Number.NaN;
    if (number >= SMALLEST_RATE && number <= LARGEST_RATE) return [];
    return [
      { pointer, detail: `Expected a number from ${SMALLEST_RATE} to ${LARGEST_RATE}: units of ${code} for one of the base.` },
    ];
  });
}

const refused = (pointer: string, detail: string): RatesResult => ({ ok: false, problems: [{ pointer, detail }] });
