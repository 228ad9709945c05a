/** Avro object containers ("Object Container Files" in https://avro.apache.org/docs/1.12.0/specification), as a stream. */
import { AvroBytes } from "./bytes";
import { ChunkReader } from "./chunk-reader";
import { CODEC_NAMES, codecOf, type Unblock } from "./codecs";
import { AvroFault, SchemaFault } from "./fault";
import { type Read, readerOf } from "./read";
import { parseSchema } from "./schema";

export type ContainerItem =
  /** `index` counts the rows of the block, `block` the blocks of the file; both from 0. */
  | { readonly kind: "row"; readonly value: unknown; readonly block: number; readonly index: number }
  /** The rest of the block is lost; reading goes on at the next one. The detail quotes nothing of the data. */
  | { readonly kind: "corrupt"; readonly block: number; readonly detail: string };

/** A file that can't be read at all: it is no container, or its header is damaged. */
export class ContainerError extends Error {
  override readonly name = "ContainerError";
  readonly code = "avro_container";
}

const MAGIC = Buffer.from("Obj\u0001", "latin1");
const SYNC_BYTES = 16;
/** A schema of a megabyte, and some metadata. */
const MAX_HEADER_BYTES = 2 * 1024 * 1024;
const MAX_METADATA = 1_024;
/** Writers begin a new block after 16 KB to some MB. */
const MAX_BLOCK_BYTES = 16 * 1024 * 1024;
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;
/** Two longs. */
const BLOCK_HEADER_BYTES = 20;

export const isContainer = (start: Uint8Array): boolean => MAGIC.every((byte, index) => start[index] === byte);

interface Header {
  readonly read: Read;
  readonly unblock: Unblock;
  readonly sync: Buffer;
}

/**
 * The rows of a container, as JSON has them: numbers that a double doesn't hold exactly are text, logical types what `read.ts` makes of
 * them. At most one block is held, of up to 16 MiB in the file and 64 MiB unpacked. A damaged block is reported, and reading goes on behind the
 * next sync marker.
 * @throws ContainerError when the file isn't a container, or its header can't be read; and what `chunks` throws
 */
export async function* readAvroContainer(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ContainerItem, void> {
  const source = new ChunkReader(chunks);
  try {
    const header = await readHeader(source);
    for (let block = 0; await source.has(1); block++) {
      const taken = await takeBlock(source, header.sync);
      if (taken.ok) yield* rowsOf(taken, header, block);
      else {
        yield { kind: "corrupt", block, detail: taken.detail };
        if (!(await source.skipBehind(header.sync))) return;
      }
    }
  } finally {
    await source.close();
  }
}

async function readHeader(source: ChunkReader): Promise<Header> {
  const start = await source.peek(MAX_HEADER_BYTES);
  if (!isContainer(start)) throw new ContainerError("Expected an Avro object container, got a file that doesn't begin like one.");
  const cursor = new AvroBytes(start, MAGIC.length);
  try {
    const metadata = readMetadata(cursor);
    const sync = Buffer.from(start.subarray(cursor.take(SYNC_BYTES), cursor.position));
    source.drop(cursor.position);
    const codec = metadata.get("avro.codec")?.toString("latin1") ?? "null";
    const unblock = codecOf(codec);
    if (unblock === undefined) {
      throw new ContainerError(`Expected an Avro container with the codec ${CODEC_NAMES.join(", ")}, got another one.`);
    }
    return { read: readerOf(parseSchema(metadata.get("avro.schema")?.toString("utf8") ?? "")), unblock, sync };
  } catch (error) {
    if (!(error instanceof AvroFault || error instanceof SchemaFault)) throw error;
    throw new ContainerError(`Expected an Avro object container, got one with a damaged header. ${error.message}`);
  }
}

function readMetadata(cursor: AvroBytes): Map<string, Buffer> {
  const metadata = new Map<string, Buffer>();
  for (let count = cursor.blockCount(); count > 0; count = cursor.blockCount()) {
    for (let entry = 0; entry < count; entry++) {
      const name = cursor.text();
      const length = cursor.length();
      const start = cursor.take(length);
      metadata.set(name, cursor.buffer.subarray(start, start + length));
      if (metadata.size > MAX_METADATA) throw new AvroFault(`It has more than ${MAX_METADATA} entries.`);
    }
  }
  return metadata;
}

type Block = { readonly ok: true; readonly count: number; readonly data: Buffer };

/** Leaves the source behind the block, or at its beginning when it is damaged. */
async function takeBlock(source: ChunkReader, sync: Buffer): Promise<Block | { readonly ok: false; readonly detail: string }> {
  const cursor = new AvroBytes(await source.peek(BLOCK_HEADER_BYTES));
  let count: number | bigint;
  let size: number | bigint;
  try {
    count = cursor.long();
    size = cursor.long();
  } catch (error) {
    if (!(error instanceof AvroFault)) throw error;
    return { ok: false, detail: "The block's header is damaged." };
  }
  if (typeof count === "bigint" || typeof size === "bigint" || count < 0 || size < 0) {
    return { ok: false, detail: "The block's header is damaged." };
  }
  if (size > MAX_BLOCK_BYTES) return { ok: false, detail: `The block says that it takes more than ${MAX_BLOCK_BYTES} bytes.` };
  const begin = cursor.position;
  const end = begin + size;
  const whole = await source.peek(end + SYNC_BYTES);
  if (whole.length < end + SYNC_BYTES) return { ok: false, detail: "The file ends within the block." };
  if (!whole.subarray(end).equals(sync)) return { ok: false, detail: "The block isn't followed by the file's sync marker." };
  source.drop(whole.length);
  return { ok: true, count, data: whole.subarray(begin, end) };
}

function* rowsOf({ count, data }: Block, { read, unblock }: Header, block: number): Generator<ContainerItem, void> {
  let index = 0;
  try {
    const unpacked = unblock(data, MAX_UNPACKED_BYTES);
    // Rows that take no byte could be as many as the header likes.
    if (count > unpacked.length) throw new AvroFault("It has more rows than bytes.");
    const cursor = new AvroBytes(unpacked);
    for (; index < count; index++) {
      cursor.next();
      const value = read(cursor);
      yield { kind: "row", value, block, index };
    }
    if (cursor.left > 0) throw new AvroFault("It has bytes behind its last row.");
  } catch (error) {
    if (!(error instanceof AvroFault)) throw error;
    yield { kind: "corrupt", block, detail: `The block is damaged behind ${index} of its ${count} rows. ${error.message}` };
  }
}
