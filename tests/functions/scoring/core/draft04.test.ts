import AjvDraft04 from "ajv-draft-04";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as compiled from "#validators";
import { toDraft04 } from "../../../../functions/scoring/core/draft04";
import type { JsonSchema, Validate } from "../../../../functions/scoring/core/json-schema";
import { PROFILES } from "../../../../functions/scoring/profiles";

const validators: Readonly<Record<string, Validate>> = { ...compiled };

describe("toDraft04", () => {
  it("keeps what draft-04 knows and drops annotations", () => {
    expect(
      toDraft04({
        $id: "x",
        title: "T",
        type: "object",
        required: [],
        properties: {
          a: { const: 1, examples: [1], "x-unit": "km" },
          b: { type: "number", exclusiveMinimum: 0, minimum: -1, exclusiveMaximum: 5, maximum: 4 },
          c: { type: "array", items: { type: "string" } },
          d: { oneOf: [{ type: "string" }], anyOf: [{ type: "string" }] },
          e: { type: "number", exclusiveMaximum: 1 },
        },
        additionalProperties: { type: "string", "x-classification": "personal" },
      }),
    ).toEqual({
      $schema: "http://json-schema.org/draft-04/schema#",
      title: "T",
      type: "object",
      properties: {
        a: { enum: [1] },
        b: { type: "number", minimum: 0, exclusiveMinimum: true, maximum: 4 },
        c: { type: "array", items: { type: "string" } },
        d: { oneOf: [{ type: "string" }], anyOf: [{ type: "string" }] },
        e: { type: "number", maximum: 1, exclusiveMaximum: true },
      },
      additionalProperties: { type: "string" },
    });
  });

  it.each<[string, JsonSchema]>([
    ["$ref", { $ref: "#/x" }],
    ["$defs", { $defs: {} }],
    ["propertyNames", { propertyNames: {} }],
  ])("refuses %s", (_, schema) => {
    expect(() => toDraft04({ title: "T", items: schema })).toThrow(/inline it/);
  });

  /** Values near a schema's bounds as well as far from them. */
  const scalar = fc.oneof(
    fc.integer({ min: -3, max: 30 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ maxLength: 4 }),
    fc.constantFrom(null, true, false, "", "US", "x".repeat(300), 1e9, 1e9 + 1, {}, []),
  );
  it.each(Object.values(PROFILES))("agrees with the compiled validator of $id", ({ id, schema }) => {
    const gateway = new AjvDraft04({ strict: false }).compile(toDraft04(schema));
    const names = Object.keys(schema.properties ?? {});
    const records = fc.dictionary(fc.constantFrom(...names, ...names, ...names, "other"), scalar);
    const complete = fc.record(Object.fromEntries(names.map((name) => [name, scalar])));
    const numbers = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e13, max: 1e13 }), {
      minLength: 11,
      maxLength: 13,
    });
    const variations = fc
      .tuple(fc.constant(schema.examples?.[0]), fc.constantFrom(...names, "other"), fc.oneof(scalar, numbers))
      .map(([example, name, value]) => ({ ...(example as object), [name]: value }));
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof(records, complete, variations, scalar), (value) => {
        const ours = validators[id]?.(value);
        if (ours) accepted++;
        expect(gateway(value)).toBe(ours);
      }),
      { seed: 5, numRuns: 800 },
    );
    expect(accepted).toBeGreaterThan(5);
    expect(validators[id]?.(schema.examples?.[0])).toBe(true);
  });
});
