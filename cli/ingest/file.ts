/** Opens a file on disk for the readers of files. */
import { createReadStream, existsSync, statSync } from "node:fs";
import { formatByName } from "../../functions/files/format-by-name";
import { inspect } from "../../functions/files/inspect";
import { readRows } from "../../functions/files/read";
import { FileError, type FileOptions, type FilePlan, type Row } from "../../functions/files/types";
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
  const { plan, sample, plain } = await inUsage(path, inspect(input, { ...formatByName(path), ...options }));
  return { plan, sample, rows: readRows(plain, plan), bytes: stat.size, bytesRead: () => input.bytesRead };
}

async function inUsage<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof FileError ? new UsageError(`${path}: ${error.message}`) : error;
  }
}
