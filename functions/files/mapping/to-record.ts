/** Makes records of a profile from the rows of a file. */
import { timeFormat } from "../../scoring/core/time-format";
import { isoTime, parseTimestamp } from "../../scoring/core/timestamp";
import type { Cells, FilePlan } from "../types";
import { parseAmount } from "./amount";
import { currencyCode } from "./currency";
import { type FieldSource, type FileMapping, type RecordSchema, STEP_UNITS, TIME_FIELD } from "./types";

/** @param row number of the row in its file, from 1 */
export type ToRecord = (cells: Cells, row: number) => Record<string, unknown>;

type Read = (cells: Cells, row: number) => unknown;

/**
 * Text of CSV becomes a number or a boolean if the schema asks for one and the whole text is one; otherwise it stays as it is, and the
 * validator reports it. CSV has no rule for blanks around a cell, so they are cut off; a string of JSON is the producer's value, which the
 * stream would take as it is. An empty cell is an absent field.
 */
export function recordMaker(
  { fields, decimalCommas }: FileMapping,
  schema: RecordSchema,
  { format, contentId }: Pick<FilePlan, "format" | "contentId">,
): ToRecord {
  const isText = format === "csv";
  const readers = Object.entries(fields).map(([field, source]): readonly [string, Read] => {
    const decimalComma = source.kind === "columns" && source.columns.some((column) => decimalCommas.includes(column));
    return [field, reader(source, field, { types: typesOf(schema, field), isText, decimalComma, contentId })];
  });
  return (cells, row) => {
    const record: Record<string, unknown> = {};
    for (const [field, read] of readers) {
      const value = read(cells, row);
      if (value !== undefined) record[field] = value;
    }
    return record;
  };
}

interface Reading {
  readonly types: readonly string[];
  readonly isText: boolean;
  readonly decimalComma: boolean;
  readonly contentId: string;
}

function reader(source: FieldSource, field: string, reading: Reading): Read {
  switch (source.kind) {
    case "row":
      return (_, row) => `${reading.contentId}-${row}`;
    case "constant":
      return () => source.value;
    case "steps": {
      const since = parseTimestamp(source.since);
      const unit = STEP_UNITS[source.unit];
      return timeReader([source.column], (text) => (text === "" ? Number.NaN : since + Number(text) * unit));
    }
    case "text":
      if (source.format !== null) return timeReader(source.columns, timeFormat(source.format));
      return valueReader(source.columns, " ", field, reading);
    case "columns":
      return valueReader(source.columns, "-", field, reading);
  }
}

/** A time that can't be read stays as it is: the validator refuses it. */
function timeReader(columns: readonly string[], parse: (text: string) => number): Read {
  return (cells) => {
    const text = joined(cells, columns, " ");
    if (text === undefined) return undefined;
    const ms = parse(text);
    return Number.isFinite(ms) ? isoTime(ms) : text;
  };
}

function valueReader(columns: readonly string[], separator: string, field: string, reading: Reading): Read {
  const [only = ""] = columns;
  const single = columns.length === 1;
  return (cells) => {
    const given = single ? cells[only] : joined(cells, columns, separator);
    const cell = reading.isText && typeof given === "string" ? given.trim() : given;
    if (cell === "" || cell === undefined || cell === null) return undefined;
    const { types } = reading;
    if (field === "currency" && typeof cell === "string") return currencyCode(cell);
    if (field === "ip_address") return ipAddress(cell);
    if (typeof cell === "string") return reading.isText ? convert(cell, reading, field) : cell;
    // Ids are text even if the file has them as numbers.
    return typeof cell === "number" && types.length === 1 && types[0] === "string" ? String(cell) : cell;
  };
}

/** Undefined when one of the columns is empty: half a key or half a time would be another one. */
function joined(cells: Cells, columns: readonly string[], separator: string): string | undefined {
  let text: string | undefined;
  for (const column of columns) {
    const cell = cells[column];
    const part = cell === null || cell === undefined ? "" : String(cell).trim();
    if (part === "") return undefined;
    text = text === undefined ? part : `${text}${separator}${part}`;
  }
  return text;
}

export function typesOf(schema: RecordSchema, field: string): readonly string[] {
  const type = schema.properties[field]?.type ?? "string";
  return typeof type === "string" ? [type] : type;
}

const TRUE = /^(true|1|yes|y|swipe transaction|chip transaction)$/i;
const FALSE = /^(false|0|no|n|online transaction)$/i;

function convert(cell: string, { types, decimalComma }: Reading, field: string): unknown {
  // An id that looks like a number stays text: the 19 digits of a card number don't fit a double.
  const wantsNumber = types.includes("number") || (types.includes("integer") && !types.includes("string"));
  if (types.includes("boolean")) return TRUE.test(cell) ? true : FALSE.test(cell) ? false : cell;
  if (field === TIME_FIELD && !/^[\d.]+$/.test(cell)) return cell;
  return wantsNumber ? (parseAmount(cell, decimalComma) ?? cell) : cell;
}

const IPV4_SIZE = 2 ** 32;

/** Exports of databases have addresses of IPv4 as one number, sometimes with a fraction from a conversion. */
function ipAddress(cell: unknown): unknown {
  const number = typeof cell === "number" || (typeof cell === "string" && /^\d{1,10}(\.\d+)?$/.test(cell)) ? Number(cell) : -1;
  if (number < 0 || number >= IPV4_SIZE) return cell;
  return [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join(".");
}
