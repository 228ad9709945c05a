/** Listing of keys with prefix, delimiter and continuation, and of buckets. */
import { AwsError, type AwsResponse } from "../../contracts";
import type { S3Store, StoredObject } from "./store";
import { element, xmlDocument } from "./xml";

const MAX_KEYS = 1000;

interface Page {
  readonly objects: readonly StoredObject[];
  readonly prefixes: readonly string[];
  /** Last key or common prefix of the page when there is more. */
  readonly next: string | undefined;
}

/** One page of keys; keys that share a prefix up to the delimiter are rolled up. */
export function listPage(
  store: S3Store,
  bucket: string,
  query: { prefix: string; delimiter: string; after: string; limit: number },
): Page {
  const { prefix, delimiter, limit } = query;
  const objects: StoredObject[] = [];
  const prefixes: string[] = [];
  let last = query.after;
  // A rolled-up prefix as marker means that everything below it was listed already.
  let after = delimiter !== "" && last.startsWith(prefix) && last.endsWith(delimiter) ? pastPrefix(last) : last;
  let inclusive = false;
  if (prefix > after) {
    after = prefix;
    inclusive = true;
  }
  if (limit === 0) return { objects, prefixes, next: undefined };
  for (;;) {
    const rows = store.page(bucket, after, inclusive, MAX_KEYS);
    let skippedTo: string | undefined;
    for (const object of rows) {
      if (!object.key.startsWith(prefix)) return { objects, prefixes, next: undefined };
      if (objects.length + prefixes.length >= limit) return { objects, prefixes, next: last };
      const end = delimiter === "" ? -1 : object.key.indexOf(delimiter, prefix.length);
      if (end < 0) {
        objects.push(object);
        last = object.key;
        continue;
      }
      last = object.key.slice(0, end + delimiter.length);
      prefixes.push(last);
      skippedTo = pastPrefix(last);
      break;
    }
    if (skippedTo === undefined && rows.length < MAX_KEYS) return { objects, prefixes, next: undefined };
    after = skippedTo ?? rows.at(-1)?.key ?? after;
    inclusive = false;
  }
}

/** Sorts after every key below the prefix. */
function pastPrefix(prefix: string): string {
  return `${prefix}\u{10FFFF}`;
}

export function listObjects(store: S3Store, bucket: string, query: URLSearchParams): AwsResponse {
  store.config(bucket);
  const encode = encoder(query);
  const token = query.get("continuation-token");
  const after = token === null ? (query.get("start-after") ?? "") : Buffer.from(token, "base64url").toString("utf8");
  const limit = Math.min(MAX_KEYS, maxKeys(query));
  const [prefix, delimiter] = [query.get("prefix") ?? "", query.get("delimiter") ?? ""];
  const { objects, prefixes, next } = listPage(store, bucket, { prefix, delimiter, after, limit });
  return xmlDocument(
    "ListBucketResult",
    [
      element("Name", bucket),
      element("Prefix", encode(prefix)),
      delimiter === "" ? "" : element("Delimiter", encode(delimiter)),
      element("MaxKeys", limit),
      element("EncodingType", query.get("encoding-type") ?? undefined),
      element("IsTruncated", next !== undefined),
      element("KeyCount", objects.length + prefixes.length),
      element("ContinuationToken", token ?? undefined),
      element("StartAfter", query.has("start-after") ? encode(query.get("start-after") ?? "") : undefined),
      element("NextContinuationToken", next === undefined ? undefined : Buffer.from(next, "utf8").toString("base64url")),
      ...objects.map((object) => `<Contents>${element("Key", encode(object.key))}${facts(object)}</Contents>`),
      ...prefixes.map((rolled) => `<CommonPrefixes>${element("Prefix", encode(rolled))}</CommonPrefixes>`),
    ].join(""),
  );
}

export function listBuckets(store: S3Store, accountId: string): AwsResponse {
  const buckets = store.buckets().map(({ name, createdAt }) => {
    return `<Bucket>${element("Name", name)}${element("CreationDate", new Date(createdAt).toISOString())}</Bucket>`;
  });
  const owner = `<Owner>${element("ID", accountId)}</Owner>`;
  return xmlDocument("ListAllMyBucketsResult", `${owner}<Buckets>${buckets.join("")}</Buckets>`);
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
