/**
 * Histories of card holders with labels, to train fraud models on. The same seed gives the same histories.
 *
 * Fraud and honest behaviour overlap on purpose. Honest holders travel, buy furniture, lend their cards and change phones; half of the
 * thieves stay near home and below every threshold; some fraud is never reported. A model can learn how much each sign is worth.
 */
import { Random } from "../demo/random";
import { type Holder, holder, type Transaction, transaction } from "../demo/traffic";
import { cents, DAY_MS, type Event, HONEST_EPISODES, HOUR_MS, MINUTE_MS } from "./honest";
import { THEFTS } from "./thieves";

/** A raw record of the transaction stream, and whether it was fraud. */
export interface LabelledRecord {
  readonly raw: Readonly<Record<string, unknown>>;
  readonly user: number;
  readonly atMs: number;
  /** Whether it was later reported as fraud: the label for training. */
  readonly isFraud: boolean;
  readonly label: string;
}

export const WORLD_START_MS = Date.UTC(2026, 0, 1);
export const WORLD_DAYS = 60;

/** Chance that fraud happens to a user who is there for all 60 days: about one transaction in a hundred is fraud. */
const VICTIMS = 0.42;
/** Holders overlook some fraud, mostly small amounts; it stays in the data as honest. */
const UNREPORTED = 0.05;
const UNREPORTED_SMALL = 0.15;
const SMALL_AMOUNT = 10;
const NEW_PHONE = 0.25;
/** Senders with their own verdicts don't send all transactions, so a verdict may be based on ones that nobody else has seen. */
const PASSED_ON = 0.5;

/** How much of a transaction a sender reports. */
type Feed = "full" | "country only" | "amount only" | "verdicts";

/** One user's records in time order. */
export function userHistory(seed: number, user: number): readonly LabelledRecord[] {
  const random = new Random(Math.imul(user + 1, 0x9e3779b1) ^ seed);
  const who = holder(random, user + 1);
  const speaksDemo = random.chance(0.5);
  const share = random.next();
  const feed: Feed = share < 0.6 ? "full" : share < 0.72 ? "country only" : share < 0.82 ? "amount only" : "verdicts";
  const start = WORLD_START_MS + random.between(0, 0.8 * WORLD_DAYS) * DAY_MS;
  const end = WORLD_START_MS + WORLD_DAYS * DAY_MS;
  const span = end - start;
  const newPhoneAt = random.chance(NEW_PHONE) ? start + random.next() * span : Number.POSITIVE_INFINITY;
  const newPhone = { ...who, device: random.id("dev-") };
  const holderAt = (at: number): Holder => (at >= newPhoneAt ? newPhone : who);

  const events: Event[] = [];
  /** Some holders buy both bread and sofas with one card. */
  const variety = random.between(0, 0.9);
  /** Degrees by which places differ: some live in one town and shop in three, or the acquirer knows only the region. */
  const roaming = random.chance(0.5) ? 0 : random.between(0.2, 1.2);
  const perDay = Math.exp(0.3 + 0.7 * random.normal());
  for (let at = start; ; ) {
    at += (-Math.log(1 - random.next()) * DAY_MS) / perDay;
    if (at >= end) break;
    const time = atLocalDaytime(random, who, at);
    const usual = transaction(random, holderAt(time), time, speaksDemo ? {} : { category: random.pick(EVERYDAY) });
    const tx = { ...usual, amount: cents(usual.amount * Math.exp(variety * random.normal())) };
    events.push({ transaction: tx, isFraud: false, label: "ordinary" });
  }
  const history = span / (WORLD_DAYS * DAY_MS);
  for (const { label, mean, make } of HONEST_EPISODES) {
    for (let left = poisson(random, mean * history); left > 0; left--) {
      const at = atLocalDaytime(random, who, start + random.next() * span);
      for (const tx of make(random, holderAt(at), at)) events.push({ transaction: tx, isFraud: false, label });
    }
  }
  if (random.chance(VICTIMS * history)) {
    const at = start + random.next() * span;
    for (const event of theft(random).make(random, holderAt(at), at)) {
      const overlooked = random.chance(event.transaction.amount < SMALL_AMOUNT ? UNREPORTED_SMALL : UNREPORTED);
      events.push({ ...event, isFraud: event.isFraud && !overlooked });
    }
  }
  const timed = events.map((event) => ({ ...event, atMs: Date.parse(event.transaction.timestamp) }));
  timed.sort((a, b) => a.atMs - b.atMs);
  const verdicts = new Verdicts(random, who);
  const records = timed.map(({ transaction: tx, atMs, isFraud, label }) => ({
    raw: asSent(roam(random, tx, roaming), atMs, feed, verdicts),
    user,
    atMs,
    isFraud,
    label,
  }));
  return feed === "verdicts" ? records.filter(() => random.chance(PASSED_ON)) : records;
}

