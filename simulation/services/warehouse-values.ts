/** Rows, and how COPY reads a field of a JSON line into a column. */
export type Value = string | number | boolean | null;
export type Row = Record<string, Value>;

/** A statement that the warehouse refuses: its transaction has no effect. */
export class SqlError extends Error {}

/** Times become ISO 8601 with milliseconds in UTC, so that they compare as text; SUPER becomes JSON text. */
export function parseField(field: string, type: string, value: unknown): Value {
  if (type === "SUPER") return value === undefined ? null : JSON.stringify(value);
  if (value === undefined || value === null) return null;
  const refuse = (): never => {
    throw new SqlError(`Invalid value for column ${field} ${type}: ${typeof value}`);
  };
  const size = /^(?:VAR)?CHAR\((\d+)\)$/.exec(type);
  if (size !== null) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    if (Buffer.byteLength(text) > Number(size[1])) throw new SqlError(`String length exceeds DDL length: ${field}`);
    return text;
  }
  switch (type) {
    case "TIMESTAMPTZ": {
      const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
      return Number.isNaN(time) ? refuse() : new Date(time).toISOString();
    }
    case "DOUBLE PRECISION":
      return Number.isNaN(Number(value)) ? refuse() : Number(value);
    case "BIGINT":
      return Number.isInteger(value) ? Number(value) : refuse();
    case "BOOLEAN":
      return typeof value === "boolean" ? value : refuse();
    default:
      return refuse();
  }
}
