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
  const delimiter = query.get("delimiter") ?? "";
  const page = { prefix, after, limit };
  const { objects, groups, next } =
    delimiter === "" ? { ...listPage(store, bucket, page), groups: [] } : groupedPage(store, bucket, page, delimiter);
  return xmlDocument(
    "ListBucketResult",
    [
      element("Name", bucket),
      element("Prefix", encode(prefix)),
      element("Delimiter", delimiter === "" ? undefined : encode(delimiter)),
      element("MaxKeys", limit),
      element("EncodingType", query.get("encoding-type") ?? undefined),
      element("IsTruncated", next !== undefined),
      element("KeyCount", objects.length + groups.length),
      element("ContinuationToken", token ?? undefined),
      element("StartAfter", query.has("start-after") ? encode(query.get("start-after") ?? "") : undefined),
      element("NextContinuationToken", next === undefined ? undefined : Buffer.from(next, "utf8").toString("base64url")),
      ...objects.map((object) => `<Contents>${element("Key", encode(object.key))}${facts(object)}</Contents>`),
      ...groups.map((group) => `<CommonPrefixes>${element("Prefix", encode(group))}</CommonPrefixes>`),
    ].join(""),
  );
}

interface GroupedPage {
  readonly objects: readonly StoredObject[];
  /** What the keys of each group have in common, up to the delimiter. */
  readonly groups: readonly string[];
  /** The last entry, a key or a group, when there is more. */
  readonly next: string | undefined;
}

/** Keys with the delimiter behind the prefix are one entry together ("Organizing objects using prefixes", S3 user guide). */
function groupedPage(
  store: S3Store,
  bucket: string,
  { prefix, after, limit }: { readonly prefix: string; readonly after: string; readonly limit: number },
  delimiter: string,
): GroupedPage {
  const objects: StoredObject[] = [];
  const groups: string[] = [];
  let last: string | undefined;
  let from = after;
  for (;;) {
    const page = listPage(store, bucket, { prefix, after: from, limit: MAX_KEYS });
    for (const object of page.objects) {
      const end = object.key.indexOf(delimiter, prefix.length);
      const group = end === -1 ? undefined : object.key.slice(0, end + delimiter.length);
      if (group !== undefined && (group === last || after.startsWith(group))) continue;
      if (objects.length + groups.length === limit) return { objects, groups, next: last };
      if (group === undefined) objects.push(object);
      else groups.push(group);
      last = group ?? object.key;
    }
    if (page.next === undefined) return { objects, groups, next: undefined };
    from = page.next;
  }
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
