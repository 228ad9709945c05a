/** One running function or client. When it ends, whatever it waits for never comes; what it has sent may still arrive. */
import type { Scheduler } from "./scheduler";

export class Process {
  #isAlive = true;
  #calls = 0;
  #onEnd: (() => void) | undefined;

  constructor(
    readonly name: string,
    private readonly scheduler: Scheduler,
    /** Epoch milliseconds at which it is stopped. */
    readonly deadline: number,
    /** Number of the call at which it crashes; undefined: never. */
    private readonly crashAtCall: number | undefined,
  ) {}

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Counts a call. @returns false when the process crashes at it */
  beginCall(): boolean {
    this.#calls++;
    if (this.#calls !== this.crashAtCall) return true;
    this.end();
    return false;
  }

  onEnd(listener: () => void): void {
    this.#onEnd = listener;
  }

  end(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#onEnd?.();
  }

  /** Continues after the pause only if the process still runs. Node's shortest timer takes 1 ms: who polls without a pause would stop time. */
  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.scheduler.after(Math.max(1, milliseconds), () => {
        if (this.#isAlive) resolve();
      });
    });
  }
}
