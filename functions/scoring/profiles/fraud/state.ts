import { shortHash } from "../../core/text-hash";
import { type FraudInput, isRefund } from "./input";
import { hundredth, type RecentSpending, withSpending } from "./recent";

/**
 * What is remembered of a user between transactions: plain JSON of at most about 5 KB, whatever the user does, and 0.6 KB for one who pays ten
 * times a day. Transactions come in any order: once all have come, recent spending, places and `count` are the same for every order, and
 * those of one millisecond stand as they came. `mean` and `spread` differ by rounding, and from {@link MAX_HISTORY} transactions on by what
 * has faded; of more than {@link MAX_SEEN} values, those are kept that were new last.
 */
export interface FraudState extends RecentSpending {
  /** Number of transactions behind `mean` and `spread`, at most {@link MAX_HISTORY}. */
  readonly count: number;
  readonly mean: number;
  /** Sum of squared differences from the mean (Welford). */
  readonly spread: number;
  /** Refunds of the last day, as positive sums; absent before the first. */
  readonly refunds?: RecentSpending;
  /** The newest, at most {@link MAX_PLACES}, in order: a transaction that comes late is measured from where the user was before it. */
  readonly places: readonly Place[];
  /** Hashes of values seen before, oldest first, at most {@link MAX_SEEN} each. */
  readonly countries: readonly number[];
  readonly categories: readonly number[];
  readonly devices: readonly number[];
}

/** ms since the epoch, latitude and longitude, which are rounded to 0.01° (about 1 km). */
export type Place = readonly [number, number, number];

/** From this many amounts on, older ones fade, so that the mean follows a change of habits. */
export const MAX_HISTORY = 200;
export const MAX_SEEN = 16;
export const MAX_PLACES = 4;
/** Refunds are rare, and only their number and sum in a day count. */
const EXACT_REFUNDS = 8;

const NONE: RecentSpending = { times: [], counts: [], sums: [] };
const EMPTY: FraudState = {
  ...NONE,
  count: 0,
  mean: 0,
  spread: 0,
  places: [],
  countries: [],
  categories: [],
  devices: [],
};

/** As states were before they had several places. */
interface OnePlace {
  readonly place: { readonly latitude: number; readonly longitude: number; readonly atMs: number } | null;
}

/** The places of a state, whichever version stored it. */
export function placesOf(state: FraudState | (Omit<FraudState, "places"> & OnePlace)): readonly Place[] {
  if ("places" in state) return state.places;
  return state.place === null ? [] : [[state.place.atMs, state.place.latitude, state.place.longitude]];
}

/**
 * The state after a transaction that counts at the time `at`. A refund is no spending, and no sign of where the user is: it only counts as
 * a refund. A purchase of unknown value counts, but adds nothing to sums and mean.
 */
export function fold(state: FraudState | null, input: FraudInput, at: number): FraudState {
  const before = state ?? EMPTY;
  const { value, latitude, longitude, country, category, deviceId } = input;
  const known = Number.isNaN(value) ? 0 : value;
  if (isRefund(input)) return { ...before, refunds: withSpending(before.refunds ?? NONE, at, -known, EXACT_REFUNDS) };
  const { times, counts, sums } = withSpending(before, at, known);
  const places = placesOf(before);
  return {
    times,
    counts,
    sums,
    ...(Number.isNaN(value) ? { count: before.count, mean: before.mean, spread: before.spread } : habitAfter(before, value)),
    ...(before.refunds === undefined ? {} : { refunds: before.refunds }),
    places: latitude === null || longitude === null ? places : withPlace(places, [at, hundredth(latitude), hundredth(longitude)]),
    countries: withSeen(before.countries, country),
    categories: withSeen(before.categories, category),
    devices: withSeen(before.devices, deviceId),
  };
}

/** Mean and spread after a purchase. */
function habitAfter(before: FraudState, amount: number): Pick<FraudState, "count" | "mean" | "spread"> {
  const fading = before.count >= MAX_HISTORY;
  const count = fading ? MAX_HISTORY : before.count + 1;
  const spread = fading ? before.spread * ((MAX_HISTORY - 1) / MAX_HISTORY) : before.spread;
  const difference = amount - before.mean;
  const mean = before.mean + difference / count;
  return { count, mean, spread: spread + difference * (amount - mean) };
}

/** Where several of one time are the oldest, the one of the smallest degrees goes first, whichever came first. */
function withPlace(before: readonly Place[], place: Place): readonly Place[] {
  const places = before.filter((other) => order(other, place) !== 0);
  let index = places.length;
  while (index > 0 && places[index - 1]![0] > place[0]) index--;
  places.splice(index, 0, place);
  if (places.length <= MAX_PLACES) return places;
  let oldest = 0;
  for (let next = 1; next <= MAX_PLACES; next++)
    if (places[next]![0] === places[0]![0] && order(places[next]!, places[oldest]!) < 0) oldest = next;
  places.splice(oldest, 1);
  return places;
}

const order = (a: Place, b: Place): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];

function withSeen(seen: readonly number[], value: string | null): readonly number[] {
  if (value === null) return seen;
  // Short in the table, and device ids themselves are not kept.
  const hash = shortHash(value);
  if (seen.includes(hash)) return seen;
  return seen.length < MAX_SEEN ? [...seen, hash] : [...seen.slice(1), hash];
}
