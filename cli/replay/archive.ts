/** Objects of the archive: which there are in a range of days, and their lines. */
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { EMPTY_LINES, NDJSON_SUFFIXES, unpackLines } from "../../functions/shared/ndjson";

export interface ArchiveObject {
  readonly key: string;
  readonly etag: string;
  readonly bytes: number;
}

/** Days of arrival, `2026-11-21` (UTC), both included. */
export interface Days {
  readonly from: string;
  readonly to: string;
}

/** Objects of a profile that hold lines, in the order of their keys. */
export async function archiveObjects(
  s3: S3Client,
  bucket: string,
  profile: string,
  { from, to }: Days,
): Promise<ArchiveObject[]> {
  const prefix = `archive/${profile}/dt=`;
  const found: ArchiveObject[] = [];
  let token: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        StartAfter: `${prefix}${from}`,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
    );
    for (const { Key = "", ETag = "", Size = 0 } of page.Contents ?? []) {
      if (Key.slice(prefix.length, prefix.length + to.length) > to) return found;
      if (Size > EMPTY_LINES.length && NDJSON_SUFFIXES.some((suffix) => Key.endsWith(suffix)))
        found.push({ key: Key, etag: ETag.replaceAll('"', ""), bytes: Size });
    }
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return found;
}

export async function readLines(s3: S3Client, bucket: string, key: string): Promise<string[]> {
  const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return unpackLines(key, (await object.Body?.transformToByteArray()) ?? EMPTY_LINES);
}
