import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ResolvedArchive } from "@risk/program-graph";

/** Unpacks into a temporary folder and renames it, so that the target is complete or absent. */
export function unpack(code: ResolvedArchive, target: string): void {
  if (existsSync(target)) return;
  const partial = `${target}.${randomUUID()}.partial`;
  for (const [path, bytes] of Object.entries(code.files)) {
    const file = join(partial, path);
    if (!file.startsWith(partial)) throw new Error(`Archive entry "${path}" lies outside the archive.`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
  mkdirSync(partial, { recursive: true });
  try {
    renameSync(partial, target);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
}
