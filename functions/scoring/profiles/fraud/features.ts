import { type FeatureDefinition, featureSet } from "../../core/features";
import { haversineKm } from "../../core/geo";
import { shortHash } from "../../core/text-hash";
import { type FraudInput, isRefund, purchaseValue } from "./input";
import { DAY_MS, type RecentSpending } from "./recent";
import { type FraudState, type Place, placesOf } from "./state";

/** Merchant categories that rules can name. Only append: archived features depend on the order. */
const CATEGORIES = [
  "gas_transport",
  "grocery_pos",
  "grocery_net",
  "home",
  "shopping_pos",
  "shopping_net",
  "kids_pets",
  "misc_pos",
  "misc_net",
  "personal_care",
  "food_dining",
  "health_fitness",
  "entertainment",
  "travel",
  "electronics",
  "jewelry",
  "gift_cards",
  "gambling",
  "crypto",
  "money_transfer",
  "cash_withdrawal",
] as const;
const CATEGORY_INDEX = new Map<string, number>(CATEGORIES.map((name, index) => [name, index]));

/**
 * Descriptions are read in reasons too, so they are short. Amounts are in the reference currency, and not known of a refund or without an
 * exchange rate; counts and sums are of purchases.
 */
const DEFINITIONS = [
  { name: "amount", description: "Amount" },
  { name: "hour", description: "Hour of the day" },
  { name: "is_night", description: "1 from midnight to 6", boolean: true },
  { name: "location_mismatch", description: "1 more than 500 km from home, or in a new country, or as given", boolean: true },
  {
    name: "velocity_flag",
    description: "1 from 4 transactions in a minute, 6 in five or 12 in an hour on, or as given",
    boolean: true,
  },
  { name: "count_1m", description: "Transactions in one minute, this one included" },
  { name: "count_5m", description: "Transactions in five minutes, this one included" },
  { name: "count_1h", description: "Transactions in one hour, this one included" },
  { name: "count_24h", description: "Transactions in 24 hours, this one included" },
  { name: "sum_1m", description: "Amount of one minute, this one included" },
  { name: "sum_5m", description: "Amount of five minutes, this one included" },
  { name: "sum_1h", description: "Amount of one hour, this one included" },
  { name: "sum_24h", description: "Amount of 24 hours, this one included" },
  { name: "minutes_since_previous", description: "Time since the transaction before", unit: "min" },
  { name: "distance_km", description: "Distance from the newest known place", unit: "km" },
  { name: "minutes_travelled", description: "Time between both places", unit: "min" },
  { name: "speed_kmh", description: "Speed needed between both places", unit: "km/h" },
  { name: "impossible_travel", description: "1 when faster than 900 km/h over 300 km or more", boolean: true },
  { name: "home_distance_km", description: "Distance from home", unit: "km" },
  { name: "history_count", description: "Transactions known before this one, at most 200" },
  { name: "amount_mean", description: "Mean amount before this one" },
  { name: "amount_zscore", description: "Standard deviations above the mean amount, from five transactions on" },
  { name: "amount_ratio", description: "Amount in proportion to the mean, from five transactions on" },
  { name: "round_amount", description: "1 for a multiple of 100", boolean: true },
  { name: "new_country", description: "1 for a country not seen before when others were", boolean: true },
  { name: "new_category", description: "1 for a category not seen before when others were", boolean: true },
  { name: "new_device", description: "1 for a device not seen before when others were", boolean: true },
  { name: "card_present", description: "1 when the card was there", boolean: true },
  { name: "category", description: "Merchant category", categories: CATEGORIES },
  { name: "exchange_rate", description: "Units of the currency for one of the reference currency, when it is another" },
  { name: "rate_age_days", description: "Age of the exchange rate at the time of the transaction", unit: "days" },
  { name: "currency_unknown", description: "1 for a currency without an exchange rate", boolean: true },
  { name: "is_refund", description: "1 for a negative amount, which is a refund", boolean: true },
  { name: "refund_amount", description: "Amount of a refund in the reference currency" },
  { name: "refund_count_24h", description: "Refunds in 24 hours, this one included" },
  { name: "refund_sum_24h", description: "Amount of the refunds in 24 hours, this one included" },
  { name: "email_alias", description: "1 for an e-mail address that is another spelling of its mailbox", boolean: true },
] as const satisfies readonly FeatureDefinition[];

export type FraudFeature = (typeof DEFINITIONS)[number]["name"];

export const FRAUD_FEATURES = featureSet(DEFINITIONS);

