import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memberTexts } from "../../../functions/shared/json-members";

describe("the members of a JSON object", () => {
  it("are the texts of their values, untouched", () => {
    const text = String.raw` { "a" : 1.0e2 ,"b\u0022":{"x":[1,"}\\\""], "x":2 },"c": "\ud83d\ude00\\" , "d":[ ], "e":null}  `;
    expect([...(memberTexts(text) ?? [])]).toEqual([
      ["a", "1.0e2"],
      ['b"', String.raw`{"x":[1,"}\\\""], "x":2 }`],
      ["c", String.raw`"\ud83d\ude00\\"`],
      ["d", "[ ]"],
      ["e", "null"],
    ]);
    expect(memberTexts("{}")?.size).toBe(0);
  });

  it("aren't there when the text is no object, no JSON, or names one twice in any spelling", () => {
    for (const text of ["[1]", "null", '"{}"', "{", '{"a":1,}', "", String.raw`{"a":1,"\u0061":2}`])
      expect(memberTexts(text)).toBeNull();
  });

  it("parse to what the whole text parses to", () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true });
    const layout = fc.constantFrom(undefined, 1, "\t\r\n");
    fc.assert(
      fc.property(object, layout, (value, space) => {
        const text = JSON.stringify(value, null, space);
        const members = [...(memberTexts(text) ?? [])].map(([name, json]) => [name, JSON.parse(json) as unknown]);
        expect(JSON.stringify(Object.fromEntries(members))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });
});
