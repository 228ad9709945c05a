/** Jobs of one kind: what is stored of each, those that run, and their end with the runtime. */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "@risk/program-graph";
import { Documents } from "../documents";
import { type EndReason, Interrupted, RunControl } from "./control";
import type { JobPorts } from "./ports";

export interface JobRecord {
  /** Epoch milliseconds. */
  readonly startedMs: number;
  readonly modifiedMs: number;
  /** Absent while it is under way. */
  readonly endedMs?: number;
}

/** Empty: the job succeeded. */
export interface Outcome {
  /** Why it failed. */
  readonly error?: string;
  /** What ended it from outside, unless it failed because of that. */
  readonly endedBy?: EndReason;
}

export interface JobKind<T extends JobRecord> {
  readonly table: string;
  /** Below the data folder; each job has a folder of its own in it. */
  readonly folder: string;
  /** Between SIGTERM and SIGKILL; 0: SIGKILL at once. */
  readonly graceMs: number;
  /** Error of a job that the end of the runtime interrupted. */
  readonly interrupted: string;
  /** Changes of a record at its end. */
  readonly ended: (outcome: Outcome, record: T) => Partial<T>;
  /** Called for each job that has just ended. */
  readonly announce: (key: string, record: T) => void;
}

/** Carries out a job; resolves to what ended it before its time, if anything did. @throws Interrupted, or Error with the reason */
export type Work = (control: RunControl, folder: string) => Promise<EndReason | undefined>;

export class JobRuns<T extends JobRecord> {
  private readonly store: Documents<T>;
  private readonly running = new Map<string, { readonly control: RunControl; readonly done: Promise<void> }>();
  private readonly folder: string;

  constructor(
    private readonly ports: Pick<JobPorts, "context" | "after">,
    private readonly kind: JobKind<T>,
  ) {
    this.store = new Documents(ports.context.db, kind.table);
    this.folder = join(ports.context.dataDir, kind.folder);
  }

  get(key: string): T | undefined {
    return this.store.get(key);
  }

  /** Keys of the jobs that run. */
  active(): string[] {
    return [...this.running.keys()];
  }

  /** Stores a job and begins it. */
  start(key: string, record: T, work: Work): void {
    this.store.put(key, record);
    const control = new RunControl(this.ports.after, this.kind.graceMs);
    const done = this.carryOut(key, control, work).finally(() => control.close());
    this.running.set(key, { control, done });
  }

  change(key: string, changes: Partial<T>): T {
    const changed = { ...this.need(key), ...changes, modifiedMs: this.ports.context.clock.now() };
    this.store.put(key, changed);
    return changed;
  }

  /** Ends a job; false when it does not run. */
  stop(key: string, changes: Partial<T>): boolean {
    const active = this.running.get(key);
    if (active === undefined) return false;
    this.change(key, changes);
    active.control.end("stop");
    return true;
  }

  /** Resolves when nothing runs. */
  async settled(): Promise<void> {
    await Promise.all([...this.running.values()].map(({ done }) => done));
  }

  async shutdown(): Promise<void> {
    for (const { control } of this.running.values()) control.end("shutdown");
    await this.settled();
  }

  /** Jobs that ran when the runtime was killed don't go on. Nothing listens to events yet. */
  recover(): void {
    rmSync(this.folder, { recursive: true, force: true });
    for (const [key, record] of this.store.entries())
      if (record.endedMs === undefined) this.end(key, record, { error: this.kind.interrupted });
  }

  private async carryOut(key: string, control: RunControl, work: Work): Promise<void> {
    const folder = join(this.folder, key);
    const outcome = await this.outcomeOf(work(control, folder));
    rmSync(folder, { recursive: true, force: true });
    this.kind.announce(key, this.end(key, this.need(key), outcome));
    this.running.delete(key);
  }

  private async outcomeOf(work: Promise<EndReason | undefined>): Promise<Outcome> {
    try {
      const endedBy = await work;
      return endedBy === undefined ? {} : { endedBy };
    } catch (error) {
      if (!(error instanceof Interrupted)) return { error: messageOf(error) };
      return error.reason === "shutdown" ? { error: this.kind.interrupted } : { endedBy: error.reason };
    }
  }

  private end(key: string, record: T, outcome: Outcome): T {
    return this.change(key, { ...this.kind.ended(outcome, record), endedMs: this.ports.context.clock.now() });
  }

  private need(key: string): T {
    const record = this.store.get(key);
    if (record === undefined) throw new Error(`${this.kind.table}: ${key} is not stored.`);
    return record;
  }
}
