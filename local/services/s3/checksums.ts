/** The checksums that S3 verifies: CRC32, CRC32C, CRC64NVME, SHA-1 and SHA-256, in base64 as on the wire. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** Header suffix of each algorithm: `x-amz-checksum-<suffix>`. */
export const CHECKSUMS = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"] as const;
export type ChecksumName = (typeof CHECKSUMS)[number];

export function checksum(name: ChecksumName, data: Buffer): string {
  if (name === "sha1" || name === "sha256") return createHash(name).update(data).digest("base64");
  if (name === "crc64nvme") return crc64nvme(data).toString("base64");
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(name === "crc32" ? crc32(data) : crc32c(data));
  return bytes.toString("base64");
}

/** Castagnoli's polynomial, reflected. */
const CRC32C_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

function crc32c(data: Buffer): number {
  let value = 0xffffffff;
  for (const byte of data) value = (value >>> 8) ^ (CRC32C_TABLE[(value ^ byte) & 255] ?? 0);
  return (value ^ 0xffffffff) >>> 0;
}

/** Reflected polynomial of CRC-64/NVME, in two halves so that no BigInt is needed for every byte. */
const [NVME_HIGH, NVME_LOW] = nvmeTables();

function nvmeTables(): [Uint32Array, Uint32Array] {
  const high = new Uint32Array(256);
  const low = new Uint32Array(256);
  for (let index = 0; index < 256; index += 1) {
    let value = BigInt(index);
    for (let bit = 0; bit < 8; bit += 1) value = value & 1n ? (value >> 1n) ^ 0x9a6c9329ac4bc9b5n : value >> 1n;
    high[index] = Number(value >> 32n);
    low[index] = Number(value & 0xffffffffn);
  }
  return [high, low];
}

function crc64nvme(data: Buffer): Buffer {
  let high = 0xffffffff;
  let low = 0xffffffff;
  for (const byte of data) {
    const index = (low ^ byte) & 255;
    low = ((low >>> 8) | (high << 24)) ^ (NVME_LOW[index] ?? 0);
    high = (high >>> 8) ^ (NVME_HIGH[index] ?? 0);
  }
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE((high ^ 0xffffffff) >>> 0, 0);
  bytes.writeUInt32BE((low ^ 0xffffffff) >>> 0, 4);
  return bytes;
}
