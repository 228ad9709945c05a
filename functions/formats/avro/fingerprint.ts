/** "Parsing Canonical Form" and "Schema Fingerprints" of https://avro.apache.org/docs/1.12.0/specification. */
import type { AvroType, NamedType } from "./types";

const EMPTY = 0xc15d213aa4d7a795n;

const TABLE: readonly bigint[] = Array.from({ length: 256 }, (_, byte) => {
  let value = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) value = (value >> 1n) ^ ((value & 1n) === 1n ? EMPTY : 0n);
  return value;
});

/** CRC-64-AVRO of a schema, in hex as single-object encoding writes its bytes: the least significant one first. */
export function fingerprint(type: AvroType): string {
  let crc = EMPTY;
  for (const byte of Buffer.from(canonicalForm(type))) crc = (crc >> 8n) ^ TABLE[Number((crc ^ BigInt(byte)) & 0xffn)]!;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(crc);
  return bytes.toString("hex");
}

/** What of a schema decides how data is read: without documentation, defaults, aliases and logical types. */
export const canonicalForm = (type: AvroType): string => canonical(type, new Set());

function canonical(type: AvroType, written: Set<NamedType>): string {
  const text = (inner: AvroType): string => canonical(inner, written);
  switch (type.kind) {
    case "union":
      return `[${type.branches.map(text).join(",")}]`;
    case "array":
      return `{"type":"array","items":${text(type.items)}}`;
    case "map":
      return `{"type":"map","values":${text(type.values)}}`;
    case "record":
    case "enum":
    case "fixed":
      if (written.has(type)) return JSON.stringify(type.name);
      written.add(type);
      return `{"name":${JSON.stringify(type.name)},"type":"${type.kind}",${members(type, text)}}`;
    default:
      return JSON.stringify(type.kind);
  }
}

function members(type: NamedType, text: (inner: AvroType) => string): string {
  if (type.kind === "enum") return `"symbols":${JSON.stringify(type.symbols)}`;
  if (type.kind === "fixed") return `"size":${type.size}`;
  const fields = type.fields.map((field) => `{"name":${JSON.stringify(field.name)},"type":${text(field.type)}}`);
  return `"fields":[${fields.join(",")}]`;
}
