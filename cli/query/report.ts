/** Answers of queries for people and for programs. */
import { table } from "../terminal";
import type { QueryAnswer } from "./run";

const NUMBERS = new Set(["integer", "bigint", "double", "decimal"]);

/** A number where JSON has one that is the same; text otherwise. */
function jsonValue(text: string | null, type: string): string | number | boolean | null {
  if (text === null) return null;
  if (type === "boolean") return text === "true";
  const value = Number(text);
  return NUMBERS.has(type) && Number.isFinite(value) && (type === "double" || Number.isSafeInteger(value) || type === "decimal")
    ? value
    : text;
}

/** One object per row. */
export const asObjects = ({ columns, rows }: QueryAnswer): Record<string, string | number | boolean | null>[] =>
  rows.map((row) => Object.fromEntries(columns.map(({ name, type }, index) => [name, jsonValue(row[index] ?? null, type)])));

export const asTable = ({ columns, rows }: QueryAnswer): string =>
  table(
    columns.map(({ name }) => name),
    rows.map((row) => row.map((text, index) => (text === null ? "" : tableCell(text, columns[index]?.type ?? "")))),
  );

function tableCell(text: string, type: string): string | number {
  const value = jsonValue(text, type);
  return typeof value === "number" ? value : text;
}

/** `12 rows; 3.4 kB read in 0.2 s; s3://…` */
export function summary({ rows, scannedBytes, milliseconds, outputLocation }: QueryAnswer): string {
  const read = scannedBytes < 1000 ? `${scannedBytes} B` : scaled(scannedBytes);
  return `${rows.length} row${rows.length === 1 ? "" : "s"}; ${read} read in ${(milliseconds / 1000).toFixed(1)} s; ${outputLocation}`;
}

function scaled(bytes: number): string {
  const power = Math.min(4, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(1)} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}
