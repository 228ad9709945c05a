/** `provider.json`: the port at which another process serves the provider of a stack. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { isAlive } from "./outputs";

export interface RunningProvider {
  readonly port: number;
  readonly pid: number;
}

/** Writes the file for this process. @returns removes it again */
export function announceProvider(file: string, port: number): () => void {
  writeFileSync(file, JSON.stringify({ port, pid: process.pid } satisfies RunningProvider), { mode: 0o600 });
  return () => rmSync(file, { force: true });
}

/**
 * The provider that the file names, if it is running: a killed process leaves its file behind, and another process may have its id by now.
 * @param notice called if the file can't be parsed
 */
export async function runningProvider(file: string, notice: (line: string) => void): Promise<RunningProvider | undefined> {
  if (!existsSync(file)) return undefined;
  const found = parse(readFileSync(file, "utf8"));
  if (found === undefined) {
    notice(`${file}: expected {"port": …, "pid": …}, got something else. It is ignored, and replaced when a provider starts.`);
    return undefined;
  }
  return isAlive(found.pid) && (await listens(found.port)) ? found : undefined;
}

function parse(text: string): RunningProvider | undefined {
  try {
    const { port, pid }: Partial<Record<keyof RunningProvider, unknown>> = JSON.parse(text);
    const isPort = typeof port === "number" && Number.isInteger(port) && port > 0 && port < 65_536;
    // 0 and negative numbers stand for process groups.
    return isPort && typeof pid === "number" && Number.isInteger(pid) && pid > 0 ? { port, pid } : undefined;
  } catch {
    // Not JSON, or null, which has no members.
    return undefined;
  }
}

/** Whether something on this machine listens on the port. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2000, () => end(false));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}
