/** Bookkeeping of event sources that a full disk delays but never loses. */
import { messageOf } from "@risk/program-graph";
import { isServiceFault } from "../disk";
import type { Timers } from "./ports";

const RETRY_MS = 1000;

export class Persistence {
  private readonly waits = new Set<() => void>();
  private ended = false;

  constructor(
    private readonly timers: Timers,
    private readonly log: (line: string) => void,
  ) {}

  /**
   * Does the work, and again every second while its service can't take it. Returns false when {@link end} came first.
   * @throws what isn't a fault of the service
   */
  async run(title: string, work: () => unknown): Promise<boolean> {
    for (;;) {
      try {
        await work();
        return true;
      } catch (error) {
        if (!isServiceFault(error)) throw error;
        if (this.ended) return false;
        this.log(`${title}: ${messageOf(error)}; trying again.`);
      }
      await this.sleep();
    }
  }

  private sleep(): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        cancel();
        this.waits.delete(wake);
        resolve();
      };
      const cancel = this.timers.after(RETRY_MS, wake);
      this.waits.add(wake);
    });
  }

  /** Each work that waits is tried a last time. */
  end(): void {
    this.ended = true;
    for (const wake of [...this.waits]) wake();
  }
}
