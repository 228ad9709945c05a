/** The layout of a data folder's tables: a folder that another release wrote is refused at the start, not at some later statement. */
import type { DatabaseSync } from "node:sqlite";

/** Raised whenever a service changes its tables. SQLite's own default, which older releases left in place, is 0. */
const FORMAT = 2;

/**
 * Marks a new database with this release's format.
 * @param fix what to do about a folder of another format
 * @throws Error naming the folder and the fix when the tables are of another format
 */
export function checkDataFormat(db: DatabaseSync, folder: string, fix: string): void {
  const found = Number(db.prepare("PRAGMA user_version").get()?.user_version);
  if (found === FORMAT) return;
  if (db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() !== undefined)
    throw new Error(`${folder} was written by another release (data format ${found}, this one reads ${FORMAT}). ${fix}`);
  db.exec(`PRAGMA user_version = ${FORMAT}`);
}
