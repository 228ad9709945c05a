/** Token buckets and quotas. */
import type { Throttle } from "./api.js";

/** Holds up to `burst` tokens, refilled at `rate` a second. */
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

export type QuotaPeriod = "DAY" | "WEEK" | "MONTH";

/** Start of the period that `time` lies in, UTC; weeks begin on Sunday. */
export function periodStart(time: number, period: QuotaPeriod): number {
  const date = new Date(time);
  const day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
  if (period === "DAY") return day;
  if (period === "WEEK") return day - date.getUTCDay() * 86_400_000;
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
}
