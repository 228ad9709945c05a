/** Wall clock as a port: cores get times as values, handlers read the clock, tests use a fixed one. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
