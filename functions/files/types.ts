/** What the readers of files give out, and what they decided about a file. All of it is plain JSON, so a checkpoint can hold it. */

/** A place between two rows: everything before it has been given out. Reading can go on from it. */
export interface FilePlace {
  /** Bytes of the plain file (decompressed; of UTF-16 its UTF-8) before the place. */
  readonly offset: number;
  /** Lines before it; of a JSON array its elements. */
  readonly line: number;
  /** Rows before it; the header isn't one. */
  readonly row: number;
}

export const START: FilePlace = { offset: 0, line: 0, row: 0 };

export type Cells = Readonly<Record<string, unknown>>;

interface Located {
  /** From 1: the line that the row begins with; of a JSON array the element. */
  readonly line: number;
  /** From 1. The same bytes give the same number, however they are cut into chunks: it names the row for good. */
  readonly row: number;
  /** After the row. */
  readonly next: FilePlace;
  /** As the file has it, in UTF-8 or an older encoding; empty for what is too large, and for Avro. */
  readonly bytes: Uint8Array;
}

export type Row =
  | ({ readonly kind: "row"; readonly cells: Cells } & Located)
  | ({ readonly kind: "unreadable"; readonly reason: string } & Located);

export const FORMATS = ["csv", "ndjson", "json", "avro"] as const;
/** `csv` with any delimiter; `json` is an array of objects; `avro` an object container. */
export type Format = (typeof FORMATS)[number];

export const ENCODINGS = ["utf-8", "utf-16le", "utf-16be", "windows-1252"] as const;
export type Encoding = (typeof ENCODINGS)[number];

export interface CsvDialect {
  readonly delimiter: string;
  readonly quote: string;
  /** Whether the first line names the columns. */
  readonly header: boolean;
  readonly columns: readonly string[];
}

/** How a file is read: decided once, from its first bytes and the options. */
export interface FilePlan {
  readonly format: Format;
  readonly gzip: boolean;
  readonly encoding: Encoding;
  /** Length of the byte order mark; 0 in UTF-16, whose decoder removes it. */
  readonly bomBytes: number;
  /** Null for JSON. */
  readonly csv: CsvDialect | null;
  /** Names the content: the same first 64 KiB give the same name, compressed or not. */
  readonly contentId: string;
}

/** What the caller knows better than detection. */
export interface FileOptions {
  readonly format?: Format;
  readonly encoding?: Encoding;
  readonly delimiter?: string;
  readonly quote?: string;
  readonly header?: boolean;
  readonly columns?: readonly string[];
}

/** The file can't be read at all. The message says why and what helps. */
export class FileError extends Error {
  readonly code = "FILE";
}
