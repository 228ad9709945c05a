import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isObject, withJsonMember } from "../../../../functions/scoring/core/json";

describe("isObject", () => {
  it.each([
    [{}, true],
    [[], false],
    [null, false],
    ["{}", false],
    [undefined, false],
  ])("returns for %j: %j", (value, expected) => {
    expect(isObject(value)).toBe(expected);
  });
});

describe("withJsonMember", () => {
  it("gives the text of the object including the member", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), fc.jsonValue(), (members, name, value) => {
        fc.pre(name !== "__proto__" && !Object.hasOwn(members, name) && !Object.hasOwn(members, "__proto__"));
        const text = withJsonMember(members, name, JSON.stringify(value));
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify({ ...members, [name]: value })));
      }),
    );
  });
});
