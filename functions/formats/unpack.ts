/** Compressed payloads, by their first bytes: gzip (RFC 1952, also of several members) and Zstandard (RFC 8878). */
import { gunzipSync } from "node:zlib";
import { unpackZstandard } from "./zstandard";

export interface UnpackProblem {
  readonly reason: "unpacked_too_large" | "compressed_corrupt" | "compressed_twice";
  readonly detail: string;
}

export type Unpacked =
  | { readonly kind: "plain" | "unpacked"; readonly bytes: Uint8Array }
  | ({ readonly kind: "refused" } & UnpackProblem);

export const tooLarge = (maxBytes: number): UnpackProblem => ({
  reason: "unpacked_too_large",
  detail: `Expected at most ${maxBytes} bytes after decompression, got more.`,
});

export const damaged = (format: string): UnpackProblem => ({
  reason: "compressed_corrupt",
  detail: `Expected ${format}, got data that is damaged or incomplete.`,
});

const GZIP = [0x1f, 0x8b] as const;
const ZSTANDARD = [0x28, 0xb5, 0x2f, 0xfd] as const;

const startsWith = (bytes: Uint8Array, magic: readonly number[]): boolean => magic.every((byte, index) => bytes[index] === byte);

export const isCompressed = (bytes: Uint8Array): boolean => startsWith(bytes, GZIP) || startsWith(bytes, ZSTANDARD);

/**
 * Takes off one layer of compression; never throws. Neither format begins like JSON or Avro, so plain bytes pass unchanged.
 * @param maxBytes of the result: decompression stops there, however small a bomb is and however much is inside
 */
export function unpack(bytes: Uint8Array, maxBytes: number): Unpacked {
  if (!isCompressed(bytes)) return { kind: "plain", bytes };
  let unpacked: Uint8Array;
  try {
    unpacked = startsWith(bytes, GZIP) ? gunzipSync(bytes, { maxOutputLength: maxBytes }) : unpackZstandard(bytes, maxBytes);
  } catch (error) {
    return { kind: "refused", ...(error instanceof RangeError ? tooLarge(maxBytes) : damaged("gzip or Zstandard")) };
  }
  if (!isCompressed(unpacked)) return { kind: "unpacked", bytes: unpacked };
  return { kind: "refused", reason: "compressed_twice", detail: "Expected one layer of compression, got two." };
}
