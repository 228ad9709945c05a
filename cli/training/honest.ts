/** What honest card holders do that looks like fraud: each episode is a list of transactions, and none is fraud. */

import type { Random } from "../demo/random";
import { cities, farFrom, type Holder, type Transaction, transaction } from "../demo/traffic";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export interface Event {
  readonly transaction: Transaction;
  readonly isFraud: boolean;
  /** For people to read: `trip abroad`, `card testing` … */
  readonly label: string;
}

/** Makes the events of one episode that starts at `at` (epoch ms), in time order. */
export type Episode = (random: Random, who: Holder, at: number) => readonly Event[];

/** Mean number of times that an episode happens to a user in the whole history. */
export interface Habit {
  readonly label: string;
  readonly mean: number;
  readonly make: (random: Random, who: Holder, at: number) => readonly Transaction[];
}

export const cents = (amount: number): number => Math.max(0.5, Math.round(amount * 100) / 100);

/** A larger amount, round in three of ten cases, whoever pays it: round amounts alone must not give thieves away. */
export function largeAmount(random: Random, amount: number): number {
  return random.chance(0.3) ? Math.max(100, Math.round(amount / 100) * 100) : cents(amount);
}

export function place(city: { readonly country: string; readonly latitude: number; readonly longitude: number }, random: Random) {
  const near = (degrees: number) => Math.round((degrees + random.between(-0.12, 0.12)) * 1e4) / 1e4;
  return { country: city.country, latitude: near(city.latitude), longitude: near(city.longitude) };
}

/** Times of `count` transactions after `at` whose gaps are exponential with a mean of `gapMs`. */
export function times(random: Random, at: number, count: number, gapMs: number): readonly number[] {
  let time = at;
  return Array.from({ length: count }, () => {
    time += Math.round(-Math.log(1 - random.next()) * gapMs);
    return time;
  });
}

export const HONEST_EPISODES: readonly Habit[] = [
  {
    label: "trip abroad",
    mean: 0.5,
    make(random, who, at) {
      const away = random.chance(0.5) ? farFrom(random, who.home) : random.pick(cities);
      // Half a day of travel, then meals, hotels and shops, sometimes several in an hour, and expensive ones.
      const count = random.integer(4, 18);
      return times(random, at + random.between(5, 14) * HOUR_MS, count, random.between(1, 7) * HOUR_MS).map((time) =>
        transaction(random, who, time, {
          ...place(away, random),
          amount: cents(who.typicalAmount * Math.exp(random.between(0.2, 0.8) + 0.9 * random.normal())),
          category: random.pick(["food_dining", "travel", "restaurant", "shopping_pos", "entertainment", "gas_transport"]),
          card_present: random.chance(0.8),
        }),
      );
    },
  },
  {
    label: "large purchase",
    mean: 1.6,
    make(random, who, at) {
      // Furniture, a holiday, a repair: a few hundred to ten thousand, often a round sum.
      return [
        transaction(random, who, at, {
          amount: largeAmount(random, Math.exp(random.between(5.5, 9.1))),
          category: random.pick(["electronics", "home", "travel", "shopping_net", "online_retail", "jewelry", "health"]),
          card_present: random.chance(0.45),
        }),
      ];
    },
  },
  {
    label: "shopping spree",
    mean: 0.8,
    make: (random, who, at) =>
      times(random, at, random.integer(4, 10), random.between(2, 12) * MINUTE_MS).map((time) =>
        transaction(random, who, time, {
          amount: cents(who.typicalAmount * Math.exp(0.3 + 0.7 * random.normal())),
          category: random.pick(["shopping_pos", "shopping_net", "personal_care", "online_retail", "electronics", "kids_pets"]),
        }),
      ),
  },
  {
    label: "busy day",
    mean: 0.35,
    // Errands, a shared card, a small firm: a dozen ordinary transactions within hours.
    make: (random, who, at) =>
      times(random, at, random.integer(8, 16), random.between(6, 16) * MINUTE_MS).map((time) => transaction(random, who, time)),
  },
  {
    label: "small change",
    mean: 0.7,
    // Vending machines, parking, tickets, games: a series of small amounts, like those of card testers.
    make: (random, who, at) =>
      times(random, at, random.integer(3, 9), random.between(0.3, 6) * MINUTE_MS).map((time) =>
        transaction(random, who, time, {
          amount: cents(random.between(0.8, 6)),
          category: random.pick(["entertainment", "gas_transport", "misc_net", "online_retail"]),
          card_present: random.chance(0.4),
        }),
      ),
  },
  {
    label: "remote merchant",
    mean: 1.3,
    // An online shop whose registered office is far away, between two purchases at home: nobody has travelled, despite the speed.
    make: (random, who, at) => [
      transaction(random, who, at, {
        ...place(farFrom(random, who.home), random),
        amount: cents(who.typicalAmount * Math.exp(0.2 + 0.8 * random.normal())),
        category: random.pick(["shopping_net", "misc_net", "online_retail", "travel", "electronics"]),
        card_present: false,
      }),
      transaction(random, who, at + random.between(5, 90) * MINUTE_MS),
    ],
  },
  {
    label: "borrowed device",
    mean: 0.4,
    make: (random, who, at) => [
      transaction(random, who, at, {
        device_id: random.id("dev-"),
        amount: cents(who.typicalAmount * Math.exp(0.3 + 0.8 * random.normal())),
        card_present: false,
      }),
    ],
  },
  {
    label: "gift or deposit",
    mean: 0.5,
    make: (random, who, at) => [
      transaction(random, who, at, {
        amount: random.pick([20, 50, 100, 100, 200, 300, 500]),
        category: random.pick(["gift_cards", "money_transfer", "cash_withdrawal", "gambling", "crypto"]),
        card_present: random.chance(0.4),
      }),
    ],
  },
];
