/**
 * Verifies AWS Signature Version 4 in the Authorization header and in presigned URLs.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { AwsError, type Principal } from "../contracts";
import { decodeAwsChunked } from "./aws-chunked";

/** What AWS tolerates between the client's clock and its own. */
const MAX_SKEW_MS = 15 * 60 * 1000;
const MAX_PRESIGNED_SECONDS = 7 * 24 * 3600;

export interface KeyRecord {
  readonly secretAccessKey: string;
  /** Present for session credentials: the request must carry the same one. */
  readonly sessionToken: string | undefined;
  readonly principal: Principal;
}

/** Looks up an access key id; `undefined` when unknown. */
export type KeySource = (accessKeyId: string) => KeyRecord | undefined;

/** A request as it came from the socket: the signature covers these exact bytes. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as sent, still percent-encoded. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface VerifiedRequest {
  readonly service: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly principal: Principal;
  /** Without aws-chunked framing. */
  readonly body: Buffer;
  /** Trailers of an aws-chunked body, e.g. `x-amz-checksum-crc32`. */
  readonly trailers: Readonly<Record<string, string>>;
}

interface Claim {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly timestamp: string;
  readonly token: string | undefined;
  /** Seconds; only for presigned URLs. */
  readonly expires: number | undefined;
}

type Failure = "missing" | "malformed" | "unknownKey" | "badToken" | "mismatch" | "skew" | "expired";

const S3_CODES: Readonly<Record<Failure, readonly [string, number]>> = {
  missing: ["AccessDenied", 403],
  malformed: ["AuthorizationHeaderMalformed", 400],
  unknownKey: ["InvalidAccessKeyId", 403],
  badToken: ["InvalidToken", 400],
  mismatch: ["SignatureDoesNotMatch", 403],
  skew: ["RequestTimeTooSkewed", 403],
  expired: ["AccessDenied", 403],
};
const QUERY_CODES: Readonly<Record<Failure, readonly [string, number]>> = {
  missing: ["MissingAuthenticationToken", 403],
  malformed: ["IncompleteSignature", 400],
  unknownKey: ["InvalidClientTokenId", 403],
  badToken: ["InvalidClientTokenId", 403],
  mismatch: ["SignatureDoesNotMatch", 403],
  skew: ["SignatureDoesNotMatch", 403],
  expired: ["RequestExpired", 400],
};
const JSON_CODES: Readonly<Record<Failure, readonly [string, number]>> = {
  missing: ["MissingAuthenticationTokenException", 403],
  malformed: ["IncompleteSignatureException", 403],
  unknownKey: ["UnrecognizedClientException", 403],
  badToken: ["UnrecognizedClientException", 403],
  mismatch: ["InvalidSignatureException", 403],
  skew: ["InvalidSignatureException", 403],
  expired: ["InvalidSignatureException", 403],
};

function failure(kind: Failure, service: string, message: string): AwsError {
  const codes = service === "s3" ? S3_CODES : ["sns", "sts", "iam"].includes(service) ? QUERY_CODES : JSON_CODES;
  const [code, status] = codes[kind];
  return new AwsError(code, message, status);
}

/** The signing name that an unverified request claims; used to answer errors in the right shape. */
export function claimedService(request: SignedRequest): string | undefined {
  const scope = /Credential=[^/\s,]+\/\d{8}\/[^/\s,]*\/([^/\s,]+)\//.exec(request.headers.authorization ?? "");
  if (scope) return scope[1];
  const query = new Map(queryParameters(request.target));
  if (isSignatureVersion2(query)) return "s3";
  return query.get("X-Amz-Credential")?.split("/")[3];
}

/** Only S3 ever had such URLs: `aws s3 presign` makes them unless it is told to use Signature Version 4. */
function isSignatureVersion2(query: ReadonlyMap<string, string>): boolean {
  return query.has("AWSAccessKeyId") && query.has("Signature") && query.has("Expires");
}

