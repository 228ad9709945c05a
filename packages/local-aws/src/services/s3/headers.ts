/** Headers of S3 uploads and downloads: what an object keeps, what is refused, ranges and preconditions. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { AwsError, type AwsRequest } from "../../contracts";
import { crc64nvme } from "./crc64nvme";
import { type BucketConfig, type StoredObject, sameEtag, type WriteCondition } from "./store";

type Headers = Readonly<Record<string, string>>;

const KEPT = [
  "content-type",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
  "x-amz-storage-class",
];
/** Known and without effect on what is stored. */
const ACCEPTED =
  /^x-amz-(content-sha256|date|security-token|user-agent|sdk-checksum-algorithm|checksum-(algorithm|type|mode|crc32|crc64nvme)|meta-.+|storage-class|server-side-encryption|server-side-encryption-aws-kms-key-id|server-side-encryption-bucket-key-enabled|decoded-content-length|trailer|expected-bucket-owner|mp-object-size|acl|te)$/;

/** Refuses headers whose meaning would be dropped (SSE-C, object lock, tagging, ACLs …). */
export function refuseUnknownHeaders(headers: Headers): void {
  const unknown = Object.keys(headers).filter((name) => name.startsWith("x-amz-") && !ACCEPTED.test(name));
  if (unknown.length > 0)
    throw new AwsError(
      "NotImplemented",
      `s3: the header(s) ${unknown.join(", ")} imply functionality that the local endpoint does not have.`,
      501,
    );
  const acl = headers["x-amz-acl"];
  if (acl !== undefined && acl !== "bucket-owner-full-control" && acl !== "private")
    throw new AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs", 400);
}

/** What an upload leaves on the object; verifies Content-MD5 and checksum. */
export function uploadHeaders(headers: Headers, data: Buffer, bucket: BucketConfig): Record<string, string> {
  refuseUnknownHeaders(headers);
  const md5 = headers["content-md5"];
  if (md5 !== undefined && md5 !== createHash("md5").update(data).digest("base64"))
    throw new AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.");
  return { ...describedHeaders(headers, bucket), ...verifiedChecksum(headers, data) };
}

/** Content headers, user metadata and encryption; for uploads whose bytes come later. */
export function describedHeaders(headers: Headers, bucket: BucketConfig): Record<string, string> {
  const kept: Record<string, string> = { "content-type": "binary/octet-stream" };
  let metadata = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (KEPT.includes(name)) kept[name] = value;
    if (!name.startsWith("x-amz-meta-")) continue;
    kept[name] = value;
    metadata += Buffer.byteLength(name.slice("x-amz-meta-".length)) + Buffer.byteLength(value);
  }
  if (metadata > 2048)
    throw new AwsError("MetadataTooLarge", `Your metadata headers have ${metadata} bytes; the maximum is 2048.`);
  return { ...kept, ...encryptionHeaders(headers, bucket) };
}

function encryptionHeaders(headers: Headers, bucket: BucketConfig): Record<string, string> {
  const algorithm = headers["x-amz-server-side-encryption"] ?? bucket.encryption?.algorithm ?? "AES256";
  if (!["AES256", "aws:kms", "aws:kms:dsse"].includes(algorithm))
    throw new AwsError(
      "InvalidArgument",
      `x-amz-server-side-encryption must be AES256, aws:kms or aws:kms:dsse, got '${algorithm}'.`,
    );
  const keyId = headers["x-amz-server-side-encryption-aws-kms-key-id"] ?? bucket.encryption?.keyId;
  const kept: Record<string, string> = { "x-amz-server-side-encryption": algorithm };
  if (algorithm !== "AES256" && keyId !== undefined) kept["x-amz-server-side-encryption-aws-kms-key-id"] = keyId;
  return kept;
}

/** The checksum of the SDKs and the CLI, compared with the bytes if the client sent it. */
export function verifiedChecksum(headers: Headers, data: Buffer): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, checksum] of Object.entries(CHECKSUMS)) {
    const header = `x-amz-checksum-${name.toLowerCase()}`;
    const sent = headers[header];
    if (sent === undefined) continue;
    if (sent !== checksum(data).toString("base64"))
      throw new AwsError("BadDigest", `The ${name} you specified did not match the calculated checksum.`);
    kept[header] = sent;
  }
  return kept;
}

/** CRC64NVME is what the CLI computes by default, CRC32 the SDKs ("Checking object integrity", S3 user guide). */
const CHECKSUMS: Readonly<Record<string, (data: Buffer) => Buffer>> = {
  CRC32: (data) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(crc32(data));
    return bytes;
  },
  CRC64NVME: crc64nvme,
};

/** Headers of the answer to a write. */
export function writeHeaders({ headers, etag, versionId }: StoredObject): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => /^x-amz-(checksum|server-side)/.test(name));
  return { ...Object.fromEntries(kept), etag, ...(versionId === "null" ? {} : { "x-amz-version-id": versionId }) };
}

export function conditionOf({ headers }: AwsRequest): WriteCondition {
  return { ifNoneMatch: headers["if-none-match"], ifMatch: headers["if-match"] };
}

/** Headers of a download. `checksums` adds those that the client asked for. */
export function objectHeaders(object: StoredObject, versioned: boolean, checksums: boolean): Record<string, string> {
  const shown = Object.entries(object.headers).filter(([name]) => checksums || !name.startsWith("x-amz-checksum-"));
  const headers: Record<string, string> = {
    ...Object.fromEntries(shown),
    etag: object.etag,
    "last-modified": new Date(object.modifiedAt).toUTCString(),
    "accept-ranges": "bytes",
  };
  if (versioned) headers["x-amz-version-id"] = object.versionId;
  return headers;
}

/** 304 when the client's copy is current; throws PreconditionFailed when its condition does not hold. */
export function notModified(headers: Headers, object: StoredObject): boolean {
  const seconds = Math.floor(object.modifiedAt / 1000) * 1000;
  const { "if-match": match, "if-none-match": noneMatch, "if-modified-since": since, "if-unmodified-since": until } = headers;
  const failed = (name: string): AwsError =>
    new AwsError("PreconditionFailed", `At least one of the pre-conditions you specified did not hold: ${name}`, 412);
  if (match !== undefined && !sameEtag(match, object.etag)) throw failed("If-Match");
  if (match === undefined && until !== undefined && seconds > Date.parse(until)) throw failed("If-Unmodified-Since");
  if (noneMatch !== undefined) return sameEtag(noneMatch, object.etag);
  return since !== undefined && seconds <= Date.parse(since);
}

/** First and last byte of a `Range` header; `undefined` when it is absent or malformed (S3 then sends everything). */
export function rangeOf(header: string | undefined, size: number): { readonly first: number; readonly last: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const suffix = match[1] === "";
  const first = suffix ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const last = suffix || match[2] === "" ? size - 1 : Math.min(size - 1, Number(match[2]));
  if (first >= size || (suffix && Number(match[2]) === 0))
    throw new AwsError("InvalidRange", `The requested range '${header}' is not satisfiable: the object has ${size} bytes.`, 416);
  return last < first ? undefined : { first, last };
}
