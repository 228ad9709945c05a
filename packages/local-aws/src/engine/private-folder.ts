/** The data folder holds the owner's secret key and raw records, so nobody else on this machine may read it. */
import { chmodSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

const OTHERS = 0o077;

/** Makes the folder, or closes one that others may read with everything in it. */
export function makePrivate(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // The folder itself comes last, so that an interrupted repair is done again.
  if ((lstatSync(folder).mode & OTHERS) !== 0) close(folder);
}

function close(path: string): void {
  const entry = lstatSync(path);
  if (entry.isSymbolicLink()) return;
  if (entry.isDirectory()) for (const name of readdirSync(path)) close(join(path, name));
  if ((entry.mode & OTHERS) !== 0) chmodSync(path, entry.mode & ~OTHERS & 0o7777);
}
