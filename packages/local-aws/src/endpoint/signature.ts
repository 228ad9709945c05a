/**
 * The signature of a request, computed as "Create a signed AWS API request" says. The SDK's signer makes it for clients; an endpoint verifies
 * several for each record, and deriving the day's key anew takes most of the signer's time.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { type Claim, queryParameters, safeDecode } from "./signature-claim";

/** Days, regions and services of the access keys in use. */
const MAX_KEYS = 1000;
const signingKeys = new Map<string, KeyObject>();

export interface CanonicalParts {
  readonly method: string;
  readonly target: string;
  /** Each signed header with its value. */
  readonly headers: Readonly<Record<string, string>>;
  readonly payloadHash: string;
}

export function signatureOf(claim: Claim, secretAccessKey: string, parts: CanonicalParts): string {
  const scope = `${claim.date}/${claim.region}/${claim.service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", claim.timestamp, scope, sha256(canonicalRequest(claim.service, parts))].join("\n");
  return createHmac("sha256", signingKey(claim, secretAccessKey)).update(toSign).digest("hex");
}

export function sha256(data: Buffer | string): string {
  return createHash("sha256").update(data).digest("hex");
}

function canonicalRequest(service: string, { method, target, headers, payloadHash }: CanonicalParts): string {
  const names = Object.keys(headers).sort();
  return [
    method,
    canonicalPath(target, service),
    canonicalQuery(target),
    ...names.map((name) => `${name}:${(headers[name] ?? "").trim().replace(/\s+/g, " ")}`),
    "",
    names.join(";"),
    payloadHash,
  ].join("\n");
}

/** S3's path is encoded as AWS encodes it, however the client wrote it; every other service's is normalised and encoded once more. */
function canonicalPath(target: string, service: string): string {
  const path = target.split("?", 1)[0] ?? "";
  const parts = path.split("/");
  if (service === "s3") return parts.map((part) => uriEncode(safeDecode(part))).join("/");
  const kept: string[] = [];
  for (const part of parts) {
    if (part === "..") kept.pop();
    else if (part !== "" && part !== ".") kept.push(uriEncode(part));
  }
  return kept.length === 0 ? "/" : `/${kept.join("/")}${path.endsWith("/") ? "/" : ""}`;
}

function canonicalQuery(target: string): string {
  return queryParameters(target)
    .map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
    .sort(([name, value], [otherName, otherValue]) => compare(name, otherName) || compare(value, otherValue))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function signingKey({ date, region, service }: Claim, secretAccessKey: string): KeyObject {
  const scope = [secretAccessKey, date, region, service].join("\n");
  const known = signingKeys.get(scope);
  if (known !== undefined) return known;
  const derived = [date, region, service, "aws4_request"].reduce<Buffer>(
    (key, part) => createHmac("sha256", key).update(part).digest(),
    Buffer.from(`AWS4${secretAccessKey}`),
  );
  const key = createSecretKey(derived);
  if (signingKeys.size === MAX_KEYS) signingKeys.clear();
  signingKeys.set(scope, key);
  return key;
}
