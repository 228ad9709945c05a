import { type FraudInput, isRefund } from "./input";

/**
 * What is remembered of a user between transactions: plain JSON of at most about 2.5 KB, whatever the user does.
 * Recent spending is a list of (time, count, sum) sorted by time. It is exact while a user makes at most 48 transactions in 24 hours.
 * Beyond that, the two neighbours whose distance is smallest in proportion to their age are merged, so recent windows stay exact and
 * old ones are off by a few per cent.
 */
export interface FraudState {
  /** ms since the epoch, ascending. */
  readonly times: readonly number[];
  readonly counts: readonly number[];
  /** Amounts, rounded to cents. */
  readonly sums: readonly number[];
  /** Number of transactions behind `mean` and `spread`, at most {@link MAX_HISTORY}. */
  readonly count: number;
  readonly mean: number;
  /** Sum of squared differences from the mean (Welford). */
  readonly spread: number;
  /** Place and time of the newest transaction with a place; null before the first. Degrees rounded to 0.01° (about 1 km). */
  readonly place: { readonly latitude: number; readonly longitude: number; readonly atMs: number } | null;
  /** Hashes of values seen before, oldest first, at most {@link MAX_SEEN} each. */
  readonly countries: readonly number[];
  readonly categories: readonly number[];
  readonly devices: readonly number[];
}

export const DAY_MS = 86_400_000;
export const MAX_ENTRIES = 48;
/** From this many amounts on, older ones fade, so that the mean follows a change of habits. */
export const MAX_HISTORY = 200;
export const MAX_SEEN = 16;

const EMPTY: FraudState = {
  times: [],
  counts: [],
  sums: [],
  count: 0,
  mean: 0,
  spread: 0,
  place: null,
  countries: [],
  categories: [],
  devices: [],
};

/**
 * The state after a transaction. Late transactions are sorted in; they do not move the newest place back. A refund is no spending and
 * changes nothing. A purchase of unknown value counts, but adds nothing to sums and mean.
 */
export function fold(state: FraudState | null, input: FraudInput): FraudState {
  const before = state ?? EMPTY;
  if (isRefund(input)) return before;
  const { occurredAtMs, value, latitude, longitude, country, category, deviceId } = input;
  const moves = latitude !== null && longitude !== null && (before.place === null || occurredAtMs >= before.place.atMs);
  const entries = withEntry(before, occurredAtMs, Number.isNaN(value) ? 0 : value);
  return {
    times: entries.times,
    counts: entries.counts,
    sums: entries.sums,
    ...(Number.isNaN(value) ? { count: before.count, mean: before.mean, spread: before.spread } : habitAfter(before, value)),
    place: moves ? { latitude: hundredth(latitude), longitude: hundredth(longitude), atMs: occurredAtMs } : before.place,
    countries: withSeen(before.countries, country),
    categories: withSeen(before.categories, category),
    devices: withSeen(before.devices, deviceId),
  };
}

/** Mean and spread after an amount. */
function habitAfter(before: FraudState, amount: number): Pick<FraudState, "count" | "mean" | "spread"> {
  const fading = before.count >= MAX_HISTORY;
  const count = fading ? MAX_HISTORY : before.count + 1;
  const spread = fading ? before.spread * ((MAX_HISTORY - 1) / MAX_HISTORY) : before.spread;
  const difference = amount - before.mean;
  const mean = before.mean + difference / count;
  return { count, mean, spread: spread + difference * (amount - mean) };
}

interface Entries {
  readonly times: number[];
  readonly counts: number[];
  readonly sums: number[];
}

function withEntry(before: FraudState, atMs: number, amount: number): Entries {
  const { length } = before.times;
  const newest = Math.max(atMs, length > 0 ? before.times[length - 1]! : atMs);
  let first = 0;
  while (first < length && before.times[first]! <= newest - DAY_MS) first++;
  const entries: Entries = {
    times: before.times.slice(first),
    counts: before.counts.slice(first),
    sums: before.sums.slice(first),
  };
  if (atMs <= newest - DAY_MS) return entries;
  let at = entries.times.length;
  while (at > 0 && entries.times[at - 1]! > atMs) at--;
  if (at === entries.times.length) {
    // The common case; `push` keeps the arrays' packed shape and avoids the copies of `splice`.
    entries.times.push(atMs);
    entries.counts.push(1);
    entries.sums.push(hundredth(amount));
  } else {
    entries.times.splice(at, 0, atMs);
    entries.counts.splice(at, 0, 1);
    entries.sums.splice(at, 0, hundredth(amount));
  }
  if (entries.times.length > MAX_ENTRIES) mergeClosest(entries, newest);
  return entries;
}

/** The merged entry takes the later time: a window may count slightly too much, but not too little. */
function mergeClosest({ times, counts, sums }: Entries, newest: number): void {
  let best = 0;
  let bestShare = Number.POSITIVE_INFINITY;
  for (let index = 0; index + 1 < times.length; index++) {
    const share = (times[index + 1]! - times[index]!) / (newest - times[index]! + 1);
    if (share < bestShare) {
      best = index;
      bestShare = share;
    }
  }
  counts[best + 1]! += counts[best]!;
  sums[best + 1] = hundredth(sums[best + 1]! + sums[best]!);
  times.splice(best, 1);
  counts.splice(best, 1);
  sums.splice(best, 1);
}

function withSeen(seen: readonly number[], value: string | null): readonly number[] {
  if (value === null) return seen;
  const hash = seenHash(value);
  if (seen.includes(hash)) return seen;
  return seen.length < MAX_SEEN ? [...seen, hash] : [...seen.slice(1), hash];
}

/** 32-bit FNV-1a: short in the table, and device ids themselves are not kept. */
export function seenHash(value: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < value.length; index++) hash = Math.imul(hash ^ value.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

function hundredth(value: number): number {
  // Adding 0 turns −0, which JSON cannot hold, into 0.
  return Math.round(value * 100) / 100 + 0;
}
