/** Streams of bytes: peeking, skipping, gzip. Nothing here holds more than a chunk, and the bytes that were peeked at. */
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { FileError } from "./types";

export type Chunks = AsyncIterable<Uint8Array>;

export interface Peeked {
  /** At most `size` bytes. */
  readonly head: Buffer;
  /** Whether the head is all there is. */
  readonly whole: boolean;
  /** Everything, the head included. To be read once. */
  readonly chunks: AsyncGenerator<Uint8Array>;
}

export async function peek(source: Chunks, size: number): Promise<Peeked> {
  const iterator = source[Symbol.asyncIterator]();
  const taken: Uint8Array[] = [];
  let length = 0;
  let whole = false;
  // One byte more than the head tells whether there is more.
  while (length <= size && !whole) {
    const { done, value } = await iterator.next();
    if (done) whole = true;
    else {
      taken.push(value);
      length += value.length;
    }
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      yield* taken.splice(0);
      for (let next = whole ? null : await iterator.next(); next !== null && !next.done; next = await iterator.next())
        yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  const head = Buffer.concat(taken).subarray(0, size);
  return { head, whole, chunks: all() };
}

export async function* skipBytes(chunks: Chunks, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const chunk of chunks) {
    if (left < chunk.length) yield left === 0 ? chunk : chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/** All members of the gzip file, one after the other (RFC 1952 §2.2). @throws FileError when it is damaged or cut off */
export async function* gunzip(chunks: Chunks): AsyncGenerator<Uint8Array> {
  const plain = createGunzip();
  let failure: unknown = null;
  pipeline(Readable.from(chunks, { objectMode: true }), plain, (error) => {
    failure = error ?? null;
  });
  try {
    yield* plain;
  } catch (error) {
    throw isZlibError(failure ?? error) ? new FileError("The gzip file is damaged or cut off.") : (failure ?? error);
  }
}

function isZlibError(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return code.startsWith("Z_");
}
