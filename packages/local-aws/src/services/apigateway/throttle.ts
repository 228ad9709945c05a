import type { Throttle } from "./api";

/** Holds up to `burst` tokens, refilled at `rate` per second. */
export class TokenBucket {
  private tokens: number;
  private at: number;

  constructor(
    private readonly limit: Throttle,
    private readonly now: () => number,
  ) {
    this.tokens = limit.burst;
    this.at = now();
  }

  take(): boolean {
    const now = this.now();
    this.tokens = Math.min(this.limit.burst, this.tokens + (Math.max(0, now - this.at) / 1000) * this.limit.rate);
    this.at = now;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}
