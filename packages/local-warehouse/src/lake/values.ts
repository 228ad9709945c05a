/** Values as Athena writes them into results, and the names of their types. */
import type { FieldDef } from "pg";

type Format = (text: string) => string;

const asIs: Format = (text) => text;

/** Athena's types by PostgreSQL's object ids: https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat */
const TYPES: Readonly<Record<number, readonly [name: string, format: Format]>> = {
  16: ["boolean", (text) => (text === "t" ? "true" : "false")],
  20: ["bigint", asIs],
  23: ["integer", asIs],
  25: ["varchar", asIs],
  701: ["double", (text) => doubleText(Number(text))],
  1043: ["varchar", asIs],
  1082: ["date", asIs],
  1114: ["timestamp", timeText],
  1184: ["timestamp with time zone", (text) => `${timeText(text)} UTC`],
  1186: ["interval day to second", asIs],
  1700: ["decimal", asIs],
};

/** Undefined for arrays and rows, which are read as JSON. */
export const scalarType = ({ dataTypeID }: FieldDef) => TYPES[dataTypeID];

/** As Java writes a double, whose text Trino's is: `1.0`, `1.0E-5`. */
export function doubleText(value: number): string {
  if (!Number.isFinite(value) || value === 0) return Object.is(value, -0) ? "-0.0" : value === 0 ? "0.0" : String(value);
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e7) return Number.isInteger(value) ? `${value}.0` : String(value);
  const [digits = "", exponent = ""] = value.toExponential().split("e");
  return `${digits.includes(".") ? digits : `${digits}.0`}E${Number(exponent)}`;
}

/** Milliseconds, as Trino's `timestamp(3)`. */
function timeText(text: string): string {
  const [, moment = "", fraction = ""] = /^(\S+ [\d:]+)(?:\.(\d+))?/.exec(text) ?? [];
  return `${moment}.${fraction.padEnd(3, "0").slice(0, 3)}`;
}

/** `[{code=amount, contribution=0.5}]` */
export function nestedText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(nestedText).join(", ")}]`;
  if (typeof value === "object" && value !== null)
    return `{${Object.entries(value)
      .map(([name, member]) => `${name}=${nestedText(member)}`)
      .join(", ")}}`;
  return String(value);
}
