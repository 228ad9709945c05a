/** A data folder is used by one platform at a time: two processes on one database would overwrite each other's state. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Locks the folder for this process; the returned function unlocks it. A lock that a killed process left behind is taken over.
 * @throws Error naming the process that holds the lock
 */
export function lockDataDir(folder: string): () => void {
  const file = join(folder, "platform.pid");
  for (let attempt = 1; ; attempt += 1) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      const holder = Number(readFileSync(file, "utf8"));
      if (attempt > 1 || (holder !== process.pid && isAlive(holder))) {
        throw new Error(
          `${folder} is in use by a platform that is already running (process ${holder}). Stop that one, or start this one with --in-memory.`,
        );
      }
      rmSync(file, { force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
