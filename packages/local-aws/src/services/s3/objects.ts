/** Writing, reading and deleting objects over the wire. */
import { AwsError, type AwsRequest, type AwsResponse } from "../../contracts";
import type { Iam } from "../../permissions/iam";
import { conditionOf, notModified, objectHeaders, rangeOf, uploadHeaders, verifiedChecksum, writeHeaders } from "./headers";
import type { S3Notifications } from "./notifications";
import { checkedKey } from "./request";
import type { S3Store, StoredObject } from "./store";
import { blocks, element, textOf, xmlDocument } from "./xml";

export type Handler = (request: AwsRequest, bucket: string, key: string) => Promise<AwsResponse> | AwsResponse;
type Authority = Pick<Iam, "authorize">;
type Events = Pick<S3Notifications, "emit">;

export function objectHandlers(store: S3Store, events: Events, iam: Authority): Readonly<Record<string, Handler>> {
  return {
    PutObject: async (request, bucket, key) => {
      const headers = uploadHeaders(request.headers, request.body, store.config(bucket));
      const object = await store.put(bucket, checkedKey(key), request.body, { headers }, conditionOf(request));
      events.emit("ObjectCreated:Put", object);
      return { status: 200, headers: writeHeaders(object) };
    },
    GetObject: (request, bucket, key) => getObject(store, existing(store, iam, request, bucket, key), request, true),
    HeadObject: (request, bucket, key) => getObject(store, existing(store, iam, request, bucket, key), request, false),
    DeleteObject: async (_request, bucket, key) => {
      store.config(bucket);
      const removed = await remove(store, events, bucket, key);
      const marker = { "x-amz-delete-marker": "true", "x-amz-version-id": removed?.versionId ?? "" };
      return { status: 204, headers: removed?.deleteMarker ? marker : {} };
    },
    DeleteObjects: (request, bucket) => deleteObjects(store, events, iam, request, bucket),
  };
}

/** Throws NoSuchKey, or AccessDenied to callers who may not list the bucket: they must not learn what exists. */
function existing(store: S3Store, iam: Authority, request: AwsRequest, bucket: string, key: string): StoredObject {
  store.config(bucket);
  const version = request.url.searchParams.get("versionId") ?? undefined;
  const object = store.find(bucket, key, version);
  if (object?.deleteMarker && version !== undefined)
    throw new AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", 405);
  if (object && !object.deleteMarker) return object;
  const listing = iam.authorize(request.principal, { action: "s3:ListBucket", resource: `arn:aws:s3:::${bucket}` });
  if (listing.allowed && version !== undefined)
    throw new AwsError("NoSuchVersion", `The specified version does not exist: ${version}`, 404);
  if (listing.allowed) throw new AwsError("NoSuchKey", `The specified key does not exist: ${key}`, 404);
  throw new AwsError(
    "AccessDenied",
    `${listing.reason} (the key does not exist; without s3:ListBucket S3 answers 403 instead of 404)`,
    403,
  );
}

async function getObject(store: S3Store, object: StoredObject, request: AwsRequest, withBody: boolean): Promise<AwsResponse> {
  const range = rangeOf(request.headers.range, object.size);
  const checksums = request.headers["x-amz-checksum-mode"] === "ENABLED" && range === undefined;
  const headers = objectHeaders(object, store.config(object.bucket).versioning !== undefined, checksums);
  if (notModified(request.headers, object)) return { status: 304, headers };
  if (range) headers["content-range"] = `bytes ${range.first}-${range.last}/${object.size}`;
  const status = range ? 206 : 200;
  const [first, last] = [range?.first ?? 0, range?.last ?? object.size - 1];
  if (!withBody) return { status, headers: { ...headers, "content-length": String(last - first + 1) } };
  return { status, headers, body: (await store.readBlob(object)).subarray(first, last + 1) };
}

async function remove(store: S3Store, events: Events, bucket: string, key: string): Promise<StoredObject | undefined> {
  const removed = await store.delete(bucket, key);
  if (removed) events.emit(removed.deleteMarker ? "ObjectRemoved:DeleteMarkerCreated" : "ObjectRemoved:Delete", removed);
  return removed;
}

async function deleteObjects(
  store: S3Store,
  events: Events,
  iam: Authority,
  request: AwsRequest,
  bucket: string,
): Promise<AwsResponse> {
  verifiedChecksum(request.headers, request.body);
  store.config(bucket);
  const xml = request.body.toString("utf8");
  const entries = blocks(xml, "Object");
  if (entries.length === 0 || entries.length > 1000)
    throw new AwsError("MalformedXML", `Delete needs 1 to 1000 objects, got ${entries.length}.`);
  if (entries.some((entry) => textOf(entry, "VersionId") !== undefined))
    throw new AwsError("NotImplemented", "s3: DeleteObjects with VersionId is not supported by the local endpoint.", 501);
  const quiet = textOf(xml, "Quiet") === "true";
  const results: string[] = [];
  for (const key of entries.map((entry) => textOf(entry, "Key") ?? "")) {
    const decision = iam.authorize(request.principal, { action: "s3:DeleteObject", resource: `arn:aws:s3:::${bucket}/${key}` });
    if (!decision.allowed) {
      const reason = element("Code", "AccessDenied") + element("Message", decision.reason);
      results.push(`<Error>${element("Key", key)}${reason}</Error>`);
      continue;
    }
    const removed = await remove(store, events, bucket, key);
    const marker = removed?.deleteMarker
      ? element("DeleteMarker", true) + element("DeleteMarkerVersionId", removed.versionId)
      : "";
    if (!quiet) results.push(`<Deleted>${element("Key", key)}${marker}</Deleted>`);
  }
  return xmlDocument("DeleteResult", results.join(""));
}
