/** Time as executions see it; tests use one that they advance themselves. */
import { setTimeout } from "node:timers/promises";

export interface Timers {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The longest time that one timer of Node can wait. */
const maxTimerMs = 2 ** 31 - 1;

export function systemTimers(clock: { now(): number }): Timers {
  return {
    now: () => clock.now(),
    sleep: async (ms, signal) => {
      for (let left = ms; left > 0; left -= maxTimerMs) {
        // Node rejects with an error of its own; what counts is the signal's reason.
        await setTimeout(Math.min(left, maxTimerMs), undefined, { signal }).catch(() => signal.throwIfAborted());
      }
      signal.throwIfAborted();
    },
  };
}

/** The promise, or a rejection with the signal's reason as soon as it is aborted: for work that cannot be stopped. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) work.catch(() => undefined);
  signal.throwIfAborted();
  let abort = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
