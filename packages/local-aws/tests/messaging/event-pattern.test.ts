import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileEventPattern, InvalidEventPattern } from "../../src/services/event-pattern";

describe("event patterns", () => {
  it.each([
    [{ a: ["x"] }, { a: "x" }, true],
    [{ a: ["x"] }, { a: ["y", "x"] }, true],
    [{ a: [1] }, { a: "1" }, false],
    [{ a: [null] }, { a: null }, true],
    [{ a: [null] }, {}, false],
    [{ a: [{ prefix: "ab" }] }, { a: "abc" }, true],
    [{ a: [{ prefix: { "equals-ignore-case": "AB" } }] }, { a: "abc" }, true],
    [{ a: [{ suffix: ".png" }] }, { a: "x.PNG" }, false],
    [{ a: [{ suffix: { "equals-ignore-case": ".png" } }] }, { a: "x.PNG" }, true],
    [{ a: [{ "equals-ignore-case": "alice" }] }, { a: "ALICE" }, true],
    [{ a: [{ wildcard: "a*c\\*" }] }, { a: "abbc*" }, true],
    [{ a: [{ wildcard: "a*c" }] }, { a: "abd" }, false],
    [{ a: [{ "anything-but": "x" }] }, { a: ["x"] }, false],
    [{ a: [{ "anything-but": ["x", "y"] }] }, { a: 5 }, true],
    [{ a: [{ "anything-but": "x" }] }, {}, false],
    [{ a: [{ "anything-but": { prefix: ["x", "y"] } }] }, { a: "yes" }, false],
    [{ a: [{ "anything-but": { suffix: "t" } }] }, { a: "yes" }, true],
    [{ a: [{ "anything-but": { "equals-ignore-case": ["YES"] } }] }, { a: "yes" }, false],
    [{ a: [{ "anything-but": { wildcard: "*e*" } }] }, { a: "yes" }, false],
    [{ a: [{ "anything-but": { wildcard: "" } }] }, { a: "yes" }, true],
    [{ a: [{ wildcard: "/Users/*/dir/dir/dir/dir/dir/doc.txt" }] }, { a: "/Users/u/dir/dir/dir/dir/dir/doc.txt" }, true],
    [{ a: { b: [1] } }, { "a.b": 1 }, true],
    [{ "a.b": [1] }, { a: { b: 1 } }, true],
    [{ "a.b": [1] }, { "a.b": 1 }, true],
    [{ a: { b: [1] } }, { "a.b": { b: 1 } }, false],
    [{ "a.b": { b: [1] } }, { a: { b: 1 } }, false],
    [{ a: { b: [1], c: [2] } }, { a: { b: 1 }, "a.c": 2 }, true],
    [{ a: { b: [1], c: [2] } }, { a: [{ b: 1 }, { "c.d": 2 }] }, false],
    [{ a: [{ numeric: [">", 80] }] }, { a: 80 }, false],
    [{ a: [{ numeric: [">", 0, "<=", 5] }] }, { a: 5 }, true],
    [{ a: [{ numeric: ["=", 3] }] }, { a: "3" }, false],
    [{ a: [{ cidr: "10.0.0.0/24" }] }, { a: "10.0.0.255" }, true],
    [{ a: [{ cidr: "2001:db8::/32" }] }, { a: "2001:db8:1::1" }, true],
    [{ a: [{ cidr: "10.0.0.0/24" }] }, { a: "::ffff:10.0.0.1" }, false],
    [{ a: [{ exists: true }] }, { a: { b: 1 } }, false],
    [{ a: [{ exists: false }] }, { a: { b: 1 } }, true],
    [{ a: [{ exists: false }] }, { a: [] }, true],
    [{ a: { b: [{ exists: false }] } }, { a: [{ b: 1 }, { c: 2 }] }, false],
    [{ a: { b: [{ exists: false }] } }, {}, true],
    [
      { a: { x: [1], y: [2] } },
      {
        a: [
          { x: 1, y: 1 },
          { x: 2, y: 2 },
        ],
      },
      false,
    ],
    [{ a: { x: [1], y: [2] } }, { a: [{ x: 1, y: 2 }] }, true],
    [{ $or: [{ a: [1] }, { b: [2] }], c: [3] }, { b: 2, c: 3 }, true],
    [{ a: { x: [1] }, $or: [{ a: { y: [2] } }, { z: [1] }] }, { a: [{ x: 1 }, { y: 2 }] }, false],
    [{ toString: [{ exists: true }] }, {}, false],
  ])("%j on %j gives %s", (pattern, event, expected) => {
    expect(compileEventPattern(pattern)(event)).toBe(expected);
  });

  it.each([
    ["{", /not JSON/],
    [{}, /empty/],
    [{ a: "x" }, /must be an object or an array/],
    [{ a: [] }, /empty arrays/],
    [{ a: [{ glob: "x" }] }, /unrecognized operator "glob".*at a/],
    [{ a: [{ numeric: ["<", 5, ">", 1] }] }, /lower bound/],
    [{ a: [{ numeric: [">", 5, "<", 1] }] }, /bottom/],
    [{ a: [{ numeric: [">", 6e9] }] }, /between/],
    [{ a: [{ cidr: "10.0.0.0" }] }, /cidr/],
    [{ a: [{ wildcard: "a**" }] }, /consecutive/],
    [{ a: [{ wildcard: "*:*:*:*:*:event-bus/*" }] }, /Rule is too complex/],
    [{ a: [{ "anything-but": { wildcard: "*:*:*:*:*:event-bus/*" } }] }, /Rule is too complex/],
    [{ a: { b: [1] }, "a.b": [2] }, /constrained twice/],
    [{ a: [{ wildcard: "a\\b" }] }, /escape/],
    [{ a: [{ "anything-but": ["x", 1] }] }, /anything-but/],
    [{ $or: [{ a: [1] }] }, /at least two/],
    [{ a: [1], $or: [{ a: [2] }, { b: [1] }] }, /constrained twice/],
  ])("refuses %j", (pattern, reason) => {
    expect(() => compileEventPattern(pattern)).toThrow(InvalidEventPattern);
    expect(() => compileEventPattern(pattern)).toThrow(reason);
  });

  /** Flattens an event like Event Ruler: every leaf with the array elements on its way. */
  type Leaf = { path: string; value: unknown; choices: Map<string, number> };
  const flatten = (value: unknown, path: string, choices: Map<string, number>): Leaf[] => {
    if (Array.isArray(value))
      return value.flatMap((item, index) => flatten(item, path, new Map(choices).set(`${path}#${choices.size}`, index)));
    if (typeof value === "object" && value !== null)
      return Object.entries(value).flatMap(([key, item]) => flatten(item, `${path}/${key}`, choices));
    return [{ path, value, choices }];
  };
  const consistent = (left: Map<string, number>, right: Map<string, number>) =>
    [...left].every(([array, index]) => (right.get(array) ?? index) === index);
  const oracle = (conditions: [string, unknown[]][], leaves: Leaf[], chosen: Map<string, number>): boolean => {
    const [first, ...rest] = conditions;
    if (first === undefined) return true;
    return leaves.some(
      (leaf) =>
        leaf.path === first[0] &&
        first[1].includes(leaf.value) &&
        consistent(chosen, leaf.choices) &&
        oracle(rest, leaves, new Map([...chosen, ...leaf.choices])),
    );
  };

  it("agrees with a search over all choices of array elements", () => {
    const scalar = fc.constantFrom(0, 1, "x");
    const inner = fc.record({ p: fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })), q: scalar }, { requiredKeys: [] });
    const event = fc.record({ a: fc.oneof(inner, fc.array(inner, { maxLength: 3 })), b: scalar }, { requiredKeys: [] });
    const leaf = fc.uniqueArray(scalar, { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(event, leaf, leaf, leaf, (value, p, q, b) => {
        const expected = oracle(
          [
            ["/a/p", p],
            ["/a/q", q],
            ["/b", b],
          ],
          flatten(value, "", new Map()),
          new Map(),
        );
        expect(compileEventPattern({ a: { p, q }, b })(value)).toBe(expected);
      }),
      { seed: 7, numRuns: 2000 },
    );
  });
});
