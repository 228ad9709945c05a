import { type JsonInput, parseJsonBytes } from "../shared/json-input";

/** Bytes of one record → value. JSON here; Avro is another function of this type, chosen by the trigger's configuration. */
export type Decoder = (bytes: Uint8Array) => JsonInput;

/** Kinesis takes 1 MiB; a transaction is a few hundred bytes, and every byte is hashed, stored and archived. */
const LIMITS = { maxBytes: 64 * 1024, maxDepth: 16 };

export const decodeJson: Decoder = (bytes) => parseJsonBytes(bytes, LIMITS);

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Strict base64 (RFC 4648 §4, padded), because `Buffer.from` skips what it does not know. Null when it is not. */
export function decodeBase64(text: unknown): Buffer | null {
  return typeof text === "string" && text.length % 4 === 0 && BASE64.test(text) ? Buffer.from(text, "base64") : null;
}
