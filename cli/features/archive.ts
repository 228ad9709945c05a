/** The archived decisions of a profile, object by object. */
import { GetObjectCommand, paginateListObjectsV2, type S3Client } from "@aws-sdk/client-s3";
import { NDJSON_SUFFIXES, unpackLines } from "../../functions/shared/ndjson";
import { dateOf } from "../../functions/shared/object-keys";
import type { KnownEvent } from "./point-in-time";

export interface ArchiveSource {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly profile: string;
}

/**
 * Days are those of arrival and a decision is made after its event arrived, so later days than `untilMs` hold nothing that was known by then.
 * @param wants chooses users before a line's features are read
 */
export async function* archivedEvents(
  { s3, bucket, profile }: ArchiveSource,
  untilMs: number,
  wants: (userId: string) => boolean,
): AsyncGenerator<KnownEvent> {
  const prefix = `archive/${profile}/dt=`;
  const last = dateOf(untilMs);
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: prefix })) {
    for (const { Key = "" } of page.Contents ?? []) {
      if (Key.slice(prefix.length, prefix.length + last.length) > last) return;
      if (!NDJSON_SUFFIXES.some((suffix) => Key.endsWith(suffix))) continue;
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
      const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
      for (const line of unpackLines(Key, bytes)) {
        const event = eventOf(line, wants);
        if (event !== undefined) yield event;
      }
    }
  }
}

function eventOf(line: string, wants: (userId: string) => boolean): KnownEvent | undefined {
  const { user_id: entity, event_id: eventId, occurred_at, scored_at, features } = JSON.parse(line);
  if (typeof entity !== "string" || !wants(entity)) return undefined;
  return { entity, eventId, occurredAtMs: Date.parse(occurred_at), scoredAtMs: Date.parse(scored_at), features };
}
