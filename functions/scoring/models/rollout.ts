import { sha256 } from "../core/hash";
import type { Challenger } from "./model-set";

const BUCKETS = 2 ** 32;

/** The fixed position of a user or event between 0 and 100: the first 32 bits of a hash of the key. */
export function rolloutPosition(key: string): number {
  return (Number.parseInt(sha256(`rollout:${key}`).slice(0, 8), 16) / BUCKETS) * 100;
}

/**
 * The challenger that answers at a position, or null for the champion. Challengers take their percentages one after the other from 0
 * upwards: raising the last one only adds events to it, and the champion loses exactly the sum of all percentages.
 */
export function rolledOutTo(challengers: readonly Challenger[], position: number): Challenger | null {
  let end = 0;
  for (const challenger of challengers) {
    end += challenger.percent;
    if (position < end) return challenger;
  }
  return null;
}

export const hasRollout = (challengers: readonly Challenger[]): boolean => challengers.some(({ percent }) => percent > 0);
