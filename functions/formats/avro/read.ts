/** Readers by the writer's schema alone. */
import type { AvroBytes } from "./bytes";
import { AvroFault } from "./fault";
import { dateText, decimalValue, timestampText, timeText, uuidText } from "./logical-value";
import type {
  ArrayType,
  AvroType,
  EnumType,
  FixedType,
  LogicalType,
  MapType,
  PrimitiveType,
  RecordType,
  UnionType,
} from "./types";

/** Reads one value as JSON has it. @throws AvroFault */
export type Read = (cursor: AvroBytes) => unknown;

/** Readers of records by their type: a schema that refers to itself has a reader that does. */
export type KnownReads = Map<RecordType, Read>;

/** Numbers that a double doesn't hold exactly are read as their exact text. */
export function readerOf(type: AvroType, known: KnownReads = new Map()): Read {
  switch (type.kind) {
    case "record":
      return recordReader(type, known);
    case "union":
      return unionReader(type, known);
    case "array":
      return arrayOf(type, (items) => readerOf(items, known));
    case "map":
      return mapOf(type, (values) => readerOf(values, known));
    case "enum":
      return enumOf(type, (symbol) => symbol);
    default:
      return type.logical === null ? plainReader(type, true) : logicalReader(type, type.logical, true);
  }
}

function recordReader(type: RecordType, known: KnownReads): Read {
  const before = known.get(type);
  if (before !== undefined) return before;
  const fields: { readonly name: string; readonly read: Read }[] = [];
  const read: Read = (cursor) => {
    cursor.enter();
    const record: Record<string, unknown> = {};
    for (const field of fields) record[field.name] = field.read(cursor);
    cursor.leave();
    return record;
  };
  known.set(type, read);
  for (const field of type.fields) fields.push({ name: field.name, read: readerOf(field.type, known) });
  return read;
}

const unionReader = ({ branches }: UnionType, known: KnownReads): Read =>
  branchOf(branches.map((branch) => readerOf(branch, known)));

/** A null branch is one that the data may not have. */
export function branchOf(reads: readonly (Read | null)[]): Read {
  return (cursor) => {
    const index = cursor.long();
    const read = typeof index === "number" ? reads[index] : undefined;
    if (read === undefined) throw new AvroFault("A union has no branch of the number that is given.");
    if (read === null) throw new AvroFault("A union holds a type that is not taken.");
    return read(cursor);
  };
}

export function arrayOf({ items }: ArrayType, reader: (items: AvroType) => Read): Read {
  const read = reader(items);
  return (cursor) => {
    cursor.enter();
    const values: unknown[] = [];
    eachEntry(cursor, () => values.push(read(cursor)));
    cursor.leave();
    return values;
  };
}

export function mapOf({ values }: MapType, reader: (values: AvroType) => Read): Read {
  const read = reader(values);
  return (cursor) => {
    cursor.enter();
    const members = new Map<string, unknown>();
    eachEntry(cursor, () => members.set(cursor.text(), read(cursor)));
    cursor.leave();
    // Unlike an assignment, this makes even `__proto__` a member of its own.
    return Object.fromEntries(members);
  };
}

function eachEntry(cursor: AvroBytes, read: () => void): void {
  for (let count = cursor.blockCount(); count > 0; count = cursor.blockCount()) {
    for (let entry = 0; entry < count; entry++) {
      const before = cursor.position;
      read();
      cursor.entryRead(before);
    }
  }
}

/** @param symbolOf the reader's symbol for the writer's; null when it has none */
export function enumOf({ symbols }: EnumType, symbolOf: (symbol: string) => string | null): Read {
  const taken = symbols.map(symbolOf);
  return (cursor) => {
    const symbol = taken[cursor.int()];
    if (typeof symbol !== "string") throw new AvroFault("An enum has a symbol that is not taken.");
    return symbol;
  };
}

/** A value without its logical type. */
export function plainReader(type: PrimitiveType | FixedType, textToo: boolean): Read {
  switch (type.kind) {
    case "null":
      return () => null;
    case "boolean":
      return (cursor) => cursor.boolean();
    case "int":
      return (cursor) => cursor.int();
    case "long":
      return (cursor) => exactLong(cursor.long(), cursor, textToo);
    case "float":
      return (cursor) => cursor.float();
    case "double":
      return (cursor) => cursor.double();
    case "string":
      return (cursor) => cursor.text();
    default:
      // As in Avro's JSON encoding: one code point, U+0000 to U+00FF, a byte.
      return (cursor) => bytesOf(type, cursor).toString("latin1");
  }
}

function exactLong(value: number | bigint, cursor: AvroBytes, textToo: boolean): number | string {
  if (typeof value === "number") return value;
  if (textToo) return String(value);
  cursor.inexact = true;
  return Number(value);
}

function bytesOf(type: PrimitiveType | FixedType, cursor: AvroBytes): Buffer {
  const length = type.kind === "fixed" ? type.size : cursor.length();
  const start = cursor.take(length);
  return cursor.buffer.subarray(start, start + length);
}

/** @param textToo whether the exact text may stand for a number that a double doesn't hold */
export function logicalReader(type: PrimitiveType | FixedType, logical: LogicalType, textToo: boolean): Read {
  switch (logical.kind) {
    case "decimal":
      return (cursor) => decimalValue(bytesOf(type, cursor), logical.scale, cursor, textToo);
    case "date":
      return (cursor) => dateText(cursor.int());
    case "time":
      return (cursor) => timeText(cursor.long(), logical);
    case "timestamp":
      return (cursor) => timestampText(cursor.long(), logical);
    case "uuid":
      return type.kind === "fixed" ? (cursor) => uuidText(bytesOf(type, cursor)) : plainReader(type, textToo);
  }
}
