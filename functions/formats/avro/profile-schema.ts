/** The Avro schema of a profile, from the JSON schema that its records have to meet. */
import type { JsonSchema, JsonType } from "../../scoring/core/json-schema";

/** A number of JSON is a double; whether an integer is exact is checked when it is read. */
const AVRO_TYPES: Readonly<Partial<Record<JsonType, string>>> = {
  null: "null",
  boolean: "boolean",
  integer: "long",
  number: "double",
  string: "string",
};

export interface AvroField {
  readonly name: string;
  readonly doc?: string;
  readonly type: string | readonly string[];
  readonly default?: null;
}

export interface AvroRecord {
  readonly type: "record";
  readonly name: string;
  readonly namespace: string;
  readonly doc?: string;
  readonly fields: readonly AvroField[];
}

/**
 * A record `risk.<profile>.<title>` with a field for each property. A field that may be missing is a union with null, and null by
 * default, so that a producer may leave it out of its own schema.
 * @throws Error for a property with a type that no profile of a stream has
 */
export function avroSchemaOf(
  profile: string,
  { title = "Event", description, properties = {}, required = [] }: JsonSchema,
): AvroRecord {
  const names = Object.keys(properties);
  return {
    type: "record",
    name: title,
    namespace: `risk.${profile}`,
    ...(description === undefined ? {} : { doc: description }),
    fields: names.map((name) => fieldOf(name, properties[name]!, required.includes(name))),
  };
}

function fieldOf(name: string, { type = [], description }: JsonSchema, required: boolean): AvroField {
  const own = [type].flat().map((one) => {
    const found = AVRO_TYPES[one];
    if (found === undefined) throw new Error(`${name}: the type ${one} has no counterpart in the Avro schema.`);
    return found;
  });
  const doc = description === undefined ? {} : { doc: description };
  if (required) return { name, ...doc, type: own.length === 1 ? own[0]! : own };
  // A default is of the union's first branch.
  return { name, ...doc, type: ["null", ...own.filter((one) => one !== "null")], default: null };
}
