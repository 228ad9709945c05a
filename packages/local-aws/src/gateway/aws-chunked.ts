/**
 * The `aws-chunked` content encoding of S3 uploads: chunk sizes in hex, an optional signature per chunk, and trailers.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
import { createHash } from "node:crypto";
import type { SignatureV4 } from "@smithy/signature-v4";
import { AwsError } from "../contracts";

interface ChunkSigning {
  readonly signer: SignatureV4;
  readonly signingDate: Date;
  /** `YYYYMMDDTHHMMSSZ` of the request and, on a line of its own, `YYYYMMDD/region/s3/aws4_request`. */
  readonly scope: string;
  /** Signature of the request's headers: the first link of the chain. */
  readonly seed: string;
}

interface DecodedChunks {
  readonly body: Buffer;
  /** Lower-case names. */
  readonly trailers: Readonly<Record<string, string>>;
}

/** Decodes a chunked body; with `signing`, verifies each chunk's signature. Throws IncompleteBody or SignatureDoesNotMatch. */
export async function decodeAwsChunked(encoded: Buffer, signing: ChunkSigning | undefined): Promise<DecodedChunks> {
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
      // A chunk is signed as an event without headers.
      const chunk = { headers: new Uint8Array(), payload: data };
      const wanted = await signing.signer.sign(chunk, { signingDate: signing.signingDate, priorSignature: previous });
      if (given !== wanted) throw mismatch();
      previous = wanted;
    }
    offset = lineEnd + 2 + length;
    if (length === 0) break;
    if (encoded.toString("latin1", offset, offset + 2) !== "\r\n") throw incomplete("CRLF after chunk data");
    offset += 2;
    chunks.push(data);
  }
  return { body: Buffer.concat(chunks), trailers: await readTrailers(encoded.subarray(offset), signing, previous) };
}

async function readTrailers(rest: Buffer, signing: ChunkSigning | undefined, previous: string): Promise<Record<string, string>> {
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
    const hash = createHash("sha256").update(canonical).digest("hex");
    const text = ["AWS4-HMAC-SHA256-TRAILER", signing.scope, previous, hash].join("\n");
    if (given !== (await signing.signer.sign(text, { signingDate: signing.signingDate }))) throw mismatch();
  }
  return values;
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
