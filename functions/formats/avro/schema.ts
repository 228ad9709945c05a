/** Avro schemas from JSON, by the specification (https://avro.apache.org/docs/1.12.0/specification), with limits on what is read. */
import { isObject } from "../../scoring/core/json";
import { SchemaFault } from "./fault";
import { logicalTypeOf } from "./logical-type";
import {
  type AvroType,
  type EnumType,
  type Field,
  type FixedType,
  type NamedType,
  PRIMITIVES,
  type PrimitiveKind,
  type RecordType,
} from "./types";

/** AWS Glue takes schemas of up to 170,000 characters; a file of a wide table may have more. */
export const MAX_SCHEMA_LENGTH = 1024 * 1024;
const MAX_SCHEMA_DEPTH = 64;
const MAX_FIXED_BYTES = 1024 * 1024;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Legal in Avro; as members of an object they would reach its prototype. */
const POLLUTING = new Set(["__proto__", "constructor", "prototype"]);

type Json = Readonly<Record<string, unknown>>;

/** @throws SchemaFault */
export function parseSchema(text: string): AvroType {
  if (text.length > MAX_SCHEMA_LENGTH) throw new SchemaFault(`The schema has more than ${MAX_SCHEMA_LENGTH} characters.`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // A bare type name is legal as well.
    json = text.trim();
  }
  return new SchemaReader().type(json, "", 0);
}

export function isPrimitive(value: unknown): value is PrimitiveKind {
  return (PRIMITIVES as readonly unknown[]).includes(value);
}

class SchemaReader {
  private readonly named = new Map<string, NamedType>();

  type(json: unknown, namespace: string, depth: number): AvroType {
    if (depth > MAX_SCHEMA_DEPTH) throw new SchemaFault(`The schema is nested more than ${MAX_SCHEMA_DEPTH} levels deep.`);
    if (typeof json === "string") return this.reference(json, namespace);
    if (Array.isArray(json)) return this.union(json, namespace, depth);
    if (!isObject(json)) throw new SchemaFault("A type is neither a name, a union nor an object.");
    return this.complex(json, namespace, depth);
  }

  private reference(name: string, namespace: string): AvroType {
    if (isPrimitive(name)) return { kind: name, logical: null };
    const found = this.named.get(fullName(name, namespace)) ?? this.named.get(name);
    if (found === undefined) throw new SchemaFault("A type is named that the schema doesn't define before.");
    return found;
  }

  private union(json: readonly unknown[], namespace: string, depth: number): AvroType {
    const branches = json.map((branch) => this.type(branch, namespace, depth + 1));
    if (branches.length === 0) throw new SchemaFault("A union has no branch.");
    const kinds = branches.map((branch) => ("name" in branch ? branch.name : branch.kind));
    if (kinds.includes("union")) throw new SchemaFault("A union holds a union.");
    if (new Set(kinds).size < kinds.length) throw new SchemaFault("A union has two branches of one type.");
    return { kind: "union", branches };
  }

  private complex(json: Json, namespace: string, depth: number): AvroType {
    const { type } = json;
    switch (type) {
      case "record":
      case "error":
        return this.record(json, namespace, depth);
      case "enum":
        return this.enumeration(json, namespace);
      case "fixed":
        return this.fixed(json, namespace);
      case "array":
        return { kind: "array", items: this.type(json.items, namespace, depth + 1) };
      case "map":
        return { kind: "map", values: this.type(json.values, namespace, depth + 1) };
      default:
        if (isPrimitive(type)) return { kind: type, logical: logicalTypeOf(json, type) };
        return this.type(type, namespace, depth + 1);
    }
  }

  private record(json: Json, outer: string, depth: number): RecordType {
    const { name, aliases, namespace } = namesOf(json, outer);
    const record: RecordType = { kind: "record", name, aliases, fields: [] };
    this.define(record);
    if (!Array.isArray(json.fields)) throw new SchemaFault("A record has no list of fields.");
    const seen = new Set<string>();
    for (const field of json.fields as readonly unknown[]) {
      if (!isObject(field)) throw new SchemaFault("A field is not an object.");
      const fieldName = simpleName(field.name);
      if (seen.has(fieldName)) throw new SchemaFault("A record has two fields of one name.");
      seen.add(fieldName);
      record.fields.push(this.field(field, fieldName, namespace, depth));
    }
    return record;
  }

  private field(json: Json, name: string, namespace: string, depth: number): Field {
    const type = this.type(json.type, namespace, depth + 1);
    return { name, aliases: textsOf(json.aliases), type, default: json.default };
  }

  private enumeration(json: Json, outer: string): EnumType {
    const { name, aliases } = namesOf(json, outer);
    const symbols = textsOf(json.symbols);
    const fallback = typeof json.default === "string" ? json.default : null;
    if (symbols.length === 0 || new Set(symbols).size < symbols.length) {
      throw new SchemaFault("An enum has no symbols, or one twice.");
    }
    if (fallback !== null && !symbols.includes(fallback)) throw new SchemaFault("An enum's default is none of its symbols.");
    return this.define({ kind: "enum", name, aliases, symbols, default: fallback });
  }

  private fixed(json: Json, outer: string): FixedType {
    const { name, aliases } = namesOf(json, outer);
    const { size } = json;
    if (typeof size !== "number" || !Number.isInteger(size) || size < 0 || size > MAX_FIXED_BYTES) {
      throw new SchemaFault(`The size of a fixed type is not a number from 0 to ${MAX_FIXED_BYTES}.`);
    }
    return this.define({ kind: "fixed", name, aliases, size, logical: logicalTypeOf(json, "fixed") });
  }

  private define<T extends NamedType>(type: T): T {
    if (this.named.has(type.name)) throw new SchemaFault("A type is defined twice.");
    this.named.set(type.name, type);
    return type;
  }
}

function namesOf(json: Json, outer: string) {
  if (typeof json.name !== "string") throw new SchemaFault("A named type has no name.");
  const own = typeof json.namespace === "string" ? json.namespace : outer;
  const name = fullName(json.name, own);
  for (const part of name.split(".")) simpleName(part);
  const namespace = name.slice(0, Math.max(0, name.lastIndexOf(".")));
  return { name, namespace, aliases: textsOf(json.aliases).map((alias) => fullName(alias, namespace)) };
}

const fullName = (name: string, namespace: string): string =>
  name.includes(".") || namespace === "" ? name : `${namespace}.${name}`;

function simpleName(name: unknown): string {
  if (typeof name !== "string" || !NAME.test(name) || POLLUTING.has(name)) {
    throw new SchemaFault("A name is not made of letters, digits and underscores, or is reserved.");
  }
  return name;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}
