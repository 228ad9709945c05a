/** The options of files as text: of the command line, or of an object's metadata. */
import { ENCODINGS, FileError, type FileOptions, FORMATS } from "../types";
import type { MappingOptions } from "./choose";

/** By name; the same names in both places. */
export type OptionTexts = Readonly<Record<string, string | undefined>>;

export interface TextOptions {
  readonly file: FileOptions;
  readonly mapping: MappingOptions;
}

/** @throws FileError that names the option */
export function optionsOf(texts: OptionTexts): TextOptions {
  const format = oneOf(texts, "format", FORMATS);
  const encoding = oneOf(texts, "encoding", ENCODINGS);
  const header = oneOf(texts, "header", ["yes", "no"] as const);
  const decimal = oneOf(texts, "decimal", ["comma", "point"] as const);
  const delimiter = character(texts, "delimiter");
  const quote = character(texts, "quote");
  const { columns, preset, id, time, map } = texts;
  return {
    file: {
      ...(format && { format }),
      ...(encoding && { encoding }),
      ...(delimiter && { delimiter }),
      ...(quote && { quote }),
      ...(header && { header: header === "yes" }),
      ...(columns && { columns: columns.split(",").map((name) => name.trim()) }),
    },
    mapping: {
      ...(map && { map: mapPairs(map) }),
      ...(preset && { preset }),
      ...(id && { id }),
      ...(time && { time }),
      ...(decimal && { decimal }),
    },
  };
}

function oneOf<T extends string>(texts: OptionTexts, name: string, values: readonly T[]): T | undefined {
  const text = texts[name];
  const value = values.find((known) => known === text);
  if (text !== undefined && value === undefined) throw new FileError(`${name}: expected ${values.join(", ")}, got "${text}".`);
  return value;
}

/** One byte of UTF-8, because the readers look for it in bytes. */
function character(texts: OptionTexts, name: string): string | undefined {
  const value = texts[name] === "tab" ? "\t" : texts[name];
  if (value !== undefined && !/^[\t\x20-\x7e]$/.test(value))
    throw new FileError(`${name}: expected one ASCII character or tab, got "${value}".`);
  return value;
}

/** `field=column`, several of those separated by commas, or a JSON object. */
export function mapPairs(option: string): [field: string, column: string][] {
  const trimmed = option.trim();
  if (trimmed.startsWith("{")) return fromJson(trimmed);
  return trimmed.split(",").map((part) => {
    const at = part.search(/[=:]/);
    if (at < 1 || at === part.length - 1) throw new FileError(`map ${option}: expected field=column, got "${part}".`);
    return [part.slice(0, at).trim(), part.slice(at + 1).trim()];
  });
}

function fromJson(option: string): [string, string][] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(option);
  } catch {
    throw new FileError(`map ${option}: expected {"field": "column", …}, got text that is not JSON.`);
  }
  if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed))
    throw new FileError(`map ${option}: expected a JSON object {"field": "column", …}.`);
  return Object.entries(parsed).map(([field, column]) => [field, String(column)]);
}
