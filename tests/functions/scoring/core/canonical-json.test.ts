import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../../../functions/scoring/core/canonical-json";
import { hashJson, sha256 } from "../../../../functions/scoring/core/hash";

/** The same value with the members of every object in reverse order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).reverse();
  // defineProperty, because assigning to `__proto__` would set the prototype.
  const out = {};
  for (const [name, member] of entries) {
    Object.defineProperty(out, name, { value: reversed(member), enumerable: true, configurable: true, writable: true });
  }
  return out;
}

describe("canonicalJson", () => {
  it.each([
    [{ b: 1, a: [true, null, "x"] }, '{"a":[true,null,"x"],"b":1}'],
    [{ a: undefined, b: -0 }, '{"b":0}'],
    [[undefined, 1], "[null,1]"],
    ["é\n\u2028", JSON.stringify("é\n\u2028")],
    [1e21, "1e+21"],
    [false, "false"],
    [JSON.parse('{"__proto__":1,"constructor":2}'), '{"__proto__":1,"constructor":2}'],
  ])("writes %j as %s", (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it.each([[Number.NaN], [Number.POSITIVE_INFINITY], [undefined], [1n], [() => 1], [Symbol("x")]])(
    "refuses what JSON cannot hold: %s",
    (value) => {
      expect(() => canonicalJson(value)).toThrow(/Canonical JSON cannot hold/);
    },
  );

  it("refuses deep nesting instead of exhausting the stack", () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    expect(() => canonicalJson(deep)).toThrow(/64 levels/);
  });

  it("does not depend on the order of members and reads back as the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(reversed(value))).toBe(text);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

describe("hashJson", () => {
  it("is the SHA-256 of the canonical text", () => {
    expect(hashJson({ b: 1, a: 2 })).toBe(sha256('{"a":2,"b":1}'));
    expect(sha256("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  });
});
