/**
 * Two months of a card issuer's history up to now, to fill a platform with: transactions as they were sent, and the labels that arrived
 * later. It contains a wave of fraud that the shipped models have never seen, so that training has something new to learn.
 */
import { Random } from "../demo/random";
import { type Holder, holder, transaction } from "../demo/traffic";
import { userHistory, WORLD_DAYS, WORLD_START_MS } from "./fraud-world";
import { cents, DAY_MS, HOUR_MS, MINUTE_MS, times } from "./honest";

export interface HistoryEvent {
  readonly id: string;
  readonly user: string;
  readonly atMs: number;
  /** A record of the transaction stream. */
  readonly raw: Readonly<Record<string, unknown>>;
  readonly isFraud: boolean;
}

export interface HistoryLabel {
  readonly event_id: string;
  readonly label: boolean;
  readonly labelled_at: string;
  readonly source: "chargeback" | "investigation";
}

export interface History {
  /** Oldest first. */
  readonly events: readonly HistoryEvent[];
  /** What was known by the end of the history, oldest first. */
  readonly labels: readonly HistoryLabel[];
}

export interface HistoryOptions {
  readonly seed: number;
  readonly users: number;
  /** End of the last day, ms since the epoch; the history is the 60 days before. */
  readonly endMs: number;
}

/** Share of holders whose card was skimmed at a fuel pump in the last six weeks. */
const SKIMMED = 0.22;
const WAVE_DAYS = 42;
/** A chargeback takes days to weeks. Investigators find some fraud, and also clear some false alarms. */
const CHARGEBACK_DAYS = [2, 20] as const;
/** Chargebacks that turn out to be the holder's own purchase: the label flips. */
const FRIENDLY = 0.02;
const CLEARED = 0.01;

/** Transactions a user makes in the 60 days, on average: to choose a number of users for a number of events. */
export const EVENTS_PER_USER = 39;

/** The same options give the same history. */
export function history({ seed, users, endMs }: HistoryOptions): History {
  const shift = endMs - (WORLD_START_MS + WORLD_DAYS * DAY_MS);
  const events: HistoryEvent[] = [];
  const labels: HistoryLabel[] = [];
  for (let user = 0; user < users; user++) {
    const random = new Random(Math.imul(user + 1, 0x85ebca6b) ^ seed);
    const own = userHistory(seed, user)
      .map(({ raw, atMs, isFraud }) => eventOf(raw, atMs + shift, isFraud))
      .filter(({ atMs }) => atMs < endMs);
    if (random.chance(SKIMMED)) own.push(...skimmed(random, holderOf(seed, user), endMs));
    for (const event of own) labels.push(...labelsOf(random, event, endMs));
    events.push(...own);
  }
  events.sort((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1));
  labels.sort((a, b) => (a.labelled_at < b.labelled_at ? -1 : a.labelled_at > b.labelled_at ? 1 : 0));
  return { events, labels };
}

/** The holder of {@link userHistory}, drawn from the same numbers. */
const holderOf = (seed: number, user: number): Holder => holder(new Random(Math.imul(user + 1, 0x9e3779b1) ^ seed), user + 1);

function eventOf(raw: Readonly<Record<string, unknown>>, time: number, isFraud: boolean): HistoryEvent {
  const atMs = Math.trunc(time);
  const timestamp = new Date(atMs).toISOString();
  return { id: String(raw.transaction_id), user: String(raw.user_id), atMs, raw: { ...raw, timestamp }, isFraud };
}

/** Cloned cards used at fuel pumps, card present and near home: only the series of amounts is unusual. */
function skimmed(random: Random, who: Holder, endMs: number): HistoryEvent[] {
  const start = endMs - random.next() * WAVE_DAYS * DAY_MS;
  return times(random, start, random.integer(3, 7), random.between(0.5, 6) * HOUR_MS + MINUTE_MS)
    .filter((time) => time < endMs)
    .map((time) => {
      const amount = cents(random.between(85, 165));
      return eventOf(
        { ...transaction(random, who, time, { amount, category: "gas_transport", card_present: true }) },
        time,
        true,
      );
    });
}

function labelsOf(random: Random, { id, atMs, isFraud }: HistoryEvent, endMs: number): HistoryLabel[] {
  const after = (days: number): number => Math.round(atMs + days * DAY_MS);
  const found: HistoryLabel[] = [];
  const say = (label: boolean, labelledAtMs: number, source: HistoryLabel["source"]): void => {
    if (labelledAtMs < endMs) found.push({ event_id: id, label, labelled_at: new Date(labelledAtMs).toISOString(), source });
  };
  if (isFraud) {
    const reported = random.between(...CHARGEBACK_DAYS);
    say(true, after(reported), "chargeback");
    if (random.chance(FRIENDLY)) say(false, after(reported + random.between(3, 10)), "investigation");
  } else if (random.chance(CLEARED)) {
    say(false, after(random.between(0.1, 3)), "investigation");
  }
  return found;
}
