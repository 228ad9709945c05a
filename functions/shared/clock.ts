/** Wall clock as a port: cores take times as values, handlers read them here, tests use a fixed one. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
