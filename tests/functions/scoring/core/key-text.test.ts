import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KEY_PATTERN, keyProblem, MAX_KEY_LENGTH } from "../../../../functions/scoring/core/key-text";
import { PROFILES } from "../../../../functions/scoring/profiles";

const strange = fc.string({
  unit: fc.constantFrom("a", "\0", " ", "\t", "\ud83d", "\ude00", "😀", "\ufdd0", "\uffff", "\u{1fffe}", "\ufffd", "é", "ü"),
  minLength: 1,
});

describe("text of a key", () => {
  it.each([
    ["U+0000", "X\0b"],
    ["an unpaired surrogate", "X\ud800b"],
    ["the second half of a pair", "X\udc00b"],
    ["a noncharacter", "X\ufdd0"],
    ["a noncharacter beyond the basic plane", "X\u{10ffff}"],
    ["a blank at the end, which Redshift's comparison skips", "X "],
  ])("is refused with %s, and never quoted", (_, text) => {
    expect(keyProblem(text)).toMatch(/^Expected an id without /);
    expect(keyProblem(text)).not.toContain("X");
  });

  it.each(["txn-1", "X\ufffdb", "X b", " X", "日本", "😀", "é", "e\u0301", "a\tb"])("may be %j", (text) => {
    expect(keyProblem(text)).toBeNull();
  });

  it("comes back unchanged from UTF-8 and from stores without U+0000, and no two keys become one", () => {
    const stored = (text: string) => Buffer.from(text).toString().replaceAll("\0", "\ufffd").replace(/ +$/, "");
    fc.assert(
      fc.property(strange, (text) => {
        if (keyProblem(text) === null) expect(stored(text)).toBe(text);
      }),
      { seed: 4, numRuns: 2000 },
    );
  });

  it("fits the schema's pattern", () => {
    const pattern = new RegExp(KEY_PATTERN, "u");
    fc.assert(
      fc.property(strange, (text) => {
        if (keyProblem(text) === null) expect(text).toMatch(pattern);
      }),
      { seed: 5, numRuns: 2000 },
    );
    expect("X\0b").not.toMatch(pattern);
    expect("X ").not.toMatch(pattern);
  });

  it("is asked of the fields that a profile names, by its schema as well", () => {
    for (const { keys, schema } of Object.values(PROFILES))
      for (const name of keys) expect([name, schema.properties?.[name]?.pattern]).toEqual([name, KEY_PATTERN]);
    expect(PROFILES.fraud.keys).toContain("transaction_id");
    expect(Buffer.byteLength("😀".repeat(MAX_KEY_LENGTH))).toBe(512);
  });
});
