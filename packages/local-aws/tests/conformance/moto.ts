/** moto, an implementation of AWS's APIs by others, as a server of its own on a free port. */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { pythonEnvironment } from "../../src/services/jobs/environment";

const START_MS = 60_000;

export interface Moto {
  readonly url: string;
  stop(): Promise<void>;
}

/** @throws Error with what moto printed when it does not come up; with what is needed when Python or pip is missing */
export async function startMoto(): Promise<Moto> {
  const port = await freePort();
  const child = spawn(await pythonEnvironment(), ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => (output += text.toString()));
  const url = `http://127.0.0.1:${port}`;
  const stop = () => end(child);
  try {
    await answering(url, child);
    // Executions run instead of staying where they were put; functions answer without a container.
    await configure(url, { stepfunctions: { execute_state_machine: true }, lambda: { use_docker: false } });
  } catch (error) {
    await stop();
    throw new Error(`moto's server did not start: ${String(error)}\n${output}`);
  }
  return { url, stop };
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`it ended with status ${child.exitCode}.`);
    const answer = await fetch(`${url}/moto-api/config`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    await pause(50);
  }
  throw new Error(`no answer after ${START_MS / 1000} s.`);
}

async function configure(url: string, config: object): Promise<void> {
  const answer = await fetch(`${url}/moto-api/config`, { method: "POST", body: JSON.stringify(config) });
  if (!answer.ok) throw new Error(`its configuration was refused: ${await answer.text()}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
