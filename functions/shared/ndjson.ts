import { constants, gunzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** The suffix of an object names how it is compressed. Objects of earlier versions are gzip; the warehouse still loads them. */
export const NDJSON = ".ndjson.zst";
const EARLIER_NDJSON = ".ndjson.gz";

/** All suffixes that an object with lines may have. */
export const NDJSON_SUFFIXES = [NDJSON, EARLIER_NDJSON] as const;

/** The compression of an object's lines, as COPY names it. */
export type Compression = "ZSTD" | "GZIP";

export const compressionOf = (key: string): Compression => (key.endsWith(EARLIER_NDJSON) ? "GZIP" : "ZSTD");

/**
 * Level 1: archive lines repeat the same names, so they shrink to an eighth, in less than half of the time in which gzip's fastest level
 * shrinks them to a sixth. A frame holds no time and no name, so the same lines give the same bytes.
 */
const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 }, chunkSize: 256 * 1024 };

/**
 * An object without a line, which is shorter than any with lines: the Zstandard frame of no bytes. Written out, because Pulumi loads this
 * module too, under any Node from 20 on, which has no Zstandard before 22.15.
 */
export const EMPTY_LINES: Uint8Array = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x00, 0x01, 0x00, 0x00);

/** One JSON text per line, compressed. Synchronous: the thread pool's stream costs half as much again, and nothing else waits for the thread. */
export function packLines(lines: readonly string[]): Uint8Array {
  return zstdCompressSync([...lines, ""].join("\n"), OPTIONS);
}

/** The lines of an object. */
export function unpackLines(key: string, bytes: Uint8Array): string[] {
  const text = (compressionOf(key) === "GZIP" ? gunzipSync(bytes) : zstdDecompressSync(bytes)).toString("utf8");
  return text.split("\n").filter((line) => line !== "");
}
