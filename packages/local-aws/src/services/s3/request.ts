/** Which bucket, key and action an S3 request refers to, and the permissions that it needs. */
import { AwsError, type AwsRequest, type Permission } from "../../contracts";

interface S3Target {
  readonly bucket: string | undefined;
  readonly key: string | undefined;
}

/** Path style, or the bucket in front of a host name (`bucket.localhost`, `bucket.s3.us-east-1.amazonaws.com`). */
export function targetOf(request: Pick<AwsRequest, "url" | "headers">): S3Target {
  const path = decode(request.url.pathname.slice(1));
  const host = (request.headers.host ?? "").replace(/:\d+$/, "");
  const virtual = /^(.+?)\.(?:s3[.-][\w.-]+|s3\.localhost|localhost)$/.exec(host)?.[1];
  if (virtual !== undefined && virtual !== "s3") return { bucket: virtual, key: path === "" ? undefined : path };
  const slash = path.indexOf("/");
  const bucket = slash < 0 ? path : path.slice(0, slash);
  const key = slash < 0 ? "" : path.slice(slash + 1);
  return { bucket: bucket === "" ? undefined : bucket, key: key === "" ? undefined : key };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AwsError("InvalidURI", `Couldn't parse the specified URI: '${text}' is not valid percent-encoding.`);
  }
}

/** Actions by method and sub-resource; `""` is the plain one. */
const BUCKET_ACTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  GET: { "list-type": "ListObjectsV2" },
  POST: { delete: "DeleteObjects" },
};
const OBJECT_ACTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  GET: { "": "GetObject" },
  HEAD: { "": "HeadObject" },
  PUT: { "": "PutObject", uploadId: "UploadPart" },
  DELETE: { "": "DeleteObject", uploadId: "AbortMultipartUpload" },
  POST: { uploads: "CreateMultipartUpload", uploadId: "CompleteMultipartUpload" },
};
/** Query parameters that choose no sub-resource. */
const PLAIN_PARAMETERS =
  /^(x-id|X-Amz-.*|x-amz-checksum-mode|prefix|max-keys|delimiter|continuation-token|start-after|encoding-type)$/i;

/** Methods of an object that take the version to read. */
const READS = /^(GET|HEAD)$/;

const S3_ACTIONS = [BUCKET_ACTIONS, OBJECT_ACTIONS]
  .flatMap((table) => Object.values(table).flatMap((actions) => Object.values(actions)))
  .sort();

/** Throws NotImplemented for a sub-resource that is not supported, naming it. */
export function s3ActionOf(request: Pick<AwsRequest, "method" | "url" | "headers">): string {
  const { key } = targetOf(request);
  const table = (key === undefined ? BUCKET_ACTIONS : OBJECT_ACTIONS)[request.method] ?? {};
  const query = request.url.searchParams;
  const names = [...query.keys()].filter(
    (name) =>
      !PLAIN_PARAMETERS.test(name) &&
      !(name === "partNumber" && query.has("uploadId")) &&
      !(name === "versionId" && READS.test(request.method)),
  );
  const action = table[names[0] ?? ""];
  if (action === undefined || names.length > 1) {
    throw new AwsError(
      "NotImplemented",
      `s3: ${request.method} with '${names.join(", ") || "no sub-resource"}' on ${key === undefined ? "a bucket" : "an object"} is not supported by the local endpoint. Supported: ${S3_ACTIONS.join(", ")}.`,
      501,
    );
  }
  return action;
}

/** IAM actions that are not named like the API action. */
const IAM_ACTIONS: Readonly<Record<string, string>> = {
  ListObjectsV2: "ListBucket",
  HeadObject: "GetObject",
  UploadPart: "PutObject",
  CreateMultipartUpload: "PutObject",
  CompleteMultipartUpload: "PutObject",
};

/** Permissions on S3 itself; keys of customer-managed encryption are added by the service, which knows the bucket. */
export function s3Permissions(request: AwsRequest): Permission[] {
  const { bucket = "*", key } = targetOf(request);
  const named = IAM_ACTIONS[request.action] ?? request.action;
  // "Actions, resources, and condition keys for Amazon S3": a version is read with a permission of its own.
  const action = `s3:${named === "GetObject" && request.url.searchParams.has("versionId") ? "GetObjectVersion" : named}`;
  const arn = `arn:aws:s3:::${bucket}`;
  // Each key's own permission is checked while the request is carried out: a denied key is an entry of the answer.
  if (request.action === "DeleteObjects") return [];
  if (key === undefined) return [{ action, resource: arn, context: listContext(request) }];
  return [{ action, resource: `${arn}/${key}`, context: writeContext(request) }];
}

export function checkedKey(key: string): string {
  if (Buffer.byteLength(key, "utf8") > 1024)
    throw new AwsError("KeyTooLongError", "Your key is too long: at most 1024 bytes of UTF-8.");
  return key;
}

function listContext(request: AwsRequest): Record<string, string> {
  const context: Record<string, string> = {};
  for (const name of ["prefix", "delimiter", "max-keys"]) {
    const value = request.url.searchParams.get(name);
    if (value !== null) context[`s3:${name}`] = value;
  }
  return context;
}

function writeContext(request: AwsRequest): Record<string, string> {
  const context: Record<string, string> = {};
  for (const name of [
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-acl",
    "x-amz-storage-class",
  ]) {
    const value = request.headers[name];
    if (value !== undefined) context[`s3:${name}`] = value;
  }
  if (request.headers["if-none-match"] !== undefined) context["s3:if-none-match"] = request.headers["if-none-match"];
  return context;
}
