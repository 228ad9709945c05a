import { zstdDecompressSync } from "node:zlib";
import { isObject } from "../scoring/core/json";

/**
 * All frames of a Zstandard payload. Node by itself stops behind the first one without a word, and drops the others
 * (https://github.com/nodejs/node/issues/64741).
 * @throws RangeError beyond `maxBytes`; Error for damaged data, and bytes behind the last frame that begin no other
 */
export function unpackZstandard(bytes: Uint8Array, maxBytes: number): Buffer {
  const frames: Buffer[] = [];
  let position = 0;
  let left = maxBytes;
  do {
    // The function is read here and not imported for good: Pulumi loads this module too, under any Node from 20 on, which has none before 22.15.
    const { buffer, taken } = oneFrame(zstdDecompressSync(bytes.subarray(position), { info: true, maxOutputLength: left }));
    frames.push(buffer);
    position += taken;
    left -= buffer.length;
    if (left === 0 && position < bytes.length) throw new RangeError("More than the limit.");
  } while (position < bytes.length);
  return frames.length === 1 ? frames[0]! : Buffer.concat(frames);
}

/** With `info`, the result also holds the engine, whose `bytesWritten` is what it took; the declared type leaves this out. */
function oneFrame(result: unknown): { readonly buffer: Buffer; readonly taken: number } {
  const { buffer, engine } = isObject(result) ? result : {};
  const taken = typeof engine === "object" && engine !== null && "bytesWritten" in engine ? engine.bytesWritten : 0;
  if (!Buffer.isBuffer(buffer) || typeof taken !== "number" || taken === 0) throw new Error("Zstandard gave no frame.");
  return { buffer, taken };
}
