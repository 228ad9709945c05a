/** What lies in the bucket, line by line. */
import { gunzipSync } from "node:zlib";
import type { S3 } from "./services/s3";

export interface ArchivedLine {
  readonly object: string;
  readonly line: Readonly<Record<string, unknown>>;
}

export interface Archive {
  /** Lines under `archive/` by event. */
  readonly events: ReadonlyMap<string, readonly ArchivedLine[]>;
  /** Events with a copy under `high-risk/`. */
  readonly copies: ReadonlySet<string>;
}

export function archiveOf(s3: S3): Archive {
  const events = new Map<string, ArchivedLine[]>();
  for (const entry of linesUnder(s3, "archive/")) {
    const id = String(entry.line.event_id);
    events.set(id, [...(events.get(id) ?? []), entry]);
  }
  return { events, copies: new Set(linesUnder(s3, "high-risk/").map(({ line }) => String(line.event_id))) };
}

export function linesUnder(s3: S3, prefix: string): readonly ArchivedLine[] {
  return s3.keysUnder(prefix).flatMap((object) =>
    textOf(s3, object)
      .split("\n")
      .filter((text) => text !== "")
      // Written by the platform: one object per line.
      .map((text) => ({ object, line: JSON.parse(text) as Readonly<Record<string, unknown>> })),
  );
}

/** The object's text, unpacked when it is compressed. */
export function textOf(s3: S3, key: string): string {
  const body = Buffer.from(s3.objects.get(key)?.body ?? []);
  const isCompressed = body[0] === 0x1f && body[1] === 0x8b;
  return (isCompressed ? gunzipSync(body) : body).toString();
}
