/** Listing of keys with prefix and continuation. */
import { AwsError, type AwsResponse } from "../../contracts";
import type { S3Store, StoredObject } from "./store";
import { element, xmlDocument } from "./xml";

const MAX_KEYS = 1000;

/** One page of keys in their order; `next` is the last one when there is more. */
export function listPage(
  store: S3Store,
  bucket: string,
  { prefix, after, limit }: { readonly prefix: string; readonly after: string; readonly limit: number },
): { readonly objects: readonly StoredObject[]; readonly next: string | undefined } {
  const rows = store.page(bucket, prefix > after ? prefix : after, prefix > after, limit + 1);
  const found = rows.filter(({ key }) => key.startsWith(prefix));
  const objects = found.slice(0, limit);
  return { objects, next: found.length > limit ? objects.at(-1)?.key : undefined };
}

export function listObjects(store: S3Store, bucket: string, query: URLSearchParams): AwsResponse {
  store.config(bucket);
  const encode = encoder(query);
  const token = query.get("continuation-token");
  const after = token === null ? (query.get("start-after") ?? "") : Buffer.from(token, "base64url").toString("utf8");
  const limit = Math.min(MAX_KEYS, maxKeys(query));
  const prefix = query.get("prefix") ?? "";
  const { objects, next } = listPage(store, bucket, { prefix, after, limit });
  return xmlDocument(
    "ListBucketResult",
    [
      element("Name", bucket),
      element("Prefix", encode(prefix)),
      element("MaxKeys", limit),
      element("EncodingType", query.get("encoding-type") ?? undefined),
      element("IsTruncated", next !== undefined),
      element("KeyCount", objects.length),
      element("ContinuationToken", token ?? undefined),
      element("StartAfter", query.has("start-after") ? encode(query.get("start-after") ?? "") : undefined),
      element("NextContinuationToken", next === undefined ? undefined : Buffer.from(next, "utf8").toString("base64url")),
      ...objects.map((object) => `<Contents>${element("Key", encode(object.key))}${facts(object)}</Contents>`),
    ].join(""),
  );
}

function facts(object: StoredObject): string {
  return [
    element("LastModified", new Date(object.modifiedAt).toISOString()),
    element("ETag", object.etag),
    element("Size", object.size),
    element("StorageClass", object.headers["x-amz-storage-class"] ?? "STANDARD"),
  ].join("");
}

function encoder(query: URLSearchParams): (text: string) => string {
  const encoding = query.get("encoding-type");
  if (encoding !== null && encoding !== "url")
    throw new AwsError("InvalidArgument", `encoding-type must be 'url', got '${encoding}'.`);
  return encoding === null ? (text) => text : (text) => encodeURIComponent(text).replaceAll("%2F", "/");
}

function maxKeys(query: URLSearchParams): number {
  const value = Number(query.get("max-keys") ?? MAX_KEYS);
  if (!Number.isInteger(value) || value < 0)
    throw new AwsError("InvalidArgument", `max-keys must be a whole number from 0 on, got '${query.get("max-keys")}'.`);
  return value;
}
