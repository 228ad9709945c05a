import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  DOLLARS,
  minorUnits,
  parseRates,
  type Rates,
  readRates,
  roundSum,
  toReference,
} from "../../../../functions/scoring/core/rates";

const TABLE = { reference: "USD", as_of: "2026-03-01", rates: { EUR: 0.92, JPY: 150, KWD: 0.31 } };

function ratesOf(document: unknown): Rates {
  const result = readRates(document);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.rates;
}

describe("a rate table", () => {
  it("says how much of a currency one unit of the reference currency buys", () => {
    const rates = ratesOf(TABLE);
    expect([rates.reference, rates.asOfMs]).toEqual(["USD", Date.UTC(2026, 2, 1)]);
    expect(["EUR", "JPY", "USD", "CHF"].map(rates.rateOf)).toEqual([0.92, 150, 1, Number.NaN]);
  });

  it("may have another base, as published tables do", () => {
    const { rateOf } = ratesOf({ ...TABLE, base: "EUR", rates: { USD: 1.25, JPY: 150 } });
    expect(["EUR", "JPY", "USD"].map(rateOf)).toEqual([0.8, 120, 1]);
  });

  it("takes fractions that the Pulumi command line stored as text", () => {
    expect(ratesOf({ ...TABLE, rates: { EUR: "0.92" } }).rateOf("EUR")).toBe(0.92);
  });

  it("has another version when anything in it changes", () => {
    const { version } = ratesOf(TABLE);
    expect(ratesOf({ ...TABLE }).version).toBe(version);
    expect(ratesOf({ ...TABLE, as_of: "2026-03-02" }).version).not.toBe(version);
  });

  it.each([
    ["no object", [], ""],
    ["an unknown member", { ...TABLE, date: "2026-03-01" }, "/date"],
    ["a reference that is no code", { ...TABLE, reference: "dollar", base: "USD" }, "/reference"],
    ["a base that is no code", { ...TABLE, base: 1 }, "/base"],
    ["no date", { ...TABLE, as_of: undefined }, "/as_of"],
    ["a date that does not exist", { ...TABLE, as_of: "2026-02-30" }, "/as_of"],
    ["no rates", { ...TABLE, rates: [1] }, "/rates"],
    ["a code in lower case", { ...TABLE, rates: { eur: 1 } }, "/rates/eur"],
    ["a rate of zero", { ...TABLE, rates: { EUR: 0 } }, "/rates/EUR"],
    ["a rate that is no number", { ...TABLE, rates: { EUR: "" } }, "/rates/EUR"],
    ["a base without a rate of the reference", { ...TABLE, base: "EUR", rates: { JPY: 160 } }, "/rates/USD"],
  ])("is refused with %s", (_, document, pointer) => {
    expect(readRates(document)).toMatchObject({ ok: false, problems: [{ pointer }] });
  });

  it("is read from its parameter's text", () => {
    expect(parseRates(JSON.stringify(TABLE)).ok).toBe(true);
    expect(parseRates("{")).toMatchObject({ ok: false, problems: [{ detail: expect.stringContaining("does not parse") }] });
    expect(parseRates(" ".repeat(5000))).toMatchObject({
      ok: false,
      problems: [{ detail: expect.stringContaining("4096 bytes") }],
    });
  });

  it("is without rates as long as there is none", () => {
    expect(["USD", "EUR"].map(DOLLARS.rateOf)).toEqual([1, Number.NaN]);
  });
});

describe("amounts", () => {
  it.each([
    ["USD", 2, 100],
    ["JPY", 0, 10_000],
    ["KWD", 3, 10],
    ["CLF", 4, 1],
  ])("of %s have %i decimals and are round at multiples of %i", (currency, decimals, round) => {
    expect([minorUnits(currency), roundSum(currency)]).toEqual([decimals, round]);
  });

  it.each([
    [1000, 150, "USD", 6.67],
    [1000.125, 0.31, "USD", 3226.21],
    [-0.001, 2, "USD", 0],
    [10, 0.0067, "JPY", 1493],
    [10, Number.NaN, "USD", Number.NaN],
  ])("are converted and rounded to the reference currency's minor unit", (amount, rate, reference, value) => {
    expect(toReference(amount, rate, reference)).toBe(value);
  });

  it("are off by at most half a minor unit", () => {
    const amounts = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(amounts, fc.double({ min: 0.01, max: 1e5, noNaN: true }), (amount, rate) => {
        expect(Math.abs(toReference(amount, rate, "USD") - amount / rate)).toBeLessThanOrEqual(
          0.00501 + Math.abs(amount / rate) * 1e-15,
        );
      }),
      { seed: 9, numRuns: 300 },
    );
  });
});
