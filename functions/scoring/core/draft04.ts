import type { JsonSchema } from "./json-schema";

/** A schema in JSON Schema draft-04, as API Gateway's request models read it. */
export type Draft04Schema = { readonly [keyword: string]: unknown };

/** Keywords that mean the same in both drafts and are copied unchanged. */
const SAME = [
  "title",
  "description",
  "type",
  "enum",
  "required",
  "minProperties",
  "maxProperties",
  "minItems",
  "maxItems",
  "minLength",
  "maxLength",
  "pattern",
  "minimum",
  "maximum",
] as const satisfies readonly (keyof JsonSchema)[];

/** Converts a schema to an API Gateway model: draft-04, without examples, identifiers and our own annotations. */
export function toDraft04(schema: JsonSchema): Draft04Schema {
  return { $schema: "http://json-schema.org/draft-04/schema#", ...convert(schema) };
}

/** Throws on a keyword without a counterpart: a model that checks less than the schema would be a silent hole. */
function convert(schema: JsonSchema): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const keyword of SAME) if (schema[keyword] !== undefined) out[keyword] = schema[keyword];
  if (schema.$defs || schema.$ref || schema.propertyNames) {
    throw new Error(
      `Schema "${schema.title ?? ""}" uses $defs, $ref or propertyNames; API Gateway models take none of them: inline it.`,
    );
  }
  if (schema.const !== undefined) out.enum = [schema.const];
  // Draft-04 has no exclusive bound of its own, only a flag beside the inclusive one. The tighter of the two bounds applies.
  const { exclusiveMinimum: above, exclusiveMaximum: below } = schema;
  if (above !== undefined && above >= (schema.minimum ?? Number.NEGATIVE_INFINITY)) {
    out.minimum = above;
    out.exclusiveMinimum = true;
  }
  if (below !== undefined && below <= (schema.maximum ?? Number.POSITIVE_INFINITY)) {
    out.maximum = below;
    out.exclusiveMaximum = true;
  }
  // Draft-04 forbids an empty list of required members.
  if (schema.required?.length === 0) delete out.required;
  if (schema.properties) out.properties = mapValues(schema.properties, convert);
  if (typeof schema.additionalProperties === "object") out.additionalProperties = convert(schema.additionalProperties);
  else if (schema.additionalProperties !== undefined) out.additionalProperties = schema.additionalProperties;
  if (schema.items) out.items = convert(schema.items);
  if (schema.oneOf) out.oneOf = schema.oneOf.map(convert);
  if (schema.anyOf) out.anyOf = schema.anyOf.map(convert);
  return out;
}

function mapValues<A, B>(members: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, change(value)]));
}
