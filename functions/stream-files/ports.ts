/** What the function for files needs from outside. Adapters are in `adapters.ts`. */
import type { Chunks } from "../files/bytes";
import type { Checkpoint, FileResult, IncomingFile } from "./types";

export interface FileFacts {
  /** When it was put: the arrival of all its records. */
  readonly modifiedAtMs: number;
  /** The sender's own metadata, by lower-case names. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The version isn't there any more. */
export class FileGoneError extends Error {
  readonly code = "FILE_GONE";
}

export interface IncomingFiles {
  /** @throws FileGoneError */
  facts(file: IncomingFile): Promise<FileFacts>;
  /** The bytes from `offset` on, fetched as they are read. @throws FileGoneError */
  bytes(file: IncomingFile, offset: number): Chunks;
}

export interface Journal {
  checkpoint(id: string): Promise<Checkpoint | null>;
  writeCheckpoint(id: string, checkpoint: Checkpoint): Promise<void>;
  /** The first result of a file stays. */
  writeResult(key: string, result: FileResult): Promise<void>;
}

/** The queue that the function reads from: the rest of a file is another message. */
export interface Continuation {
  send(file: IncomingFile, delaySeconds: number): Promise<void>;
}

/** @throws when the bus doesn't take it */
export interface Announcements {
  publish(result: FileResult): Promise<void>;
}
