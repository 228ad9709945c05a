/**
 * Verifies AWS Signature Version 4 in the Authorization header: the request is signed again with the secret key of the claimed access
 * key, and must come out the same.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { AwsError, type Principal } from "../contracts";
import { sha256, signatureOf } from "./signature";
import { type Claim, claimedService, claimOf, failure, type SignedRequest } from "./signature-claim";

/** How far AWS lets the client's clock differ from its own. */
const MAX_SKEW_MS = 15 * 60 * 1000;

export interface KeyRecord {
  readonly secretAccessKey: string;
  /** Present for session credentials: the request must carry the same one. */
  readonly sessionToken: string | undefined;
  readonly principal: Principal;
}

/** Looks up an access key id; `undefined` when unknown. */
export type KeySource = (accessKeyId: string) => KeyRecord | undefined;

export interface VerifiedRequest {
  readonly service: string;
  readonly region: string;
  readonly principal: Principal;
}

/** Verifies a request to an endpoint of `region`. Throws {@link AwsError} with the code of the claimed service's protocol. */
export async function verifySignature(
  request: SignedRequest,
  region: string,
  keys: KeySource,
  nowMs: number,
): Promise<VerifiedRequest> {
  const service = claimedService(request) ?? "";
  const claim = claimOf(request, service);
  checkRegion(claim, region);
  checkSignedHeaders(request, claim);
  const key = keys(claim.accessKeyId);
  if (key === undefined)
    throw failure(
      "unknownKey",
      service,
      `The access key id ${claim.accessKeyId} is not known to this endpoint. Use the pair in .local/outputs.json.`,
    );
  checkTime(claim, nowMs);
  const { method, target } = request;
  const payloadHash = payloadHashOf(request, claim);
  const parts = { method, target, headers: signedHeadersOf(request, claim), payloadHash };
  if (signatureOf(claim, key.secretAccessKey, parts) !== claim.signature)
    throw failure(
      "mismatch",
      service,
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
    );
  if (key.sessionToken !== claim.token)
    throw failure(
      "badToken",
      service,
      "The security token included in the request is invalid: it must be the one issued with the access key.",
    );
  return { service: claim.service, region: claim.region, principal: key.principal };
}

/** Services with one endpoint for all regions, which signs for us-east-1. */
const GLOBAL_SERVICES = ["iam", "sts"];

function checkRegion(claim: Claim, region: string): void {
  if (claim.region === region || (claim.region === "us-east-1" && GLOBAL_SERVICES.includes(claim.service))) return;
  const wrong = `the region '${claim.region}' is wrong; expecting '${region}'`;
  if (claim.service === "s3") throw failure("malformed", "s3", `The authorization header is malformed; ${wrong}`);
  throw failure("mismatch", claim.service, `Credential should be scoped to a valid region: ${wrong}.`);
}

/**
 * Whatever decides what a request does has to be signed, or others could change it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#create-canonical-request
 */
function checkSignedHeaders({ headers }: SignedRequest, { signedHeaders, service }: Claim): void {
  const unsigned = Object.keys(headers).filter((name) => name.startsWith("x-amz-") && !signedHeaders.includes(name));
  if (unsigned.length === 0) return;
  if (service === "s3")
    throw new AwsError(
      "AccessDenied",
      `There were headers present in the request which were not signed: ${unsigned.join(", ")}`,
      403,
    );
  throw failure("mismatch", service, `'${unsigned[0]}' must be a 'SignedHeader' in the AWS Authorization.`);
}

function signedHeadersOf(request: SignedRequest, { signedHeaders, service }: Claim): Record<string, string> {
  if (!signedHeaders.includes("host") && !signedHeaders.includes(":authority"))
    throw failure("malformed", service, "'Host' must be a 'SignedHeader' in the AWS Authorization.");
  const headers: Record<string, string> = {};
  for (const name of signedHeaders) {
    // Over HTTP/2 the SDKs sign the pseudo-header that took the place of Host.
    const value = request.headers[name === ":authority" ? "host" : name];
    if (value === undefined) throw failure("mismatch", service, `The signed header '${name}' is missing from the request.`);
    headers[name] = value;
  }
  return headers;
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
  if (Math.abs(nowMs - signedAt) > MAX_SKEW_MS) {
    throw failure(
      "skew",
      claim.service,
      `Signature expired: ${claim.timestamp} is more than 15 minutes away from ${new Date(nowMs).toISOString()}. Check the client's clock.`,
    );
  }
}

function payloadHashOf(request: SignedRequest, claim: Claim): string {
  const declared = request.headers["x-amz-content-sha256"];
  if (declared === undefined) {
    if (claim.service === "s3")
      throw new AwsError("InvalidRequest", "Missing required header for this request: x-amz-content-sha256", 400);
    return sha256(request.body);
  }
  if (declared === "UNSIGNED-PAYLOAD") return declared;
  if (declared.startsWith("STREAMING-"))
    throw new AwsError(
      "NotImplemented",
      `x-amz-content-sha256: ${declared} is not supported by the local endpoint; send a body of known length instead of a stream.`,
      501,
    );
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
