/** A child process with its own process group, so that everything it started can be ended with it. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

export interface Exit {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment of the process. */
  readonly env: Readonly<Record<string, string>>;
  readonly onLines: (stream: "stdout" | "stderr", lines: readonly string[]) => void;
}

/** A grandchild outside the group may keep the output open; it is closed after this long (ms). */
const OUTPUT_GRACE_MS = 5000;

export class Child {
  /** Resolves when the process and its group are gone and all output was read. Rejects when it could not be started. */
  readonly exited: Promise<Exit>;
  /** Stays open as long as this process lives: a host ends itself when it closes. */
  readonly input: Writable;
  /** The child's descriptor 3. */
  readonly answers: Readable;
  private readonly process: ChildProcess;

  constructor({ command, args, cwd, env, onLines }: ChildOptions) {
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ["pipe", "pipe", "pipe", "pipe"] });
    const { stdin, stdout, stderr } = child;
    const answers = child.stdio[3];
    if (answers === null || answers === undefined || !("read" in answers)) throw new Error("The child has no descriptor 3.");
    this.process = child;
    this.input = stdin;
    this.answers = answers;
    // `exited` reports a child's end; writing to its closed input must not end this process.
    stdin.on("error", () => undefined);
    forEachLine(stdout, (lines) => onLines("stdout", lines));
    forEachLine(stderr, (lines) => onLines("stderr", lines));
    this.exited = new Promise((resolve, reject) => {
      let giveUp: NodeJS.Timeout | undefined;
      child.once("error", reject);
      child.once("exit", () => {
        this.kill("SIGKILL");
        giveUp = setTimeout(() => {
          for (const stream of [stdout, stderr, answers]) stream.destroy();
        }, OUTPUT_GRACE_MS);
      });
      child.once("close", (code, signal) => {
        clearTimeout(giveUp);
        resolve({ code: code ?? undefined, signal: signal ?? undefined });
      });
    });
  }

  /** Signals the whole group. */
  kill(signal: "SIGTERM" | "SIGKILL"): void {
    if (this.process.pid === undefined) return;
    try {
      process.kill(-this.process.pid, signal);
    } catch (error) {
      // ESRCH: the group is gone already.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

/** Calls back once per chunk, with its complete lines. */
function forEachLine(stream: Readable, onLines: (lines: readonly string[]) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    if (lines.length > 0) onLines(lines);
  });
  stream.on("close", () => {
    if (rest !== "") onLines([rest]);
    rest = "";
  });
}
