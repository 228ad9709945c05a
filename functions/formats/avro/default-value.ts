/** The default of a reader's field, which a schema gives as JSON. */
import { isObject } from "../../scoring/core/json";
import { AvroBytes } from "./bytes";
import { ResolutionFault } from "./fault";
import { dateText, decimalValue, timestampText, timeText } from "./logical-value";
import type { AvroType, LogicalType, RecordType } from "./types";

/** @throws ResolutionFault when the default isn't of the type. @returns a function, since a record may change after it was read */
export function defaultOf(type: AvroType, json: unknown): () => unknown {
  const value = asValue(type, json);
  return typeof value === "object" && value !== null ? () => structuredClone(value) : () => value;
}

function asValue(type: AvroType, json: unknown): unknown {
  switch (type.kind) {
    case "union":
      return unionValue(type.branches, json);
    case "record":
      return recordValue(type, json);
    case "array":
      if (Array.isArray(json)) return json.map((item) => asValue(type.items, item));
      break;
    case "map":
      if (isObject(json)) {
        return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, asValue(type.values, value)]));
      }
      break;
    case "null":
      if (json === null) return null;
      break;
    case "boolean":
      if (typeof json === "boolean") return json;
      break;
    case "int":
    case "long":
      if (Number.isInteger(json)) return logicalValue(type.logical, json as number);
      break;
    case "float":
    case "double":
      if (typeof json === "number") return json;
      break;
    case "enum":
      if (typeof json === "string" && type.symbols.includes(json)) return json;
      break;
    default:
      if (typeof json === "string") return logicalValue("logical" in type ? type.logical : null, json);
  }
  throw new ResolutionFault(`A default is not of its type, ${type.kind}.`);
}

/** Of the first branch that it fits: up to version 1.11 only the first one may have a default. */
function unionValue(branches: readonly AvroType[], json: unknown): unknown {
  for (const branch of branches) {
    try {
      return asValue(branch, json);
    } catch (error) {
      if (!(error instanceof ResolutionFault)) throw error;
    }
  }
  throw new ResolutionFault("A default is of no branch of its union.");
}

function recordValue({ fields }: RecordType, json: unknown): unknown {
  if (!isObject(json)) throw new ResolutionFault("A default is not of its type, record.");
  return Object.fromEntries(
    fields.map(({ name, type, default: own }) => [name, asValue(type, Object.hasOwn(json, name) ? json[name] : own)]),
  );
}

function logicalValue(logical: LogicalType | null, json: number | string): unknown {
  if (typeof json === "string") {
    if (logical?.kind !== "decimal") return json;
    const bytes = Buffer.from(json, "latin1");
    return decimalValue(bytes, logical.scale, new AvroBytes(bytes), true);
  }
  if (logical?.kind === "date") return dateText(json);
  if (logical?.kind === "time") return timeText(json, logical);
  return logical?.kind === "timestamp" ? timestampText(json, logical) : json;
}
