/** Which encoding a text has, by its first bytes. */
import { isAscii } from "node:buffer";
import type { Chunks } from "./bytes";
import type { Encoding } from "./types";

export interface DetectedEncoding {
  readonly encoding: Encoding;
  readonly bomBytes: number;
}

/** In text of a Western script every second byte of UTF-16 is 0; other encodings have none. */
const ZEROS_OF_UTF16 = 0.3;

/** @param whole whether the head is the whole file: else its last character may be cut */
export function detectEncoding(head: Uint8Array, whole: boolean): DetectedEncoding {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { encoding: "utf-8", bomBytes: 3 };
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: "utf-16le", bomBytes: 0 };
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: "utf-16be", bomBytes: 0 };
  const [even, odd] = zeroShares(head);
  if (odd >= ZEROS_OF_UTF16 && odd > even) return { encoding: "utf-16le", bomBytes: 0 };
  if (even >= ZEROS_OF_UTF16) return { encoding: "utf-16be", bomBytes: 0 };
  return { encoding: isUtf8(head, whole) ? "utf-8" : "windows-1252", bomBytes: 0 };
}

function zeroShares(head: Uint8Array): readonly [even: number, odd: number] {
  const zeros = [0, 0];
  for (let i = 0; i < head.length; i++) if (head[i] === 0) zeros[i % 2] = (zeros[i % 2] ?? 0) + 1;
  const half = Math.max(1, Math.floor(head.length / 2));
  return [(zeros[0] ?? 0) / half, (zeros[1] ?? 0) / half];
}

function isUtf8(head: Uint8Array, whole: boolean): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: !whole });
    return true;
  } catch {
    return false;
  }
}

export const isUtf16 = (encoding: Encoding): boolean => encoding.startsWith("utf-16");

/** UTF-16 as UTF-8 without a byte order mark, so that the readers see line breaks and delimiters as single bytes. */
export async function* utf16ToUtf8(chunks: Chunks, encoding: Encoding): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder(encoding);
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true });
    if (text !== "") yield Buffer.from(text, "utf8");
  }
  const rest = decoder.decode();
  if (rest !== "") yield Buffer.from(rest, "utf8");
}

/** A decoder of whole records; it answers null for bytes that aren't of the encoding. */
export function textDecoder(encoding: Encoding): (bytes: Uint8Array) => string | null {
  if (encoding === "windows-1252") {
    const decoder = new TextDecoder("windows-1252");
    return (bytes) => decoder.decode(bytes);
  }
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return (bytes) => {
    // Nearly every record is ASCII, which needs no decoding.
    if (isAscii(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    try {
      return decoder.decode(bytes);
    } catch {
      return null;
    }
  };
}
