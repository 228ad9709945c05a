/** The signature that a request claims to have in its Authorization header. */
import { AwsError } from "../contracts";

/** A request as it came from the socket: the signature covers these exact bytes. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as sent, still percent-encoded. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Who claims to have signed which parts of a request, and when. */
export interface Claim {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly timestamp: string;
  readonly token: string | undefined;
}

/** Codes of what is wrong with a signature, in the order of `FAMILIES`. */
const CODES = {
  missing: ["AccessDenied", "MissingAuthenticationToken", "MissingAuthenticationTokenException"],
  malformed: ["AuthorizationHeaderMalformed", "IncompleteSignature", "IncompleteSignatureException"],
  unknownKey: ["InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException"],
  badToken: ["InvalidToken", "InvalidClientTokenId", "UnrecognizedClientException"],
  mismatch: ["SignatureDoesNotMatch", "SignatureDoesNotMatch", "InvalidSignatureException"],
  skew: ["RequestTimeTooSkewed", "SignatureDoesNotMatch", "InvalidSignatureException"],
} as const;
/** S3, services of the query protocol, all others. */
const FAMILIES = [["s3"], ["sns", "sts", "iam"]];
const BAD_REQUESTS: readonly string[] = ["AuthorizationHeaderMalformed", "IncompleteSignature", "InvalidToken"];

export function failure(kind: keyof typeof CODES, service: string, message: string): AwsError {
  const family = FAMILIES.findIndex((services) => services.includes(service));
  const code = CODES[kind].at(family) ?? "InvalidSignatureException";
  return new AwsError(code, message, BAD_REQUESTS.includes(code) ? 400 : 403);
}

/** The signing name that an unverified request claims; it decides the shape of errors. */
export function claimedService(request: SignedRequest): string | undefined {
  if (isPresigned(request)) return "s3";
  return /Credential=[^/\s,]+\/\d{8}\/[^/\s,]*\/([^/\s,]+)\//.exec(request.headers.authorization ?? "")?.[1];
}

/** By Signature Version 4 or 2. */
const isPresigned = ({ target }: SignedRequest): boolean => /[?&](X-Amz-Signature|AWSAccessKeyId)=/.test(target);

/** Parses the claim. @throws AwsError when there is none, or not of this form */
export function claimOf(request: SignedRequest, service: string): Claim {
  const header = request.headers.authorization;
  if (isPresigned(request))
    throw new AwsError("NotImplemented", "Presigned URLs are not supported by the local endpoint; sign in a header.", 501);
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
  return {
    ...scopeOf(credential, service),
    signedHeaders: signedHeaders.split(";"),
    signature,
    timestamp: request.headers["x-amz-date"] ?? "",
    token: request.headers["x-amz-security-token"],
  };
}

function scopeOf(credential: string, service: string): Pick<Claim, "accessKeyId" | "date" | "region" | "service"> {
  const parts = credential.split("/");
  const [accessKeyId = "", date = "", region = "", claimed = "", terminator = ""] = parts;
  if (parts.length !== 5 || terminator !== "aws4_request")
    throw failure("malformed", service, `Credential must be keyid/date/region/service/aws4_request, got '${credential}'.`);
  return { accessKeyId, date, region, service: claimed };
}

/** Decoded names and values, in the order of the URL. */
export function queryParameters(target: string): [string, string][] {
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

export function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AwsError("InvalidURI", `Couldn't parse the specified URI: '${text}' is not valid percent-encoding.`, 400);
  }
}
