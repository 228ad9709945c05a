import { type JsonInput, parseJsonBytes } from "../shared/json-input";

/** Bytes of one record → value. JSON here; Avro is another function of this type, chosen by the trigger's configuration. */
export type Decoder = (bytes: Uint8Array) => JsonInput;

/** Kinesis takes 1 MiB; a transaction is a few hundred bytes, and every byte is hashed, stored and archived. */
const LIMITS = { maxBytes: 64 * 1024, maxDepth: 16 };

export const decodeJson: Decoder = (bytes) => parseJsonBytes(bytes, LIMITS);

/**
 * Canonical base64 (RFC 4648 §4, padded). `Buffer.from` skips what it does not know, so the way back has to give the same text;
 * both ways together take a fifth of a regular expression's time. Null when it is not base64.
 */
export function decodeBase64(text: unknown): Buffer | null {
  if (typeof text !== "string") return null;
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : null;
}
