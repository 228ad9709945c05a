import { type JsonInput, parseJsonBytes } from "../shared/json-input";

export type Decoded = JsonInput | { readonly ok: false; readonly reason: "compressed" | "aggregated" };

/** Decodes the bytes of one record. JSON here; Avro would be another function of this type, chosen by the trigger's configuration. */
export type Decoder = (bytes: Uint8Array) => Decoded;

/** Kinesis takes 1 MiB; a transaction has a few hundred bytes, and every byte is hashed, stored and archived. */
export const RECORD_LIMITS = { maxBytes: 64 * 1024, maxDepth: 16 };

/** What producers put around JSON, by its first bytes. None of them is UTF-8. */
const WRAPPED = [
  { reason: "compressed", bytes: [0x1f, 0x8b] }, // gzip
  { reason: "compressed", bytes: [0x28, 0xb5, 0x2f, 0xfd] }, // Zstandard
  // https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md
  { reason: "aggregated", bytes: [0xf3, 0x89, 0x9a, 0xc2] },
] as const;

export const decodeJson: Decoder = (bytes) => {
  const read = parseJsonBytes(bytes, RECORD_LIMITS);
  if (read.ok || (read.reason !== "not_utf8" && read.reason !== "too_large")) return read;
  const wrapped = WRAPPED.find((known) => known.bytes.every((byte, index) => bytes[index] === byte));
  return wrapped === undefined ? read : { ok: false, reason: wrapped.reason };
};

/**
 * Canonical base64 (RFC 4648 §4, padded); null for anything else. `Buffer.from` skips unknown characters, so encoding the result must
 * give the same text; both together take a fifth of the time of a regular expression.
 */
export function decodeBase64(text: unknown): Buffer | null {
  if (typeof text !== "string") return null;
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : null;
}
