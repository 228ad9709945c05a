/** Maps the columns of a file to the fields of a profile, and cells to values. */
import { readFileSync } from "node:fs";
import { UsageError } from "../options";
import type { Format } from "./rows";

/** field → column */
export type Mapping = ReadonlyMap<string, string>;

/** The part of a JSON Schema that ingestion reads. */
export interface RecordSchema {
  readonly properties: Readonly<Record<string, { readonly type?: string | readonly string[] }>>;
  readonly required?: readonly string[];
}

/** Column names that public card data sets use for the fields of the fraud profile. */
const knownAliases: Readonly<Record<string, readonly string[]>> = {
  transaction_id: ["trans_num", "transactionid", "txn_id", "trans_id", "id"],
  user_id: ["cc_num", "card_number", "card_id", "userid", "customer_id", "account_id"],
  amount: ["amt", "transactionamt", "transaction_amount", "value"],
  timestamp: ["unix_time", "trans_date_trans_time", "event_time", "datetime", "time", "ts"],
  category: ["merchant_category", "mcc"],
  merchant_id: ["merchant"],
  latitude: ["merch_lat", "merchant_latitude"],
  longitude: ["merch_long", "merch_lon", "merchant_longitude"],
  home_latitude: ["lat"],
  home_longitude: ["long", "lon", "lng"],
};

/**
 * Parses `--map` options. Each is `field=column`, several of those separated by commas, a JSON object, or a JSON file.
 * `column=field` is accepted too, if only that reading makes sense.
 */
export function parseMapping(options: readonly string[], columns: readonly string[], schema: RecordSchema): Mapping {
  const fields = Object.keys(schema.properties);
  const mapping = defaultMapping(columns, fields);
  const problems: string[] = [];
  for (const [left, right] of options.flatMap(pairs)) {
    const swapped = !fields.includes(left) && fields.includes(right) && columns.includes(left);
    const [field, column] = swapped ? [right, left] : [left, right];
    if (!fields.includes(field))
      problems.push(`--map ${left}=${right}: "${field}" is not a field. Fields: ${fields.join(", ")}.`);
    else if (!columns.includes(column))
      problems.push(`--map ${left}=${right}: the file has no column "${column}". Columns: ${columns.join(", ")}.`);
    else mapping.set(field, column);
  }
  const unmapped = (schema.required ?? []).filter((field) => !mapping.has(field));
  if (unmapped.length > 0) {
    const example = unmapped.map((field) => `--map ${field}=COLUMN`).join(" ");
    problems.push(`Required and not mapped: ${unmapped.join(", ")}. Columns: ${columns.join(", ")}. Add ${example}`);
  }
  if (problems.length > 0) throw new UsageError(problems.join("\n"));
  return mapping;
}

function defaultMapping(columns: readonly string[], fields: readonly string[]): Map<string, string> {
  const byLowerCase = new Map(columns.map((column) => [column.toLowerCase(), column]));
  const mapping = new Map<string, string>();
  for (const field of fields) {
    const column = [field, ...(knownAliases[field] ?? [])]
      .map((name) => byLowerCase.get(name))
      .find((name) => name !== undefined);
    if (column !== undefined) mapping.set(field, column);
  }
  return mapping;
}

function pairs(option: string): [string, string][] {
  const trimmed = option.trim();
  if (trimmed.startsWith("{") || trimmed.endsWith(".json")) return fromJson(trimmed);
  return trimmed.split(",").map((part) => {
    const at = part.search(/[=:]/);
    if (at < 1 || at === part.length - 1) throw new UsageError(`--map ${option}: expected field=column, got "${part}".`);
    return [part.slice(0, at).trim(), part.slice(at + 1).trim()];
  });
}

function fromJson(option: string): [string, string][] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(option.startsWith("{") ? option : readFileSync(option, "utf8"));
  } catch (error) {
    throw new UsageError(
      `--map ${option}: ${error instanceof Error ? error.message : String(error)}. Expected {"field": "column", …}.`,
    );
  }
  if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) {
    throw new UsageError(`--map ${option}: expected a JSON object {"field": "column", …}.`);
  }
  return Object.entries(parsed).map(([field, column]) => [field, String(column)]);
}

const numberText = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const zonelessTime = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}(:\d{2}(\.\d+)?)?)$/;

/**
 * Turns a row into a record of the profile. Cells are text in CSV and any value in NDJSON. Text becomes a number or a boolean only
 * if the schema asks for one and the whole text is one; otherwise it stays as it is, and the validator reports it.
 * CSV has no rule for blanks around a cell, so they are cut off; a string of NDJSON is the producer's value, which the stream would take as
 * it is. An empty cell is an absent field. A time without a zone is UTC.
 */
export function toRecord(
  row: Readonly<Record<string, unknown>>,
  mapping: Mapping,
  schema: RecordSchema,
  format: Format,
): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const [field, column] of mapping) {
    const given = row[column];
    const cell = format === "csv" && typeof given === "string" ? given.trim() : given;
    if (cell === "" || cell === undefined || cell === null) continue;
    const types = typesOf(schema, field);
    record[field] = typeof cell === "string" ? convert(cell, types, field) : keepKind(cell, types);
  }
  return record;
}

function typesOf(schema: RecordSchema, field: string): readonly string[] {
  const type = schema.properties[field]?.type ?? "string";
  return typeof type === "string" ? [type] : type;
}

function convert(cell: string, types: readonly string[], field: string): unknown {
  // An id that looks like a number stays text: the 19 digits of a card number don't fit a double.
  const wantsNumber = types.includes("number") || (types.includes("integer") && !types.includes("string"));
  if (wantsNumber && numberText.test(cell)) return Number(cell);
  if (types.includes("boolean") && /^(true|1|yes|y)$/i.test(cell)) return true;
  if (types.includes("boolean") && /^(false|0|no|n)$/i.test(cell)) return false;
  const zoneless = field === "timestamp" ? zonelessTime.exec(cell) : null;
  return zoneless ? `${zoneless[1]}T${zoneless[2]}Z` : cell;
}

/** Ids are text even if the file has them as numbers. */
function keepKind(cell: unknown, types: readonly string[]): unknown {
  return typeof cell === "number" && types.length === 1 && types[0] === "string" ? String(cell) : cell;
}
