/** A file that is scored, how far it has come, and what became of it. */

import type { FileMapping } from "../files/mapping/types";
import type { FilePlace, FilePlan } from "../files/types";
import { sha256 } from "../scoring/core/hash";
import type { RecordCounts } from "../stream/score-records";

/** One version of an object under `incoming/`. */
export interface IncomingFile {
  readonly key: string;
  /** Null in a bucket without versions. */
  readonly version: string | null;
  /** Without quotes. */
  readonly etag: string;
}

/** Names a version for good: the file that replaces it under the same key is another one, and the same notification again is the same. */
export function fileId({ key, version, etag }: IncomingFile): string {
  return sha256(JSON.stringify([key, version, etag])).slice(0, 32);
}

export interface FileCounts extends RecordCounts {
  readonly rows: number;
}

/** How the file's rows become records: decided once, so that every later invocation reads the same. */
export interface Reading {
  readonly plan: FilePlan;
  readonly mapping: FileMapping;
  readonly preset: string | null;
}

/** Written again and again while a file is read, and kept as the mark that it is done. */
export interface Checkpoint {
  readonly file: IncomingFile;
  /** Null as long as nothing has been read, and for a file that can't be read. */
  readonly reading: Reading | null;
  /** All rows before it are finished. */
  readonly place: FilePlace;
  readonly counts: FileCounts;
  /** The result is written and announced. */
  readonly done: boolean;
}

/**
 * `scored`: every row is scored or in quarantine. `refused`: no row could be scored, since the file isn't of a known format or fields are missing.
 * `damaged`: the file can't be read to its end. `replaced`: another version took its place, or it was deleted, before it was read.
 */
export type FileStatus = "scored" | "refused" | "damaged" | "replaced";

/** The object under `results/`, and the detail of the event on the bus. */
export interface FileResult {
  readonly profile: string;
  readonly key: string;
  readonly version_id: string | null;
  readonly etag: string;
  readonly file_id: string;
  readonly status: FileStatus;
  /** What is wrong with a file that isn't scored, and what helps. */
  readonly problem: string | null;
  /** `CSV, UTF-8, delimiter ;, …` */
  readonly format: string | null;
  readonly preset: string | null;
  readonly rows: number;
  readonly scored: number;
  readonly duplicates: number;
  readonly quarantined: Readonly<Record<string, number>>;
  readonly finished_at: string;
}

/** `results/2026/export.csv.<file id>.json` */
export function resultKey(file: IncomingFile): string {
  const name = file.key.slice(file.key.indexOf("/") + 1);
  // Keys have at most 1,024 bytes.
  return `results/${Buffer.byteLength(name) > 900 ? "" : `${name}.`}${fileId(file)}.json`;
}
