/** The one place where a running job is ended from outside: stopped, timed out, or by the end of the runtime. */
import type { Child } from "./child";

export type EndReason = "stop" | "timeout" | "shutdown";

/** Thrown inside a job that was ended from outside between two steps. */
export class Interrupted extends Error {
  constructor(readonly reason: EndReason) {
    super(`The job was ended: ${reason}.`);
    this.name = "Interrupted";
  }
}

/** Starts a timer; the result cancels it. */
export type After = (ms: number, run: () => void) => () => void;

export const realTimers: After = (ms, run) => {
  // setTimeout holds at most 2^31-1 ms (24.8 days); SageMaker allows 28 days.
  const timer = setTimeout(run, Math.min(ms, 2 ** 31 - 1));
  return () => clearTimeout(timer);
};

export class RunControl {
  private ended: EndReason | undefined;
  private child: Child | undefined;
  private readonly cancels: (() => void)[] = [];

  /** @param graceMs between SIGTERM and SIGKILL; 0: SIGKILL at once */
  constructor(
    private readonly after: After,
    private readonly graceMs: number,
  ) {}

  get reason(): EndReason | undefined {
    return this.ended;
  }

  /** Ends the job; the first reason stands. */
  end(reason: EndReason): void {
    this.ended ??= reason;
    this.signal(reason === "shutdown");
  }

  /** Ends the job with "timeout" after so long. */
  limit(ms: number): void {
    this.cancels.push(this.after(ms, () => this.end("timeout")));
  }

  /** The process that the end of the job reaches. */
  attach(child: Child): void {
    this.child = child;
    if (this.ended !== undefined) this.signal(this.ended === "shutdown");
  }

  /** @throws Interrupted */
  check(): void {
    if (this.ended !== undefined) throw new Interrupted(this.ended);
  }

  /** Cancels what still ticks. */
  close(): void {
    for (const cancel of this.cancels.splice(0)) cancel();
    this.child = undefined;
  }

  private signal(atOnce: boolean): void {
    const { child } = this;
    if (child === undefined) return;
    if (atOnce || this.graceMs === 0) child.kill("SIGKILL");
    else {
      child.kill("SIGTERM");
      this.cancels.push(this.after(this.graceMs, () => child.kill("SIGKILL")));
    }
  }
}
