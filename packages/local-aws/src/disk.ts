/** What a disk that takes no more writes looks like to Node and SQLite, and what the platform says about it. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { messageOf } from "@risk/program-graph";
import { AwsError } from "./contracts";

/** Full, over quota, failing, or mounted read-only after a failure. */
const FILE_ERRORS = new Set(["ENOSPC", "EDQUOT", "EIO", "EROFS"]);

/** SQLite's primary result codes READONLY, IOERR, FULL and CANTOPEN: https://sqlite.org/rescode.html */
const SQLITE_ERRORS = new Set([8, 10, 13, 14]);

/** The disk refused a read or write; trying again later may succeed. */
export function isDiskError(error: unknown): error is Error {
  if (!(error instanceof Error) || !("code" in error)) return false;
  if (error.code === "ERR_SQLITE_ERROR" && "errcode" in error) return SQLITE_ERRORS.has(Number(error.errcode) & 0xff);
  return FILE_ERRORS.has(String(error.code));
}

/** A failure of the service, not of the request: the disk refuses, or the service answers 5xx. The same call may succeed later. */
export const isServiceFault = (error: unknown): boolean =>
  isDiskError(error) || (error instanceof AwsError && error.status >= 500);

/**
 * An error for the caller of a service whose disk refuses; SDKs try again. `ServiceUnavailable` is among every service's common
 * errors; DynamoDB calls it `InternalServerError` ("Error handling with DynamoDB", developer guide).
 */
export function diskFault(service: string, error: Error): AwsError {
  const message = `The disk of the platform's data folder refused: ${error.message}`;
  return service === "dynamodb"
    ? new AwsError("InternalServerError", message, 500)
    : new AwsError("ServiceUnavailable", message, 503);
}

/** An error that stopped the platform, with the folder when a disk was the cause. */
export function namingDisk(error: unknown, folder: string): unknown {
  const cause = isDiskError(error) ? error : error instanceof Error ? error.cause : undefined;
  if (!isDiskError(cause)) return error;
  return new Error(`The disk of ${folder} refuses writes; free some space and start again. ${messageOf(error)}`, { cause });
}

const PROBE_INTERVAL_MS = 1000;

/** More than a page of SQLite's log, so that a passing probe means that requests pass too. */
const PROBE_BYTES = 256 * 1024;

/** Tells the person at the terminal once when the disk refuses, and once when it takes writes again. */
export class DiskWatch {
  private probe: NodeJS.Timeout | undefined;

  constructor(
    private readonly folder: string,
    private readonly notice: (line: string) => void,
    private readonly isPretendedFull: () => boolean = () => false,
  ) {}

  /** Reports an error; returns whether it was the disk's. */
  report(error: unknown): error is Error {
    if (!isDiskError(error)) return false;
    if (this.probe === undefined) {
      this.notice(
        `The disk of ${this.folder} refuses writes (${error.message}). Requests are answered with 5xx and tried again; free some space.`,
      );
      this.probe = setInterval(() => this.check(), PROBE_INTERVAL_MS);
      this.probe.unref();
    }
    return true;
  }

  private check(): void {
    if (this.isPretendedFull()) return;
    const file = join(this.folder, "disk-probe");
    try {
      writeFileSync(file, Buffer.alloc(PROBE_BYTES));
      rmSync(file);
    } catch {
      // Not yet: a first part that was written is overwritten by the next probe.
      return;
    }
    this.end();
    this.notice(`The disk of ${this.folder} takes writes again.`);
  }

  end(): void {
    clearInterval(this.probe);
    this.probe = undefined;
  }
}

/** A fault for trying out: SQLite refuses every write, and nothing is lost. PostgreSQL and the functions' own files aren't touched. */
export class PretendedFullDisk {
  private isFull = false;

  constructor(private readonly db: DatabaseSync) {}

  get full(): boolean {
    return this.isFull;
  }

  /** A limit of pages would still let through what fits into free ones; this refuses all, with SQLITE_READONLY. */
  readonly set = (full: boolean): void => {
    this.isFull = full;
    this.db.exec(`PRAGMA query_only = ${full ? "ON" : "OFF"}`);
  };
}