/** Slot of each feature by name. */
export const SLOT = Object.freeze(Object.fromEntries(DEFINITIONS.map(({ name }, slot) => [name, slot]))) as Readonly<
  Record<FraudFeature, number>
>;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NIGHT_ENDS = 6;
/** Airliners cruise at 800 to 900 km/h. */
const AIRLINER_KMH = 900;
/** A merchant's registered place can be 100 km from its shop, at both ends, and authorisations are stamped minutes late. */
const MIN_TRAVEL_KM = 300;
/** A day's drive: farther from home counts as a mismatch if the sender gives no verdict. */
const FAR_FROM_HOME_KM = 500;
/** The mean of fewer amounts says nothing about the next one. */
const MIN_HISTORY = 5;
/**
 * Bursts that no shopper makes. Models were trained with `velocity_flag` computed from these numbers, so they must not change; the rule
 * uses the policy's thresholds, whose defaults are these numbers.
 */
export const FLAGGED_BURST = { count_1m: 4, count_5m: 6, count_1h: 12 } as const;

const NO_REFUNDS: RecentSpending = { times: [], counts: [], sums: [] };

/** Writes the features of a transaction that counts at the time `at`, given what was known before it. */
export function extract(input: FraudInput, state: FraudState | null, out: Float64Array, at: number): void {
  const { hour } = input;
  out[SLOT.hour] = hour;
  out[SLOT.is_night] = hour < NIGHT_ENDS ? 1 : 0;
  money(input, out);
  velocity(input, state, out, at);
  travel(input, state, out, at);
  refunds(input, state, out, at);
  habits(input, state, out);
  out[SLOT.card_present] = input.cardPresent === null ? Number.NaN : +input.cardPresent;
  out[SLOT.category] = (input.category === null ? undefined : CATEGORY_INDEX.get(input.category)) ?? Number.NaN;
  out[SLOT.email_alias] = input.email === null ? Number.NaN : +(input.email !== input.mailbox);
  const previous = state === null ? Number.NaN : newestUpTo(state.times, at);
  out[SLOT.minutes_since_previous] = (at - previous) / MINUTE_MS;
}

function money(input: FraudInput, out: Float64Array): void {
  const { value, exchangeRate, ratesAsOfMs, occurredAtMs } = input;
  out[SLOT.amount] = purchaseValue(input);
  out[SLOT.round_amount] = input.isRound ? 1 : 0;
  out[SLOT.exchange_rate] = exchangeRate;
  out[SLOT.rate_age_days] = Math.floor((occurredAtMs - ratesAsOfMs) / DAY_MS);
  out[SLOT.currency_unknown] = Number.isNaN(value) ? 1 : 0;
  out[SLOT.is_refund] = isRefund(input) ? 1 : 0;
  out[SLOT.refund_amount] = isRefund(input) ? -value : Number.NaN;
}

/**
 * Windows end at the transaction's own time: one that arrives late doesn't count those after it. A refund doesn't count. Of purchases
 * whose value isn't known, the sums leave out earlier ones; with this one they aren't known.
 */
function velocity(input: FraudInput, state: FraudState | null, out: Float64Array, at: number): void {
  const { velocityFlag } = input;
  const count = isRefund(input) ? 0 : 1;
  const sum = isRefund(input) ? 0 : input.value;
  let count1m = count;
  let count5m = count;
  let count1h = count;
  let count24h = count;
  let sum1m = sum;
  let sum5m = sum;
  let sum1h = sum;
  let sum24h = sum;
  if (state !== null) {
    const { times, counts, sums } = state;
    for (let index = times.length - 1; index >= 0; index--) {
      const age = at - times[index]!;
      if (age < 0) continue;
      if (age >= DAY_MS) break;
      const count = counts[index]!;
      const sum = sums[index]!;
      count24h += count;
      sum24h += sum;
      if (age >= HOUR_MS) continue;
      count1h += count;
      sum1h += sum;
      if (age >= 5 * MINUTE_MS) continue;
      count5m += count;
      sum5m += sum;
      if (age >= MINUTE_MS) continue;
      count1m += count;
      sum1m += sum;
    }
  }
  out[SLOT.count_1m] = count1m;
  out[SLOT.count_5m] = count5m;
  out[SLOT.count_1h] = count1h;
  out[SLOT.count_24h] = count24h;
  out[SLOT.sum_1m] = sum1m;
  out[SLOT.sum_5m] = sum5m;
  out[SLOT.sum_1h] = sum1h;
  out[SLOT.sum_24h] = sum24h;
  const isBurst = count1m >= FLAGGED_BURST.count_1m || count5m >= FLAGGED_BURST.count_5m || count1h >= FLAGGED_BURST.count_1h;
  out[SLOT.velocity_flag] = +(velocityFlag ?? isBurst);
}

