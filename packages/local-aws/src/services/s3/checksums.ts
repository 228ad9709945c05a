/** The checksums that S3 verifies, in base64 as on the wire. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { Crc32c, Crc64Nvme } from "@aws-sdk/checksums/crc";

/** Header suffix of each algorithm: `x-amz-checksum-<suffix>`. */
export const CHECKSUMS = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"] as const;
export type ChecksumName = (typeof CHECKSUMS)[number];

export async function checksum(name: ChecksumName, data: Buffer): Promise<string> {
  if (name === "sha1" || name === "sha256") return createHash(name).update(data).digest("base64");
  if (name === "crc32") {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(crc32(data));
    return bytes.toString("base64");
  }
  const hash = name === "crc32c" ? new Crc32c() : new Crc64Nvme();
  hash.update(data);
  return Buffer.from(await hash.digest()).toString("base64");
}
