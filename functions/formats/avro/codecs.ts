/** How the blocks of an object container are compressed. */
import { crc32, inflateRawSync } from "node:zlib";
import { unpackZstandard } from "../zstandard";
import { AvroFault } from "./fault";
import { unsnap } from "./snappy";

/** @throws AvroFault */
export type Unblock = (block: Buffer, maxBytes: number) => Buffer;

const CRC_BYTES = 4;

const CODECS: Readonly<Record<string, Unblock>> = {
  null: (block) => block,
  deflate: (block, maxOutputLength) => inflated(() => inflateRawSync(block, { maxOutputLength }), maxOutputLength),
  zstandard: (block, maxOutputLength) => inflated(() => unpackZstandard(block, maxOutputLength), maxOutputLength),
  snappy: unsnapChecked,
};

export const CODEC_NAMES: readonly string[] = Object.keys(CODECS);

export const codecOf = (name: string): Unblock | undefined => (Object.hasOwn(CODECS, name) ? CODECS[name] : undefined);

function inflated(run: () => Buffer, maxBytes: number): Buffer {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError) throw new AvroFault(`A block holds more than ${maxBytes} bytes.`);
    throw new AvroFault("A block's compressed data is damaged.");
  }
}

/** Snappy's blocks end with the CRC-32 of what they hold. */
function unsnapChecked(block: Buffer, maxBytes: number): Buffer {
  if (block.length < CRC_BYTES) throw new AvroFault("A block's Snappy data is damaged.");
  const data = unsnap(block.subarray(0, -CRC_BYTES), maxBytes);
  if (crc32(data) !== block.readUInt32BE(block.length - CRC_BYTES)) throw new AvroFault("A block's checksum doesn't match.");
  return data;
}
