import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { columnFilter, fieldsOf } from "../../src/services/sagemaker/csv-filter";

describe("columns of CSV", () => {
  const line = ["a", '"b,""c"""', "", "d"];

  it.each([
    ["$[1:]", line.slice(1)],
    ["$[:-1]", line.slice(0, -1)],
    ["$[1:3]", line.slice(1, 3)],
    ["$[-2:]", line.slice(-2)],
    ["$[0,-1]", ["a", "d"]],
    ["$[ 2 ]", [""]],
  ])("%s", (path, expected) => {
    expect(columnFilter(path)(fieldsOf(line.join(",")))).toEqual(expected);
  });

  it.each(["$", "$.a", "$[*]", "$[?(@.x)]", "$[0:2,3]", "$['a']", "$[1:4:2]", "[0]", ""])("refuses %j", (path) => {
    expect(() => columnFilter(path)).toThrow(/does not choose columns of CSV/);
  });

  it("are split so that joining them gives the line again", () => {
    const field = fc.oneof(
      fc.stringMatching(/^[^",\r\n]*$/),
      fc.stringMatching(/^[^\r\n]*$/).map((text) => `"${text.replaceAll('"', '""')}"`),
    );
    fc.assert(
      fc.property(fc.array(field, { minLength: 1 }), (fields) => {
        expect(fieldsOf(fields.join(","))).toEqual(fields);
      }),
    );
  });
});
