/** The options by which `ingest` is told what it would otherwise find out about a file. */
import { readFileSync } from "node:fs";
import type { MappingOptions } from "../../functions/files/mapping/choose";
import { ENCODINGS, type FileOptions, FORMATS } from "../../functions/files/types";
import { type Option, type Parsed, UsageError } from "../options";

export const FILE_OPTIONS: Readonly<Record<string, Option>> = {
  format: { type: "string", value: FORMATS.join("|"), help: "Format of the file; json is an array of objects." },
  encoding: { type: "string", value: "NAME", help: `Encoding: ${ENCODINGS.join(", ")}.` },
  delimiter: { type: "string", value: "CHARACTER", help: "What separates the columns of CSV; tab for a tab." },
  quote: { type: "string", value: "CHARACTER", help: "What stands around fields of CSV." },
  header: { type: "string", value: "yes|no", help: "Whether the first line of CSV names the columns." },
  columns: { type: "string", value: "NAME,NAME,…", help: "Names of all columns, in place of the header's." },
};

export const MAPPING_OPTIONS: Readonly<Record<string, Option>> = {
  preset: {
    type: "string",
    value: "NAME|none",
    help: "Takes the fields as they are in a known data set. Default: by the columns.",
  },
  presets: { type: "boolean", help: "Lists the presets." },
  map: {
    type: "string",
    value: "FIELD=COLUMN",
    help: "Takes FIELD from COLUMN. Repeat it, separate with commas, or pass JSON or a .json file.",
    multiple: true,
  },
  id: { type: "string", value: "row|COLUMN+COLUMN", help: "Makes ids of row numbers, or of several columns." },
  time: {
    type: "string",
    value: "SOURCE",
    help: 'Where the time is: COLUMN, DATE+TIME, "COLUMN as M/D/YYYY H:mm" or "COLUMN hours since 2025-01-01".',
  },
  decimal: { type: "string", value: "comma|point", help: "The decimal mark of all numbers. Default: by each column." },
};

export function fileOptions(options: Parsed): FileOptions {
  const format = oneOf(options, "format", FORMATS);
  const encoding = oneOf(options, "encoding", ENCODINGS);
  const header = oneOf(options, "header", ["yes", "no"] as const);
  const delimiter = character(options, "delimiter");
  const quote = character(options, "quote");
  const columns = options
    .text("columns")
    ?.split(",")
    .map((name) => name.trim());
  return {
    ...(format === undefined ? {} : { format }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(quote === undefined ? {} : { quote }),
    ...(header === undefined ? {} : { header: header === "yes" }),
    ...(columns === undefined ? {} : { columns }),
  };
}

export function mappingOptions(options: Parsed): MappingOptions {
  const [preset, id, time] = [options.text("preset"), options.text("id"), options.text("time")];
  const decimal = oneOf(options, "decimal", ["comma", "point"] as const);
  return {
    map: options.list("map").flatMap(mapPairs),
    ...(preset === undefined ? {} : { preset }),
    ...(id === undefined ? {} : { id }),
    ...(time === undefined ? {} : { time }),
    ...(decimal === undefined ? {} : { decimal }),
  };
}

function oneOf<T extends string>(options: Parsed, name: string, values: readonly T[]): T | undefined {
  const text = options.text(name);
  const value = values.find((known) => known === text);
  if (text !== undefined && value === undefined) throw new UsageError(`--${name}: expected ${values.join(", ")}, got "${text}".`);
  return value;
}

/** One byte of UTF-8, because the readers look for it in bytes. */
function character(options: Parsed, name: string): string | undefined {
  const text = options.text(name);
  const value = text === "tab" || text === "\\t" ? "\t" : text;
  if (value !== undefined && !/^[\t\x20-\x7e]$/.test(value))
    throw new UsageError(`--${name}: expected one ASCII character, got "${text}".`);
  return value;
}

/** `field=column`, several of those separated by commas, a JSON object, or a JSON file. */
export function mapPairs(option: string): [field: string, column: string][] {
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
