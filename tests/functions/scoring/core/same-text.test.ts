import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mailboxOf } from "../../../../functions/scoring/core/mailbox";
import { foldedText, visibleText } from "../../../../functions/scoring/core/same-text";

const text = fc.string({ unit: "binary", maxLength: 40 });

describe("visibleText", () => {
  it.each([
    ["jose\u0301@example.com", "jos\u00e9@example.com"],
    ["ann\u200bb", "annb"],
    ["\ufeffann", "ann"],
    ["e\u200d\u0301", "\u00e9"],
    ["so\u00adft", "soft"],
    ["Ann", "Ann"],
    ["", ""],
    ["\u200b", ""],
  ])("writes %j in one form", (given, form) => {
    expect(visibleText(given)).toBe(form);
  });

  it("keeps letters of other scripts apart", () => {
    expect(visibleText("\u0430nn")).not.toBe("ann");
  });

  it("is idempotent, and so is foldedText", () => {
    fc.assert(
      fc.property(text, (given) => {
        expect(visibleText(visibleText(given))).toBe(visibleText(given));
        expect(foldedText(foldedText(given))).toBe(foldedText(given));
      }),
      { seed: 7, numRuns: 1000 },
    );
  });
});

describe("foldedText", () => {
  it.each([
    [" Ann@Example.com ", "ann@example.com"],
    ["GROCERY_POS", "grocery_pos"],
    ["\u0130stanbul", "i\u0307stanbul"],
  ])("folds %j", (given, form) => {
    expect(foldedText(given)).toBe(form);
  });
});

describe("mailboxOf", () => {
  it.each([
    ["ann@example.com", "ann@example.com"],
    ["ann+shop@example.com", "ann@example.com"],
    ["a.nn@example.com", "a.nn@example.com"],
    ["a.n.n+x+y@gmail.com", "ann@gmail.com"],
    ["a.nn@googlemail.com", "ann@gmail.com"],
    ["+ann@example.com", "+ann@example.com"],
    ["..@gmail.com", "..@gmail.com"],
    ["no address", "no address"],
    ["@example.com", "@example.com"],
  ])("gives the mailbox of %s", (address, mailbox) => {
    expect(mailboxOf(address)).toBe(mailbox);
  });

  it("is idempotent", () => {
    const part = fc.string({ unit: fc.constantFrom("a", "b", ".", "+", "@"), maxLength: 8 });
    fc.assert(
      fc.property(part, fc.constantFrom("gmail.com", "googlemail.com", "example.com", ""), (local, domain) => {
        const mailbox = mailboxOf(`${local}@${domain}`);
        expect(mailboxOf(mailbox)).toBe(mailbox);
      }),
      { seed: 8, numRuns: 500 },
    );
  });
});
