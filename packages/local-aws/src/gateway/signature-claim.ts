/** The signature that a request claims to have, in the Authorization header or in a presigned URL. */
import { AwsError } from "../contracts";

const MAX_PRESIGNED_SECONDS = 7 * 24 * 3600;

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
const JSON_CODES: Readonly<Record<Failure, readonly [string, number]>> = {
  missing: ["MissingAuthenticationTokenException", 403],
  malformed: ["IncompleteSignatureException", 403],
  unknownKey: ["UnrecognizedClientException", 403],
  badToken: ["UnrecognizedClientException", 403],
  mismatch: ["InvalidSignatureException", 403],
  skew: ["InvalidSignatureException", 403],
  expired: ["InvalidSignatureException", 403],
};

export function failure(kind: Failure, service: string, message: string): AwsError {
  const [code, status] = (service === "s3" ? S3_CODES : JSON_CODES)[kind];
  return new AwsError(code, message, status);
}

/** The signing name that an unverified request claims; it decides the shape of errors. */
export function claimedService(request: SignedRequest): string | undefined {
  const scope = /Credential=[^/\s,]+\/\d{8}\/[^/\s,]*\/([^/\s,]+)\//.exec(request.headers.authorization ?? "");
  if (scope) return scope[1];
  const query = new Map(queryParameters(request.target));
  if (isSignatureVersion2(query)) return "s3";
  return query.get("X-Amz-Credential")?.split("/")[3];
}

/** Only S3 ever had such URLs: `aws s3 presign` makes them unless it is configured for Signature Version 4. */
function isSignatureVersion2(query: ReadonlyMap<string, string>): boolean {
  return query.has("AWSAccessKeyId") && query.has("Signature") && query.has("Expires");
}

/** Parses the claim. Throws {@link AwsError} when there is none, or not of this form. */
export function claimOf(request: SignedRequest, service: string): Claim {
  const query = new Map(queryParameters(request.target));
  return query.has("X-Amz-Signature") ? presignedClaim(query, service) : headerClaim(request, query, service);
}

function headerClaim(request: SignedRequest, query: ReadonlyMap<string, string>, service: string): Claim {
  const header = request.headers.authorization;
  if (isSignatureVersion2(query)) {
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
  return {
    ...scopeOf(credential, service),
    signedHeaders: signedHeaders.split(";"),
    signature,
    timestamp: request.headers["x-amz-date"] ?? "",
    token: request.headers["x-amz-security-token"],
    expires: undefined,
  };
}

function presignedClaim(query: ReadonlyMap<string, string>, service: string): Claim {
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