/** Verifies a request. Throws {@link AwsError} with the code of the claimed service's protocol. */
export function verifySignature(request: SignedRequest, keys: KeySource, nowMs: number): VerifiedRequest {
  const service = claimedService(request) ?? "";
  const presigned = queryParameters(request.target).some(([name]) => name === "X-Amz-Signature");
  const claim = presigned ? presignedClaim(request, service) : headerClaim(request, service);
  const key = keys(claim.accessKeyId);
  if (key === undefined)
    throw failure(
      "unknownKey",
      service,
      `The access key id ${claim.accessKeyId} is not known to this endpoint. Use the pair in .local/outputs.json.`,
    );
  checkTime(claim, nowMs);
  const signingKey = deriveKey(key.secretAccessKey, claim);
  const scope = `${claim.date}/${claim.region}/${claim.service}/aws4_request`;
  const payloadHash = payloadHashOf(request, claim, presigned);
  const canonical = canonicalRequest(request, claim, payloadHash, presigned);
  const text = ["AWS4-HMAC-SHA256", claim.timestamp, scope, sha256(canonical)].join("\n");
  const wanted = createHmac("sha256", signingKey).update(text).digest();
  const given = Buffer.from(claim.signature, "hex");
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw failure(
      "mismatch",
      service,
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. " +
        `The canonical request should have been:\n${canonical}`,
    );
  }
  if (key.sessionToken !== claim.token)
    throw failure(
      "badToken",
      service,
      "The security token included in the request is invalid: it must be the one issued with the access key.",
    );
  const base = { service: claim.service, region: claim.region, accessKeyId: claim.accessKeyId, principal: key.principal };
  if (!payloadHash.startsWith("STREAMING-")) return { ...base, body: request.body, trailers: {} };
  const signed = payloadHash.startsWith("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
  const chunks = decodeAwsChunked(
    request.body,
    signed ? { signingKey, timestamp: claim.timestamp, scope, seed: claim.signature } : undefined,
  );
  return { ...base, body: chunks.body, trailers: chunks.trailers };
}

function headerClaim(request: SignedRequest, service: string): Claim {
  const header = request.headers.authorization;
  if (isSignatureVersion2(new Map(queryParameters(request.target)))) {
    throw new AwsError(
      "InvalidRequest",
      "Please use AWS4-HMAC-SHA256: URLs of Signature Version 2 are not supported. For the AWS CLI: aws configure set default.s3.signature_version s3v4",
      400,
    );
  }
  if (header === undefined)
    throw failure("missing", service, "Missing Authentication Token: the request is not signed (AWS Signature Version 4).");
  const fields = /^AWS4-HMAC-SHA256\s+Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/.exec(
    header.trim(),
  );
  if (!fields)
    throw failure(
      "malformed",
      service,
      "The Authorization header must be 'AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…'.",
    );
  const [, credential = "", signedHeaders = "", signature = ""] = fields;
  const date = request.headers["x-amz-date"];
  const timestamp = date ?? isoBasic(Date.parse(request.headers.date ?? ""));
  return {
    ...scopeOf(credential, service),
    signedHeaders: signedHeaders.split(";"),
    signature,
    timestamp,
    token: request.headers["x-amz-security-token"],
    expires: undefined,
  };
}

function presignedClaim(request: SignedRequest, service: string): Claim {
  const query = new Map(queryParameters(request.target));
  const expires = Number(query.get("X-Amz-Expires"));
  if (query.get("X-Amz-Algorithm") !== "AWS4-HMAC-SHA256")
    throw failure("malformed", service, "X-Amz-Algorithm must be AWS4-HMAC-SHA256.");
  if (!Number.isInteger(expires) || expires < 1 || expires > MAX_PRESIGNED_SECONDS)
    throw failure("malformed", service, `X-Amz-Expires must be a number of seconds from 1 to ${MAX_PRESIGNED_SECONDS}.`);
  return {
    ...scopeOf(query.get("X-Amz-Credential") ?? "", service),
    signedHeaders: (query.get("X-Amz-SignedHeaders") ?? "").split(";"),
    signature: query.get("X-Amz-Signature") ?? "",
    timestamp: query.get("X-Amz-Date") ?? "",
    token: query.get("X-Amz-Security-Token"),
    expires,
  };
}

function scopeOf(credential: string, service: string): Pick<Claim, "accessKeyId" | "date" | "region" | "service"> {
  const parts = credential.split("/");
  const [accessKeyId = "", date = "", region = "", claimed = "", terminator = ""] = parts;
  if (parts.length !== 5 || terminator !== "aws4_request")
    throw failure("malformed", service, `Credential must be keyid/date/region/service/aws4_request, got '${credential}'.`);
  return { accessKeyId, date, region, service: claimed };
}

