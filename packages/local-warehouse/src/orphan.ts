/** A server of an earlier run that was killed too hard to stop its own. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";

const STOP_TIMEOUT_MS = 4_000;
const POLL_MS = 15;

/** Ends the server that runs in the data folder; it is certainly ours. */
export async function stopOrphan(data: string): Promise<void> {
  const pidFile = join(data, "postmaster.pid");
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, "utf8").split("\n")[0]);
  if (Number.isInteger(pid) && pid > 1 && isOurServer(pid, data)) {
    process.kill(pid, "SIGINT");
    await untilDead(pid);
    if (isAlive(pid) && isOurServer(pid, data)) process.kill(pid, "SIGKILL");
    await untilDead(pid);
  }
  rmSync(pidFile, { force: true });
}

async function untilDead(pid: number): Promise<void> {
  for (let waited = 0; waited < STOP_TIMEOUT_MS && isAlive(pid); waited += POLL_MS)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

function isOurServer(pid: number, data: string): boolean {
  try {
    return (
      readlinkSync(`/proc/${pid}/cwd`) === realpathSync(data) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("postgres")
    );
  } catch {
    const { stdout } = spawnSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" });
    return (stdout ?? "").includes("postgres") && (stdout ?? "").includes(data);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
