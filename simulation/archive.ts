/** What lies in the bucket, line by line. */
import { zstdDecompressSync } from "node:zlib";
import type { S3 } from "./services/s3";

/** What a frame begins with: RFC 8878, section 3.1.1. */
const ZSTANDARD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

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

const linesUnder = (s3: S3, prefix: string): readonly ArchivedLine[] =>
  s3.keysUnder(prefix).flatMap((object) => linesOf(s3, object).map((line) => ({ object, line })));

/** Of an object that the platform wrote: one JSON object per line. */
export const linesOf = (s3: S3, key: string): readonly ArchivedLine["line"][] =>
  textOf(s3, key)
    .split("\n")
    .filter((text) => text !== "")
    .map((text) => JSON.parse(text) as ArchivedLine["line"]);

/** The object's text, unpacked when it is compressed. */
export function textOf(s3: S3, key: string): string {
  const body = Buffer.from(s3.objects.get(key)?.body ?? []);
  return (body.indexOf(ZSTANDARD) === 0 ? zstdDecompressSync(body) : body).toString();
}
