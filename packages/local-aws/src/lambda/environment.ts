/** One execution environment: a child process that runs one invocation at a time. */
import { type ChildProcess, fork } from "node:child_process";

interface EnvironmentOptions {
  readonly bootstrap: string;
  readonly taskRoot: string;
  /** The whole environment of the process. */
  readonly env: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  readonly onLine: (line: string) => void;
}

export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

export type Outcome =
  | { readonly kind: "result"; readonly payload: string; readonly memoryMb: number }
  | { readonly kind: "error"; readonly error: FunctionError; readonly memoryMb: number };

interface Invocation {
  readonly requestId: string;
  readonly payload: string;
  readonly functionArn: string;
  readonly traceId: string;
  readonly timeoutMs: number;
}

type ChildMessage =
  | { readonly type: "ready" }
  | { readonly type: "init-error" | "fatal"; readonly error: FunctionError }
  | { readonly type: "result"; readonly payload: string; readonly memoryMb: number }
  | { readonly type: "error"; readonly error: FunctionError; readonly memoryMb: number };

/** Lambda gives initialisation ten seconds. */
const initTimeoutMs = 10_000;
const sentinel = "\0END ";

export class Environment {
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;
  private answer: ((message: ChildMessage | undefined) => void) | undefined;
  private sentinelSeen: (() => void) | undefined;
  private fatal: FunctionError | undefined;
  private exitText = "";
  /** False once the process has ended or is about to. */
  alive = true;

  constructor(options: EnvironmentOptions) {
    // About what a Lambda function of the same size gives Node for its heap; buffers are outside of it.
    const heap = Math.max(64, Math.floor(options.memoryMb * 0.9));
    this.child = fork(options.bootstrap, [], {
      cwd: options.taskRoot,
      env: { ...options.env },
      execArgv: [`--max-old-space-size=${heap}`],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.child.on("message", (message) => {
      // The child is our own bootstrap, which sends nothing else.
      const received = message as ChildMessage;
      if (received.type === "fatal") this.fatal = received.error;
      else this.answer?.(received);
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream === null) continue;
      forEachLine(stream, (line) => {
        if (line.startsWith(sentinel)) this.sentinelSeen?.();
        else options.onLine(line);
      });
    }
    this.exited = new Promise((resolve) => {
      this.child.once("close", (code, signal) => {
        this.alive = false;
        this.exitText = signal === null ? `exit status ${code}` : `signal: ${signal === "SIGKILL" ? "killed" : signal}`;
        this.answer?.(undefined);
        this.sentinelSeen?.();
        resolve();
      });
      this.child.once("error", () => resolve());
    });
  }

  /** Loads the handler. Returns the error of a failed initialisation. */
  async start(): Promise<FunctionError | undefined> {
    const message = await this.exchange(initTimeoutMs);
    if (message !== "timeout" && message?.type === "ready") return undefined;
    this.kill();
    if (message === "timeout")
      return { errorType: "Sandbox.Timedout", errorMessage: "Error: Task timed out after 10.00 seconds (init)" };
    return message?.type === "init-error" ? message.error : this.exitError("init");
  }

  async invoke(invocation: Invocation): Promise<Outcome> {
    const deadline = Date.now() + invocation.timeoutMs;
    const pending = this.exchange(invocation.timeoutMs);
    this.child.send({ ...invocation, deadline }, () => undefined);
    const message = await pending;
    if (message === "timeout") {
      this.kill();
      const text = `RequestId: ${invocation.requestId} Error: Task timed out after ${(invocation.timeoutMs / 1000).toFixed(2)} seconds`;
      return { kind: "error", error: { errorType: "Sandbox.Timedout", errorMessage: text }, memoryMb: 0 };
    }
    if (message?.type === "result") return { kind: "result", payload: message.payload, memoryMb: message.memoryMb };
    if (message?.type === "error") return { kind: "error", error: message.error, memoryMb: message.memoryMb };
    this.kill();
    return { kind: "error", error: this.fatal ?? this.exitError(invocation.requestId), memoryMb: 0 };
  }

  private exitError(requestId: string): FunctionError {
    return {
      errorType: "Runtime.ExitError",
      errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: ${this.exitText || "exit status 1"}`,
    };
  }

  /** The child's next message after all its output was read; undefined when it ended. */
  private exchange(timeoutMs: number): Promise<ChildMessage | undefined | "timeout"> {
    if (!this.alive) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      let message: ChildMessage | undefined;
      let outputDone = false;
      const finish = (value: ChildMessage | undefined | "timeout") => {
        clearTimeout(timer);
        this.answer = undefined;
        this.sentinelSeen = undefined;
        resolve(value);
      };
      const timer = setTimeout(() => finish("timeout"), timeoutMs);
      this.answer = (received) => {
        message = received;
        if (received === undefined || outputDone || received.type === "init-error") finish(received);
      };
      this.sentinelSeen = () => {
        outputDone = true;
        if (message !== undefined) finish(message);
      };
    });
  }

  /** Ends the process at once. */
  kill(): void {
    this.alive = false;
    this.child.kill("SIGKILL");
  }

  /** Ends the process and waits until it is gone. */
  async end(): Promise<void> {
    this.kill();
    await this.exited;
  }
}

/** Only a line feed ends a line: a carriage return stands for a line break inside a function's message. */
function forEachLine(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
  stream.on("end", () => {
    if (rest !== "") onLine(rest);
  });
}
