/** Bounded retries with full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog). */
export interface Backoff {
  /** Including the first try. */
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

/** Milliseconds to wait before try number `attempt` (1 is the first retry): uniform between 0 and min(cap, base·2^attempt). */
export const pauseMs = ({ random, capMs, baseMs }: Pick<Backoff, "random" | "capMs" | "baseMs">, attempt: number): number =>
  Math.floor(random() * Math.min(capMs, baseMs * 2 ** attempt));

/** Pauses before try number `attempt`. */
export const pause = (backoff: Backoff, attempt: number): Promise<void> => backoff.sleep(pauseMs(backoff, attempt));
