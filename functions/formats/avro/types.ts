/** An Avro schema as a tree; a type that is named and refers to itself makes it a graph. */
export const PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"] as const;

export type PrimitiveKind = (typeof PRIMITIVES)[number];

export type LogicalType =
  | { readonly kind: "decimal"; readonly scale: number }
  | { readonly kind: "date" | "uuid" }
  /** Units per second. `local`: a wall clock's time, without a zone. */
  | { readonly kind: "time" | "timestamp"; readonly perSecond: number; readonly local: boolean };

export interface PrimitiveType {
  readonly kind: PrimitiveKind;
  readonly logical: LogicalType | null;
}

interface Named {
  /** With its namespace. */
  readonly name: string;
  readonly aliases: readonly string[];
}

export interface Field {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly type: AvroType;
  /** JSON; undefined when the field has none. */
  readonly default: unknown;
}

export interface RecordType extends Named {
  readonly kind: "record";
  /** Filled after the record itself is known: a field may refer to it. */
  readonly fields: Field[];
}

export interface EnumType extends Named {
  readonly kind: "enum";
  readonly symbols: readonly string[];
  readonly default: string | null;
}

export interface FixedType extends Named {
  readonly kind: "fixed";
  readonly size: number;
  readonly logical: LogicalType | null;
}

export interface ArrayType {
  readonly kind: "array";
  readonly items: AvroType;
}

export interface MapType {
  readonly kind: "map";
  readonly values: AvroType;
}

export interface UnionType {
  readonly kind: "union";
  readonly branches: readonly AvroType[];
}

export type NamedType = RecordType | EnumType | FixedType;
export type AvroType = PrimitiveType | NamedType | ArrayType | MapType | UnionType;