function checkTime(claim: Claim, nowMs: number): void {
  const fields = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(claim.timestamp);
  if (!fields || !claim.timestamp.startsWith(claim.date))
    throw failure(
      "malformed",
      claim.service,
      `X-Amz-Date must be YYYYMMDD'T'HHMMSS'Z' on the date of the credential scope, got '${claim.timestamp}'.`,
    );
  const [, year, month, day, hour, minute, second] = fields.map(Number);
  const signedAt = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
  if (claim.expires !== undefined) {
    if (nowMs > signedAt + claim.expires * 1000) throw failure("expired", claim.service, "Request has expired: sign a new URL.");
    if (signedAt > nowMs + MAX_SKEW_MS)
      throw failure("skew", claim.service, "The URL is not valid yet: check the clock that signed it.");
    return;
  }
  if (Math.abs(nowMs - signedAt) > MAX_SKEW_MS) {
    throw failure(
      "skew",
      claim.service,
      `Signature expired: ${claim.timestamp} is more than 15 minutes away from ${isoBasic(nowMs)}. Check the client's clock.`,
    );
  }
}

function isoBasic(ms: number): string {
  return Number.isNaN(ms) ? "" : new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, "");
}

function payloadHashOf(request: SignedRequest, claim: Claim, presigned: boolean): string {
  const declared = request.headers["x-amz-content-sha256"];
  if (presigned) return declared ?? (claim.service === "s3" ? "UNSIGNED-PAYLOAD" : sha256(request.body));
  if (declared === undefined) {
    if (claim.service === "s3")
      throw new AwsError("InvalidRequest", "Missing required header for this request: x-amz-content-sha256", 400);
    return sha256(request.body);
  }
  if (declared === "UNSIGNED-PAYLOAD") return declared;
  if (declared.startsWith("STREAMING-")) {
    const known = [
      "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
      "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    ];
    if (!known.includes(declared))
      throw new AwsError(
        "NotImplemented",
        `x-amz-content-sha256: ${declared} is not supported; use one of ${known.join(", ")}.`,
        501,
      );
    return declared;
  }
  if (declared !== sha256(request.body)) {
    if (claim.service === "s3")
      throw new AwsError(
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
        400,
      );
    throw failure("mismatch", claim.service, "The x-amz-content-sha256 header does not match the request body.");
  }
  return declared;
}

function canonicalRequest(request: SignedRequest, claim: Claim, payloadHash: string, presigned: boolean): string {
  const queryStart = request.target.indexOf("?");
  const path = queryStart < 0 ? request.target : request.target.slice(0, queryStart);
  const query = queryParameters(request.target)
    .filter(([name]) => !(presigned && name === "X-Amz-Signature"))
    .map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
    .sort(([a, x], [b, y]) => (a === b ? compare(x, y) : compare(a, b)))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
  const headers = claim.signedHeaders.map((name) => {
    // Over HTTP/2 the SDKs sign the pseudo-header that took the place of Host.
    const value = request.headers[name === ":authority" ? "host" : name];
    if (value === undefined) throw failure("mismatch", claim.service, `The signed header '${name}' is missing from the request.`);
    return `${name}:${value.trim().replace(/ +/g, " ")}\n`;
  });
  if (!claim.signedHeaders.includes("host") && !claim.signedHeaders.includes(":authority"))
    throw failure("malformed", claim.service, "'Host' must be a 'SignedHeader' in the AWS Authorization.");
  return [
    request.method,
    canonicalPath(path, claim.service),
    query,
    headers.join(""),
    claim.signedHeaders.join(";"),
    payloadHash,
  ].join("\n");
}

/** S3 signs the path encoded once and never normalised; every other service signs it normalised and encoded twice. */
function canonicalPath(path: string, service: string): string {
  if (service === "s3")
    return path
      .split("/")
      .map((part) => uriEncode(safeDecode(part)))
      .join("/");
  const kept: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") kept.pop();
    else if (part !== "" && part !== ".") kept.push(part);
  }
  const trailing = path.endsWith("/") && kept.length > 0 ? "/" : "";
  return `/${kept.map(uriEncode).join("/")}${trailing}`;
}

function queryParameters(target: string): [string, string][] {
  const start = target.indexOf("?");
  if (start < 0) return [];
  return target
    .slice(start + 1)
    .split("&")
    .filter((part) => part !== "")
    .map((part) => {
      const equals = part.indexOf("=");
      return equals < 0 ? [safeDecode(part), ""] : [safeDecode(part.slice(0, equals)), safeDecode(part.slice(equals + 1))];
    });
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AwsError("InvalidURI", `Couldn't parse the specified URI: '${text}' is not valid percent-encoding.`, 400);
  }
}

function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function deriveKey(secret: string, claim: Claim): Buffer {
  const hmac = (key: Buffer | string, text: string): Buffer => createHmac("sha256", key).update(text).digest();
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, claim.date), claim.region), claim.service), "aws4_request");
}

function sha256(data: Buffer | string): string {
  return createHash("sha256").update(data).digest("hex");
}
