/**
 * The `aws-chunked` content encoding of S3 uploads: chunk sizes in hex, an optional signature a chunk, and trailers.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
import { createHash, createHmac } from "node:crypto";
import { AwsError } from "../contracts";

const EMPTY_SHA256 = createHash("sha256").digest("hex");

export interface ChunkSigning {
  readonly signingKey: Buffer;
  /** `YYYYMMDDTHHMMSSZ` of the request. */
  readonly timestamp: string;
  /** `YYYYMMDD/region/s3/aws4_request`. */
  readonly scope: string;
  /** Signature of the request's headers: the first link of the chain. */
  readonly seed: string;
}

export interface DecodedChunks {
  readonly body: Buffer;
  /** Lower-case names. */
  readonly trailers: Readonly<Record<string, string>>;
}

/** Decodes a chunked body; with `signing`, verifies each chunk's signature. Throws IncompleteBody or SignatureDoesNotMatch. */
export function decodeAwsChunked(encoded: Buffer, signing: ChunkSigning | undefined): DecodedChunks {
  const chunks: Buffer[] = [];
  let offset = 0;
  let previous = signing?.seed ?? "";
  for (;;) {
    const lineEnd = encoded.indexOf("\r\n", offset);
    if (lineEnd < 0) throw incomplete("a chunk header");
    const [size = "", ...extensions] = encoded.toString("latin1", offset, lineEnd).split(";");
    if (!/^[0-9a-f]{1,8}$/i.test(size)) throw incomplete(`a chunk size in hex, got '${size.slice(0, 20)}'`);
    const length = Number.parseInt(size, 16);
    const data = encoded.subarray(lineEnd + 2, lineEnd + 2 + length);
    if (data.length !== length) throw incomplete(`${length} bytes of chunk data`);
    if (signing) {
      const given = extensions.find((part) => part.startsWith("chunk-signature="))?.slice("chunk-signature=".length);
      const wanted = chunkSignature(signing, previous, data);
      if (given !== wanted) throw mismatch();
      previous = wanted;
    }
    offset = lineEnd + 2 + length;
    if (length === 0) break;
    if (encoded.toString("latin1", offset, offset + 2) !== "\r\n") throw incomplete("CRLF after chunk data");
    offset += 2;
    chunks.push(data);
  }
  return { body: Buffer.concat(chunks), trailers: readTrailers(encoded.subarray(offset), signing, previous) };
}

function readTrailers(rest: Buffer, signing: ChunkSigning | undefined, previous: string): Record<string, string> {
  const trailers: Record<string, string> = {};
  for (const line of rest.toString("utf8").split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon > 0) trailers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  const { "x-amz-trailer-signature": given, ...values } = trailers;
  if (signing && Object.keys(values).length > 0) {
    const canonical = Object.entries(values)
      .map(([name, value]) => `${name}:${value}\n`)
      .join("");
    const text = ["AWS4-HMAC-SHA256-TRAILER", signing.timestamp, signing.scope, previous, sha256(canonical)].join("\n");
    if (given !== hmacHex(signing.signingKey, text)) throw mismatch();
  }
  return values;
}

function chunkSignature(signing: ChunkSigning, previous: string, data: Buffer): string {
  const text = ["AWS4-HMAC-SHA256-PAYLOAD", signing.timestamp, signing.scope, previous, EMPTY_SHA256, sha256(data)].join("\n");
  return hmacHex(signing.signingKey, text);
}

function sha256(data: Buffer | string): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmacHex(key: Buffer, text: string): string {
  return createHmac("sha256", key).update(text).digest("hex");
}

function incomplete(expected: string): AwsError {
  return new AwsError("IncompleteBody", `The aws-chunked body is incomplete: expected ${expected}.`, 400);
}

function mismatch(): AwsError {
  return new AwsError(
    "SignatureDoesNotMatch",
    "The signature of a chunk does not match: the body was changed after it was signed, or another secret key was used.",
    403,
  );
}
