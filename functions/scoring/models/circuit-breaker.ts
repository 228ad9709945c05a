/**
 * Circuit breaker (Nygard, "Release It!"): after some failures in a row it stays open for a while, so that nobody waits for a service
 * that is down; then one call goes through as a trial, and its outcome closes the breaker or opens it again for twice as long.
 */
export interface BreakerSettings {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** Milliseconds that it stays open: the first time, and at most. */
  readonly openMs: number;
  readonly maxOpenMs: number;
  readonly now: () => number;
}

export interface CircuitBreaker {
  /** Whether a call may be made now. In the half-open state, true makes the caller the trial: it must report the outcome. */
  admits(): boolean;
  succeeded(): void;
  failed(): void;
  state(): "closed" | "open" | "half-open";
}

export function circuitBreaker({ failures, openMs, maxOpenMs, now }: BreakerSettings): CircuitBreaker {
  let inARow = 0;
  let openUntil = Number.NEGATIVE_INFINITY;
  let isOpen = false;
  let hasTrial = false;
  let pause = openMs;
  const open = (): void => {
    isOpen = true;
    openUntil = now() + pause;
    pause = Math.min(pause * 2, maxOpenMs);
  };
  return {
    admits() {
      if (!isOpen) return true;
      if (hasTrial || now() < openUntil) return false;
      hasTrial = true;
      return true;
    },
    succeeded() {
      inARow = 0;
      isOpen = false;
      hasTrial = false;
      pause = openMs;
    },
    failed() {
      inARow++;
      if (hasTrial) {
        hasTrial = false;
        open();
      } else if (!isOpen && inARow >= failures) open();
    },
    state: () => (!isOpen ? "closed" : hasTrial || now() >= openUntil ? "half-open" : "open"),
  };
}
