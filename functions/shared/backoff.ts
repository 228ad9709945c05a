/** Bounded retries with full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog). */
export interface Backoff {
  /** The first try included. */
  readonly attempts: number;
  readonly baseMs: number;
  readonly capMs: number;
  /** Uniform in [0, 1); seeded in tests. */
  readonly random: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

export const DEFAULT_BACKOFF: Backoff = {
  attempts: 5,
  baseMs: 25,
  capMs: 800,
  random: Math.random,
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

/** Waits before try number `attempt` (1 is the first retry): uniform between 0 and min(cap, base·2^attempt). */
export function pause(backoff: Backoff, attempt: number): Promise<void> {
  return backoff.sleep(Math.floor(backoff.random() * Math.min(backoff.capMs, backoff.baseMs * 2 ** attempt)));
}
