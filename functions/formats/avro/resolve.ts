/**
 * Readers by the schemas of writer and reader ("Schema Resolution" in https://avro.apache.org/docs/1.12.0/specification). Beyond the
 * specification, since the reader's schema says what JSON holds: a writer's logical type is taken as what it is in JSON (a decimal as a
 * double, one without digits after the point as a long; dates, times and UUIDs as a string), and an enum as a string.
 */
import type { AvroBytes } from "./bytes";
import { defaultOf } from "./default-value";
import { ResolutionFault } from "./fault";
import { arrayOf, branchOf, enumOf, logicalReader, mapOf, plainReader, type Read, readerOf } from "./read";
import type {
  AvroType,
  EnumType,
  Field,
  FixedType,
  LogicalType,
  NamedType,
  PrimitiveKind,
  PrimitiveType,
  RecordType,
  UnionType,
} from "./types";

/** What a reader may ask for when a writer wrote this. */
const PROMOTIONS: Readonly<Record<PrimitiveKind, readonly AvroType["kind"][]>> = {
  null: ["null"],
  boolean: ["boolean"],
  int: ["int", "long", "float", "double"],
  long: ["long", "float", "double"],
  float: ["float", "double"],
  double: ["double"],
  bytes: ["bytes", "string"],
  string: ["string", "bytes"],
};

/** @throws ResolutionFault when no data of the writer can be read */
export const resolve = (writer: AvroType, reader: AvroType): Read => new Resolution().read(writer, reader, false);

class Resolution {
  private readonly known = new Map<RecordType, Map<RecordType, Read>>();

  /** @param textToo whether the reader takes text as well */
  read(writer: AvroType, reader: AvroType, textToo: boolean): Read {
    if (writer.kind === "union") return this.writerUnion(writer, reader);
    if (reader.kind === "union") return this.readerUnion(writer, reader);
    if (writer.kind === "record" && reader.kind === "record") return this.record(writer, reader);
    if (writer.kind === "array" && reader.kind === "array") {
      return arrayOf(writer, (items) => this.read(items, reader.items, false));
    }
    if (writer.kind === "map" && reader.kind === "map") return mapOf(writer, (values) => this.read(values, reader.values, false));
    if (writer.kind === "enum") return enumeration(writer, reader);
    if (writer.kind === "fixed" || isPrimitiveType(writer)) return single(writer, reader, textToo);
    throw mismatch(writer, reader);
  }

  /** Each branch is resolved by itself; one that the reader doesn't take only matters when it comes. */
  private writerUnion({ branches }: UnionType, reader: AvroType): Read {
    const reads = branches.map((branch) => this.attempt(branch, reader, false));
    if (reads.every((read) => read === null)) throw new ResolutionFault("No branch of a union is of a type that is taken.");
    return branchOf(reads);
  }

  /** The branch of the same type, by its name where it has one; else the first that takes the writer's. */
  private readerUnion(writer: AvroType, { branches }: UnionType): Read {
    const textToo = branches.some(({ kind }) => kind === "string");
    const same = branches.filter((branch) => isSameType(writer, branch));
    for (const branch of [...same, ...branches]) {
      const read = this.attempt(writer, branch, textToo);
      if (read !== null) return read;
    }
    throw new ResolutionFault("A type is none that a union takes.");
  }

  private attempt(writer: AvroType, reader: AvroType, textToo: boolean): Read | null {
    try {
      return this.read(writer, reader, textToo);
    } catch (error) {
      if (error instanceof ResolutionFault) return null;
      throw error;
    }
  }

  /** Names of records are not compared, as in Avro's Java implementation: with a single type there is nothing to confuse. */
  private record(writer: RecordType, reader: RecordType): Read {
    const known = this.known.get(writer) ?? new Map<RecordType, Read>();
    this.known.set(writer, known);
    const before = known.get(reader);
    if (before !== undefined) return before;
    const steps: Step[] = [];
    const defaults = defaultsOf(writer, reader);
    const template = Object.fromEntries(reader.fields.map(({ name }) => [name, null as unknown]));
    for (const { name, value } of defaults) template[name] = value();
    // Objects, which must not be shared, are made anew for each record.
    const own = defaults.filter(({ name }) => typeof template[name] === "object" && template[name] !== null);
    const read = recordReader(template, steps, own);
    known.set(reader, read);
    try {
      for (const { name, type } of writer.fields) {
        const field = counterpart(name, writer, reader);
        steps.push(field === undefined ? { name: null, read: skipping(readerOf(type)) } : this.step(type, field));
      }
    } catch (error) {
      known.delete(reader);
      throw error;
    }
    return read;
  }

