/** Aggregates as the Kinesis Producer Library makes them. */
import { createHash } from "node:crypto";

const MAGIC = Buffer.from([0xf3, 0x89, 0x9a, 0xc2]);

const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return Buffer.from([...bytes, left]);
};
export const field = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
export const record = (keyIndex: number, data: Uint8Array): Buffer =>
  field(3, Buffer.concat([varint(8), varint(keyIndex), field(3, data)]));
/** A message with the magic number before it and its checksum behind it. */
export const sealed = (message: Buffer): Buffer => Buffer.concat([MAGIC, message, createHash("md5").update(message).digest()]);

/** Records of one partition key. */
export const aggregateOf = (key: string, records: readonly Uint8Array[]): Buffer =>
  sealed(Buffer.concat([field(1, Buffer.from(key)), ...records.map((data) => record(0, data))]));