const EVERYDAY = [
  "gas_transport",
  "grocery_pos",
  "grocery_pos",
  "home",
  "shopping_pos",
  "shopping_net",
  "kids_pets",
  "misc_pos",
  "misc_net",
  "personal_care",
  "food_dining",
  "food_dining",
  "health_fitness",
  "entertainment",
] as const;

/** Moves most times into the waking hours of the holder's home, on the same day. */
function atLocalDaytime(random: Random, { home }: Holder, at: number): number {
  if (random.chance(0.08)) return at;
  const offset = (home.longitude / 15) * HOUR_MS;
  const midnight = Math.floor((at + offset) / DAY_MS) * DAY_MS - offset;
  const hour = Math.min(23.9, Math.max(6, 14.5 + 4 * random.normal()));
  return Math.round(midnight + hour * HOUR_MS);
}

function roam(random: Random, tx: Transaction, degrees: number): Transaction {
  if (degrees === 0) return tx;
  const near = (value: number) => Math.round((value + random.between(-degrees, degrees)) * 1e4) / 1e4;
  return { ...tx, latitude: near(tx.latitude), longitude: near(tx.longitude) };
}

function poisson(random: Random, mean: number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random.next(); product > limit; product *= random.next()) count++;
  return count;
}

const THEFT_WEIGHT = THEFTS.reduce((sum, { weight }) => sum + weight, 0);

function theft(random: Random): (typeof THEFTS)[number] {
  let left = random.next() * THEFT_WEIGHT;
  for (const candidate of THEFTS) {
    left -= candidate.weight;
    if (left < 0) return candidate;
  }
  return THEFTS[0]!;
}

/** A sender's own verdicts: quick to suspect an account that it doesn't know, and occasionally wrong about any account. */
class Verdicts {
  private readonly recent: number[] = [];
  private sent = 0;

  constructor(
    private readonly random: Random,
    private readonly who: Holder,
  ) {}

  next(tx: Transaction, at: number): { readonly location_mismatch: boolean; readonly velocity_flag: boolean } {
    const { random, who, recent } = this;
    recent.push(at);
    const isBurst = at - (recent[recent.length - 4] ?? Number.NEGATIVE_INFINITY) < 10 * MINUTE_MS;
    const isNew = this.sent++ < 2;
    const isAway = tx.country !== who.home.country;
    // A new account's address is unverified and its first authorisations come in pieces: both verdicts go up together.
    const unsure = isNew && random.chance(0.2);
    return {
      location_mismatch: unsure || (random.chance(0.03) ? !isAway : isAway),
      velocity_flag: unsure || (random.chance(0.02) ? !isBurst : isBurst),
    };
  }
}

function asSent(tx: Transaction, atMs: number, feed: Feed, verdicts: Verdicts): Readonly<Record<string, unknown>> {
  const { transaction_id, user_id, amount, currency, timestamp, category, country, device_id, card_present } = tx;
  const least = { transaction_id, user_id, amount, currency, timestamp };
  // The shipped models were trained with hours in UTC, also where the country tells the local one.
  const time_zone = "UTC";
  switch (feed) {
    case "full":
      return { ...tx, time_zone };
    case "country only":
      return { ...least, time_zone, category, country, device_id, card_present };
    case "amount only":
      return { ...least, category };
    case "verdicts":
      return { ...least, hour: new Date(atMs).getUTCHours(), ...verdicts.next(tx, atMs) };
  }
}
