/** Opens a file on disk for the readers of files. */
import { createReadStream, existsSync, statSync } from "node:fs";
import { extname } from "node:path";
import { inspect } from "../../functions/files/inspect";
import { readRows } from "../../functions/files/read";
import { FileError, type FileOptions, type FilePlan, type Format, type Row } from "../../functions/files/types";
import { UsageError } from "../options";

export interface OpenFile {
  readonly plan: FilePlan;
  readonly sample: readonly Row[];
  /** To be read once. */
  readonly rows: AsyncIterable<Row>;
  readonly bytes: number;
  /** Of the file itself, compressed as it may be. */
  bytesRead(): number;
}

/** @throws UsageError */
export async function openFile(path: string, options: FileOptions = {}): Promise<OpenFile> {
  if (!existsSync(path)) throw new UsageError(`${path}: no such file.`);
  const stat = statSync(path);
  if (!stat.isFile()) throw new UsageError(`${path}: expected a file, got a folder or device.`);
  const input = createReadStream(path, { highWaterMark: 256 * 1024 });
  const named = options.format ?? formatByName(path);
  const { plan, sample, plain } = await inUsage(
    path,
    inspect(input, { ...options, ...(named === undefined ? {} : { format: named }) }),
  );
  return { plan, sample, rows: readRows(plain, plan), bytes: stat.size, bytesRead: () => input.bytesRead };
}

/** An extension that says more than the first character of the file could. */
function formatByName(path: string): Format | undefined {
  const ending = extname(path.replace(/\.gz$/i, "")).toLowerCase();
  if (ending === ".csv" || ending === ".tsv") return "csv";
  return ending === ".ndjson" || ending === ".jsonl" ? "ndjson" : undefined;
}

async function inUsage<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof FileError ? new UsageError(`${path}: ${error.message}`) : error;
  }
}