  private step(type: AvroType, field: Field): Step {
    try {
      return { name: field.name, read: this.read(type, field.type, false) };
    } catch (error) {
      if (!(error instanceof ResolutionFault)) throw error;
      throw new ResolutionFault(`Field ${field.name}: ${error.message}`);
    }
  }
}

interface Step {
  /** Of the reader; null: the field is skipped. */
  readonly name: string | null;
  readonly read: Read;
}

interface DefaultField {
  readonly name: string;
  readonly value: () => unknown;
}

/** Every record begins as a copy with all members: an object that grows member by member costs twice as much. */
function recordReader(
  template: Readonly<Record<string, unknown>>,
  steps: readonly Step[],
  defaults: readonly DefaultField[],
): Read {
  return (cursor) => {
    cursor.enter();
    const record = { ...template };
    for (const { name, read } of steps) {
      const value = read(cursor);
      if (name !== null) record[name] = value;
    }
    for (const { name, value } of defaults) record[name] = value();
    cursor.leave();
    return record;
  };
}

/** What a reader doesn't ask for may hold numbers that it couldn't take. */
function skipping(read: Read): Read {
  return (cursor: AvroBytes) => {
    const { inexact, notFinite } = cursor;
    read(cursor);
    cursor.inexact = inexact;
    cursor.notFinite = notFinite;
  };
}

/** The reader's field for one of the writer: of this name, else with an alias of this name that no other field of the writer has. */
function counterpart(name: string, writer: RecordType, reader: RecordType): Field | undefined {
  const exact = reader.fields.find((field) => field.name === name);
  if (exact !== undefined) return exact;
  return reader.fields.find((field) => namesIn(writer, field)[0] === name);
}

/** The writer's names of a reader's field, the right one first. */
const namesIn = (writer: RecordType, { name, aliases }: Field): string[] =>
  [name, ...aliases].filter((candidate) => writer.fields.some((field) => field.name === candidate));

function defaultsOf(writer: RecordType, reader: RecordType): DefaultField[] {
  const missing = reader.fields.filter((field) => namesIn(writer, field).length === 0);
  return missing.map(({ name, type, default: json }) => {
    if (json === undefined) throw new ResolutionFault(`Field ${name} is missing, and has no default.`);
    return { name, value: defaultOf(type, json) };
  });
}

function enumeration(writer: EnumType, reader: AvroType): Read {
  if (reader.kind === "string") return enumOf(writer, (symbol) => symbol);
  if (reader.kind !== "enum" || !isNamedAlike(writer, reader)) throw mismatch(writer, reader);
  return enumOf(writer, (symbol) => (reader.symbols.includes(symbol) ? symbol : reader.default));
}

function single(writer: PrimitiveType | FixedType, reader: AvroType, textToo: boolean): Read {
  const own = writer.kind === reader.kind && "logical" in reader ? reader.logical : null;
  const logical = writer.logical ?? own;
  if (logical !== null) {
    const sameLogical = own !== null && own.kind === logical.kind;
    if (sameLogical || PROMOTIONS[jsonKind(logical)].includes(reader.kind)) return logicalReader(writer, logical, textToo);
  }
  if (writer.kind === "fixed") {
    if (reader.kind !== "fixed" || reader.size !== writer.size || !isNamedAlike(writer, reader)) throw mismatch(writer, reader);
    return plainReader(writer, textToo);
  }
  if (!PROMOTIONS[writer.kind].includes(reader.kind)) throw mismatch(writer, reader);
  const changesText = (writer.kind === "bytes" || writer.kind === "string") && isPrimitiveType(reader);
  return plainReader(changesText ? reader : writer, textToo);
}

function jsonKind(logical: LogicalType): PrimitiveKind {
  if (logical.kind === "decimal") return logical.scale === 0 ? "long" : "double";
  return "string";
}

function isSameType(writer: AvroType, branch: AvroType): boolean {
  if ("name" in writer && "name" in branch) return writer.kind === branch.kind && isNamedAlike(writer, branch);
  const logical = "logical" in writer ? writer.logical : null;
  if (logical === null) return writer.kind === branch.kind;
  const sameLogical = writer.kind === branch.kind && "logical" in branch && branch.logical?.kind === logical.kind;
  return sameLogical || branch.kind === jsonKind(logical);
}

/** Unqualified names count, and the reader's aliases. */
const isNamedAlike = (writer: NamedType, reader: NamedType): boolean =>
  unqualified(writer.name) === unqualified(reader.name) || reader.aliases.includes(writer.name);

const unqualified = (name: string): string => name.slice(name.lastIndexOf(".") + 1);

const isPrimitiveType = (type: AvroType): type is PrimitiveType => Object.hasOwn(PROMOTIONS, type.kind);

const mismatch = (writer: AvroType, reader: AvroType): ResolutionFault =>
  new ResolutionFault(`Expected the type ${reader.kind}, got ${writer.kind}.`);
