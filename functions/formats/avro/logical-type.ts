import type { LogicalType, PrimitiveKind } from "./types";

type Json = Readonly<Record<string, unknown>>;

const UNITS = { millis: 1e3, micros: 1e6, nanos: 1e9 } as const;
const TIME = /^(local-timestamp|timestamp|time)-(millis|micros|nanos)$/;

/** Unknown logical types, and known ones on another type or with wrong members, are ignored, as the specification demands. */
export function logicalTypeOf(json: Json, type: PrimitiveKind | "fixed"): LogicalType | null {
  const { logicalType } = json;
  if (typeof logicalType !== "string") return null;
  if (logicalType === "decimal") return decimalOf(json, type);
  if (logicalType === "date") return type === "int" ? { kind: "date" } : null;
  if (logicalType === "uuid") return type === "string" || (type === "fixed" && json.size === 16) ? { kind: "uuid" } : null;
  const [, kind, unit] = TIME.exec(logicalType) ?? [];
  if (kind === undefined) return null;
  const onInt = kind === "time" && unit === "millis";
  if (type !== (onInt ? "int" : "long") || (kind === "time" && unit === "nanos")) return null;
  return {
    kind: kind === "time" ? "time" : "timestamp",
    perSecond: UNITS[unit as keyof typeof UNITS],
    local: kind !== "timestamp",
  };
}

function decimalOf({ precision, scale = 0 }: Json, type: PrimitiveKind | "fixed"): LogicalType | null {
  if (type !== "bytes" && type !== "fixed") return null;
  const valid = isCount(precision) && precision > 0 && isCount(scale) && scale <= precision;
  return valid ? { kind: "decimal", scale } : null;
}

const isCount = (value: unknown): value is number => typeof value === "number" && Number.isInteger(value) && value >= 0;
