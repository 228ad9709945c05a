import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasDecimalComma, parseAmount } from "../../../functions/files/mapping/amount";
import { currencyCode } from "../../../functions/files/mapping/currency";

describe("parseAmount", () => {
  it.each([
    ["4.97", 4.97],
    ["$134.09", 134.09],
    ["$-25.00", -25],
    ["-$25.00", -25],
    ["($25.00)", -25],
    ["(25.00)", -25],
    ["25.00-", -25],
    ["+7", 7],
    ["−3.5", -3.5],
    ["1,234.56", 1234.56],
    ["1,234", 1234],
    ["1'234.50", 1234.5],
    ["€ 25", 25],
    ["25 €", 25],
    ["USD 25.10", 25.1],
    ["25.10 USD", 25.1],
    [" .5 ", 0.5],
    ["5.", 5],
    ["1.5E+3", 1500],
    ["-0", 0],
  ])("reads %s as %d", (text, amount) => expect(parseAmount(text, false)).toBe(amount));

  it.each([
    ["1.234,56", 1234.56],
    ["1.234", 1234],
    ["892,98", 892.98],
    ["-7,5 €", -7.5],
    ["1 234,5", 1234.5],
    ["1,5e2", 150],
  ])("reads %s with a decimal comma as %d", (text, amount) => expect(parseAmount(text, true)).toBe(amount));

  it.each([
    "",
    "minus",
    "4,97",
    "1,2,3",
    "1.2.3",
    "12-3",
    "(-5)",
    "--5",
    "5 apples",
    "$",
    "1e5x",
    "0x10",
    "Infinity",
    "1,23,456",
  ])("guesses nothing from %j", (text) => expect(parseAmount(text, false)).toBeNull());

  it("reads every amount in both notations", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e11, max: 1e11 }), (cents) => {
        const amount = cents / 100;
        for (const locale of ["en-US", "de-DE"])
          expect(parseAmount(amount.toLocaleString(locale, { maximumFractionDigits: 2 }), locale === "de-DE")).toBe(
            amount === 0 ? 0 : amount,
          );
      }),
    );
  });
});

describe("hasDecimalComma", () => {
  it.each([
    [["892,98", "7"], true],
    [["1.234,5"], true],
    [["1.234.567"], true],
    [["1,234.5"], false],
    [["1,234,567"], false],
    [["1,234", "5"], false],
    [["1.234"], false],
    [["8.95", "7,1", "7.25"], false],
    [["x", ""], false],
    [["1234,567"], true],
  ])("%j: %s", (cells, comma) => expect(hasDecimalComma(cells)).toBe(comma));
});

describe("currencyCode", () => {
  it.each([
    ["US Dollar", "USD"],
    ["UK Pound", "GBP"],
    ["Bitcoin", "BTC"],
    ["€", "EUR"],
    ["eur", "eur"],
    ["$", "$"],
  ])("%s is %s", (name, code) => expect(currencyCode(name)).toBe(code));
});
