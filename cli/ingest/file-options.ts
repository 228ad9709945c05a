/** The options by which `ingest` is told what it would otherwise find out about a file. */
import { readFileSync } from "node:fs";
import type { MappingOptions } from "../../functions/files/mapping/choose";
import { mapPairs, optionsOf, type TextOptions } from "../../functions/files/mapping/options-text";
import { ENCODINGS, FileError, type FileOptions, FORMATS } from "../../functions/files/types";
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

/** @throws UsageError */
export function fileOptions(options: Parsed): FileOptions {
  return read(options).file;
}

/** @throws UsageError */
export function mappingOptions(options: Parsed): MappingOptions {
  const map = options.list("map").flatMap(givenPairs);
  return { ...read(options).mapping, ...(map.length === 0 ? {} : { map }) };
}

const NAMES = Object.keys({ ...FILE_OPTIONS, ...MAPPING_OPTIONS }).filter((name) => name !== "map");

const read = (options: Parsed): TextOptions =>
  asUsage(() => optionsOf(Object.fromEntries(NAMES.map((name) => [name, options.text(name)]))));

/** Of one `--map`: as the option has them, or from a JSON file that it names. */
export function givenPairs(option: string): [field: string, column: string][] {
  return asUsage(() => mapPairs(option.trim().endsWith(".json") ? fileText(option.trim()) : option));
}

function fileText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`--map ${path}: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

function asUsage<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof FileError ? new UsageError(`--${error.message}`) : error;
  }
}
