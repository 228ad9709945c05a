import { promisify } from "node:util";
import { gzip, gzipSync } from "node:zlib";

const compress = promisify(gzip);

/**
 * The fastest level: archive lines repeat the same names, so they still shrink to a sixth, and compression is the largest part of a
 * batch's time. zlib writes no time and no name into the header, so the same lines give the same bytes.
 */
const OPTIONS = { level: 1, memLevel: 9, chunkSize: 256 * 1024 };

/** An object without a line, which is shorter than any with lines. */
export const EMPTY_LINES: Uint8Array = gzipSync("");

/** One JSON text per line, gzip. */
export function gzipLines(lines: readonly string[]): Promise<Uint8Array> {
  return compress([...lines, ""].join("\n"), OPTIONS);
}
