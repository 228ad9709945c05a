/** Which objects a queue message says were created. Shape: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
import { isObject } from "../scoring/core/json";

export interface CreatedObject {
  readonly bucket: string;
  readonly key: string;
  /** Without quotes, as S3 sends it in events. */
  readonly etag: string;
  /** In a bucket with versions. */
  readonly version?: string;
  readonly sizeBytes: number;
}

export type Notification =
  /** S3 sends it once, when the notification is configured. */
  | { readonly kind: "test" }
  | { readonly kind: "objects"; readonly objects: readonly CreatedObject[] }
  | { readonly kind: "unreadable"; readonly problem: string };

export function readNotification(body: string): Notification {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { kind: "unreadable", problem: "expected the JSON of an S3 event notification, got text that is not JSON" };
  }
  if (!isObject(parsed)) return { kind: "unreadable", problem: "expected an object with Records, got another JSON value" };
  if (parsed.Event === "s3:TestEvent") return { kind: "test" };
  if (!Array.isArray(parsed.Records) || parsed.Records.length === 0) {
    return { kind: "unreadable", problem: "expected a list Records with at least one entry, got none" };
  }
  const objects: CreatedObject[] = [];
  for (const [index, record] of parsed.Records.entries()) {
    const read = readRecord(record);
    if (typeof read === "string") return { kind: "unreadable", problem: `Records[${index}]: ${read}` };
    objects.push(read);
  }
  return { kind: "objects", objects };
}

function readRecord(record: unknown): CreatedObject | string {
  if (!isObject(record)) return "expected an object";
  const { eventName, s3 } = record;
  if (typeof eventName !== "string" || !eventName.startsWith("ObjectCreated:")) {
    return `expected an event ObjectCreated:*, got ${JSON.stringify(eventName)}`;
  }
  const bucket = isObject(s3) && isObject(s3.bucket) ? s3.bucket.name : undefined;
  const object = isObject(s3) && isObject(s3.object) ? s3.object : {};
  const { key, eTag, size, versionId } = object;
  if (typeof bucket !== "string" || bucket === "") return "expected s3.bucket.name";
  if (typeof key !== "string" || key === "") return "expected s3.object.key";
  if (typeof eTag !== "string" || eTag === "") return "expected s3.object.eTag";
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) return "expected s3.object.size in bytes";
  const decoded = decodeKey(key);
  if (decoded === undefined) return `expected a URL-encoded key, got ${key}`;
  return { bucket, key: decoded, etag: eTag, sizeBytes: size, ...(typeof versionId === "string" ? { version: versionId } : {}) };
}

/** Keys are URL-encoded like form fields: a space arrives as `+`. */
function decodeKey(key: string): string | undefined {
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
