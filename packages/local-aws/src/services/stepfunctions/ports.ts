/** What interpreting a program needs of the execution that it belongs to. */
import type { TaskPort } from "./tasks/integration";
import type { Timers } from "./timers";

/** One line of events: the machine itself, or an iteration of a Map. */
export interface Branch {
  readonly signal: AbortSignal;
  /** Id of its newest event. */
  previous: number;
  /** Of the innermost Map. */
  readonly item: { readonly Index: number; readonly Value: unknown } | undefined;
}

export interface InterpreterPorts {
  /** Stores an event after `branch.previous` and moves `branch.previous` to it. */
  record(branch: Branch, type: string, details?: Readonly<Record<string, unknown>>): void;
  readonly timers: Timers;
  /** From 0 (inclusive) to 1, for jitter. */
  random(): number;
  /** What every task of the execution uses. */
  readonly tasks: Omit<TaskPort, "signal" | "submitted" | "pause" | "log"> & { readonly region: string };
  /** `Execution` and `StateMachine` of the context object. */
  readonly context: Readonly<Record<string, unknown>>;
  /** One line for the person at the terminal. */
  readonly log: (line: string) => void;
}
