/** Faults of the machine itself, by the clock: a disk that is full for a while, and a killed database. */
import type { InjectedFault, MachineFault, MachineRule } from "./schedule";

export interface Machine {
  /** From now on every write to the runtime's state fails, or no longer. */
  setDiskFull(full: boolean): void;
  /** @returns false if the database isn't running */
  killDatabase(): boolean;
}

export class MachineFaults {
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly counts = new Map<MachineFault, number>();
  /** Rules that fill the disk now. */
  private filling = 0;

  constructor(
    rules: readonly MachineRule[],
    private readonly machine: Machine,
  ) {
    for (const rule of rules) this.after(rule.fromSeconds, () => this.begin(rule));
  }

  injected(): readonly InjectedFault[] {
    return [...this.counts].map(([kind, count]) => ({ kind, target: "", count }));
  }

  /** Nothing more happens, and the disk has room. */
  end(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    if (this.filling > 0) this.machine.setDiskFull(false);
    this.filling = 0;
  }

  private begin(rule: MachineRule): void {
    if (rule.repeatSeconds !== undefined) this.after(rule.repeatSeconds, () => this.begin(rule));
    if (rule.kind === "killed-database") {
      if (this.machine.killDatabase()) this.count(rule.kind);
      return;
    }
    this.count(rule.kind);
    this.filling += 1;
    this.machine.setDiskFull(true);
    this.after(rule.untilSeconds - rule.fromSeconds, () => this.makeRoom());
  }

  private makeRoom(): void {
    this.filling -= 1;
    if (this.filling === 0) this.machine.setDiskFull(false);
  }

  private count(kind: MachineFault): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  private after(seconds: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      act();
    }, seconds * 1000);
    // A platform that has stopped doesn't wait for the next fault.
    timer.unref();
    this.timers.add(timer);
  }
}
