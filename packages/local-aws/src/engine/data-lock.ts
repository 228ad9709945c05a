/** A data folder is used by one platform at a time: two processes on one database would overwrite each other's state. */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Locks the folder for this process; the returned function unlocks it. A lock that a killed process left behind is taken over, also
 * when another process has its id by now.
 * @throws Error naming the process that holds the lock
 */
export function lockDataDir(folder: string): () => void {
  const file = join(folder, "platform.pid");
  for (let attempt = 1; ; attempt += 1) {
    try {
      writeFileSync(file, `${process.pid} ${startOf(process.pid) ?? ""}`, { flag: "wx" });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      const [, pid = "", started = ""] = /^(\d+) ?(.*)$/.exec(readFileSync(file, "utf8")) ?? [];
      const holder = Number(pid);
      if (attempt > 1 || (holder !== process.pid && isRunning(holder, started))) {
        throw new Error(
          `${folder} is in use by a platform that is already running (process ${holder}). Stop that one, or start this one with --in-memory.`,
        );
      }
      rmSync(file, { force: true });
    }
  }
}

/** The process that began at that time is alive; an unknown time fits any. */
function isRunning(pid: number, started: string): boolean {
  if (!isAlive(pid)) return false;
  const now = startOf(pid);
  return started === "" || now === undefined || now === started;
}

/** When a process began, in the system's own terms. */
function startOf(pid: number): string | undefined {
  try {
    // Field 22, counted from behind the name, which may hold spaces and brackets: proc_pid_stat(5).
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    const text = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).stdout?.trim() ?? "";
    return text === "" ? undefined : text;
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
