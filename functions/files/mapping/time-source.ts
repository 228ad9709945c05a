/** Finds out how the times of a file are written, and reads `--time`. */
import { timeFormat } from "../../scoring/core/time-format";
import { parseTimestamp } from "../../scoring/core/timestamp";
import type { Cells } from "../types";
import { STEP_UNITS, type StepUnit, type TimeSource } from "./types";

const DATES = [
  "YYYY/M/D",
  "YYYY.M.D",
  "YYYY M D",
  "D.M.YYYY",
  "M/D/YYYY",
  "D/M/YYYY",
  "M-D-YYYY",
  "D-M-YYYY",
  "D.M.YY",
  "M/D/YY",
  "D/M/YY",
  "D MMM YYYY",
  "D-MMM-YYYY",
  "MMM D, YYYY",
];
const CLOCKS = ["", " H:mm", " H:mm:ss", " H:mm:ss.SSS", " h:mm A", " h:mm:ss A", " H"];
const FORMATS = DATES.flatMap((date) => CLOCKS.map((clock) => `${date}${clock}`));

/** A file may have a few damaged times. */
const ENOUGH = 0.9;

export type DetectedTime =
  /** Null: as the stream reads times. */
  | { readonly kind: "format"; readonly format: string | null }
  /** Two formats fit every value, and mean different days. */
  | { readonly kind: "ambiguous"; readonly formats: readonly string[] }
  | { readonly kind: "none" };

/** @param preferred is taken first when it fits; for files that are known */
export function detectTime(values: readonly string[], preferred: readonly string[] = []): DetectedTime {
  if (values.length === 0) return { kind: "none" };
  if (share(values, parseTimestamp) >= ENOUGH) return { kind: "format", format: null };
  const known = preferred.find((format) => share(values, timeFormat(format)) >= ENOUGH);
  if (known !== undefined) return { kind: "format", format: known };
  const fitting = FORMATS.map((format) => ({ format, share: share(values, timeFormat(format)) })).filter(
    (candidate) => candidate.share >= ENOUGH,
  );
  const best = Math.max(...fitting.map((candidate) => candidate.share));
  const formats = fitting.filter((candidate) => candidate.share === best).map(({ format }) => format);
  const [format] = formats;
  if (format === undefined) return { kind: "none" };
  return formats.length === 1 ? { kind: "format", format } : { kind: "ambiguous", formats };
}

function share(values: readonly string[], parse: (text: string) => number): number {
  return values.filter((value) => Number.isFinite(parse(value))).length / values.length;
}

/** The text of a time that stands in these columns, for rows that have all of them. */
export function timeTexts(rows: readonly Cells[], columns: readonly string[]): readonly string[] {
  return rows.flatMap((cells) => {
    const parts = columns.map((column) => String(cells[column] ?? "").trim());
    return parts.includes("") ? [] : [parts.join(" ")];
  });
}

export const TIME_GRAMMAR =
  '--time COLUMN, --time DATE+TIME, --time "COLUMN as M/D/YYYY H:mm", --time "YEAR+MONTH+DAY+TIME as YYYY M D H:mm" ' +
  'or --time "COLUMN hours since 2025-01-01" (seconds, minutes, hours, days)';

/** Without `as`, the format is still to be found out. */
export type TimeOption = TimeSource | { readonly kind: "detect"; readonly columns: readonly string[] };

/** @returns what is wrong with the option, as text */
export function parseTimeOption(option: string, columns: readonly string[]): TimeOption | string {
  const steps = /^(.+?) (seconds|minutes|hours|days) since (.+)$/.exec(option.trim());
  if (steps !== null) {
    const [, column = "", unit = "", since = ""] = steps;
    if (!columns.includes(column)) return `--time ${option}: the file has no column "${column}".`;
    if (!isUnit(unit) || !Number.isFinite(parseTimestamp(since))) return `--time ${option}: "${since}" is not a time (ISO 8601).`;
    return { kind: "steps", column, unit, since };
  }
  const [, named = "", format] = /^(.+?)(?: as (.+))?$/.exec(option.trim()) ?? [];
  const found = columnList(named, columns);
  if (typeof found === "string") return `--time ${option}: the file has no column "${found}". Expected ${TIME_GRAMMAR}.`;
  if (format === undefined) return { kind: "detect", columns: found };
  try {
    timeFormat(format);
  } catch (error) {
    return `--time ${option}: ${error instanceof Error ? error.message : String(error)}`;
  }
  return { kind: "text", columns: found, format };
}

const isUnit = (text: string): text is StepUnit => Object.hasOwn(STEP_UNITS, text);

/** `A+B` as columns; the first that the file hasn't got, as text. */
export function columnList(text: string, columns: readonly string[]): readonly string[] | string {
  if (columns.includes(text)) return [text];
  const names = text.split("+").map((name) => name.trim());
  return names.find((name) => !columns.includes(name)) ?? names;
}
