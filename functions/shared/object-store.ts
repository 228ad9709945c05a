import { HeadObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { statusOf } from "./sdk-error";

/** Objects that are written once and never changed. */
export interface ObjectStore {
  /** Writes the object unless the key is taken. `exists` means that somebody has written it, perhaps an earlier attempt of ours. */
  putIfAbsent(key: string, body: Uint8Array): Promise<"created" | "exists">;
  /**
   * Bytes of the object, null when there is none. Needs `s3:ListBucket` besides `s3:GetObject`: without it S3 answers 403 instead of 404
   * for a missing key.
   */
  size(key: string): Promise<number | null>;
}

/** Of two simultaneous writers S3 answers one with 409; when that one tries again, it gets 412. */
const CONFLICT_TRIES = 3;

/** NDJSON objects, compressed with Zstandard, in one bucket. Errors are the SDK's, except those that are an answer ("exists", "missing"). */
export function createObjectStore(client: S3Client, bucket: string): ObjectStore {
  return {
    async putIfAbsent(key, body) {
      for (let attempt = 1; ; attempt++) {
        try {
          await client.send(
            new PutObjectCommand({
              Bucket: bucket,
              Key: key,
              Body: body,
              IfNoneMatch: "*",
              ContentType: "application/x-ndjson",
              ContentEncoding: "zstd",
            }),
          );
          return "created";
        } catch (error) {
          const status = statusOf(error);
          if (status === 412) return "exists";
          if (status !== 409 || attempt >= CONFLICT_TRIES) throw error;
        }
      }
    },
    async size(key) {
      try {
        const { ContentLength = 0 } = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
        return ContentLength;
      } catch (error) {
        if (statusOf(error) === 404) return null;
        throw error;
      }
    },
  };
}