/** The window ends as those of {@link velocity} do, and leaves out the sums of refunds whose value isn't known. */
function refunds(input: FraudInput, state: FraudState | null, out: Float64Array, at: number): void {
  let count = isRefund(input) ? 1 : 0;
  let sum = isRefund(input) ? -input.value : 0;
  const { times, counts, sums }: RecentSpending = state?.refunds ?? NO_REFUNDS;
  for (let index = times.length - 1; index >= 0; index--) {
    const age = at - times[index]!;
    if (age < 0) continue;
    if (age >= DAY_MS) break;
    count += counts[index]!;
    sum += sums[index]!;
  }
  out[SLOT.refund_count_24h] = count;
  out[SLOT.refund_sum_24h] = sum;
}

/**
 * The speed uses the absolute time between the two places, and at least a second. A refund says nothing of where the user is: the merchant
 * makes it.
 */
function travel(input: FraudInput, state: FraudState | null, out: Float64Array, at: number): void {
  const { latitude, longitude, homeLatitude, homeLongitude } = input;
  let distance = Number.NaN;
  let minutes = Number.NaN;
  let homeDistance = Number.NaN;
  const isHere = !isRefund(input);
  if (isHere && latitude !== null && longitude !== null) {
    const place = state === null ? undefined : placeBefore(placesOf(state), at);
    if (place !== undefined) {
      distance = haversineKm(place[1], place[2], latitude, longitude);
      minutes = Math.max(Math.abs(at - place[0]), 1000) / MINUTE_MS;
    }
    if (homeLatitude !== null && homeLongitude !== null) {
      homeDistance = haversineKm(homeLatitude, homeLongitude, latitude, longitude);
    }
  }
  const speed = distance / (minutes / 60);
  out[SLOT.distance_km] = distance;
  out[SLOT.minutes_travelled] = minutes;
  out[SLOT.speed_kmh] = speed;
  out[SLOT.impossible_travel] = distance >= MIN_TRAVEL_KM && speed > AIRLINER_KMH ? 1 : 0;
  out[SLOT.home_distance_km] = homeDistance;
  const newCountry = isHere ? isNew(input.country, state === null ? null : state.countries) : 0;
  out[SLOT.new_country] = newCountry;
  out[SLOT.location_mismatch] = +(input.locationMismatch ?? (homeDistance > FAR_FROM_HOME_KM || newCountry === 1));
}

function habits(input: FraudInput, state: FraudState | null, out: Float64Array): void {
  const amount = purchaseValue(input);
  const count = state === null ? 0 : state.count;
  const mean = state === null || count === 0 ? Number.NaN : state.mean;
  out[SLOT.history_count] = count;
  out[SLOT.amount_mean] = mean;
  let zscore = Number.NaN;
  let ratio = Number.NaN;
  if (state !== null && count >= MIN_HISTORY) {
    // For a user who always pays the same, every cent would be an outlier: the deviation is at least a tenth of the mean.
    const deviation = Math.max(Math.sqrt(state.spread / count), mean / 10, 1);
    zscore = (amount - mean) / deviation;
    ratio = amount / Math.max(mean, 0.01);
  }
  out[SLOT.amount_zscore] = zscore;
  out[SLOT.amount_ratio] = ratio;
  out[SLOT.new_category] = isNew(input.category, state === null ? null : state.categories);
  out[SLOT.new_device] = isNew(input.deviceId, state === null ? null : state.devices);
}

/** Nothing counts as new for a user without history. */
function isNew(value: string | null, seen: readonly number[] | null): number {
  return value !== null && seen !== null && seen.length > 0 && !seen.includes(shortHash(value)) ? 1 : 0;
}

/** The newest place that isn't later, or else the earliest one. */
function placeBefore(places: readonly Place[], at: number): Place | undefined {
  for (let index = places.length - 1; index >= 0; index--) if (places[index]![0] <= at) return places[index];
  return places[0];
}

function newestUpTo(times: readonly number[], limit: number): number {
  for (let index = times.length - 1; index >= 0; index--) if (times[index]! <= limit) return times[index]!;
  return Number.NaN;
}
