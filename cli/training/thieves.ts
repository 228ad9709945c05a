/** What thieves do: the demo's four obvious patterns, and quieter ones that overlap with honest habits. */
import { patterns, transaction } from "../demo/traffic";
import { cents, type Episode, HOUR_MS, largeAmount, MINUTE_MS, times } from "./honest";

/** How many transactions at the start of a demo pattern are the holder's own, before the thief acts from elsewhere. */
const HOLDERS_OWN: Readonly<Record<string, number>> = { "impossible travel": 1, "account takeover": 1 };

interface Theft {
  readonly label: string;
  /** How often the pattern occurs, relative to the others. */
  readonly weight: number;
  readonly make: Episode;
}

const loud: readonly Theft[] = patterns.map(([label, make]) => ({
  label,
  weight: 1,
  make: (random, who, at) =>
    make(random, who, at).map((tx, index) => ({ transaction: tx, isFraud: index >= (HOLDERS_OWN[label] ?? 0), label })),
}));

const fraud =
  (label: string, make: (...args: Parameters<Episode>) => readonly ReturnType<typeof transaction>[]): Episode =>
  (random, who, at) =>
    make(random, who, at).map((tx) => ({ transaction: tx, isFraud: true, label }));

const quiet: readonly Theft[] = [
  {
    label: "slow card testing",
    weight: 2,
    // Minutes to an hour apart, below every burst threshold, followed by the purchase that the tests were for.
    make: fraud("slow card testing", (random, who, at) => {
      const tests = times(random, at, random.integer(2, 6), random.between(8, 50) * MINUTE_MS).map((time) =>
        transaction(random, who, time, {
          amount: cents(random.between(0.5, 7)),
          category: random.pick(["misc_net", "online_retail", "shopping_net"]),
          card_present: false,
        }),
      );
      const last = Date.parse(tests[tests.length - 1]!.timestamp);
      return [
        ...tests,
        transaction(random, who, last + random.between(0.2, 5) * HOUR_MS, {
          amount: largeAmount(random, Math.exp(random.between(5, 7.2))),
          category: random.pick(["shopping_net", "electronics", "gift_cards", "online_retail"]),
          card_present: false,
        }),
      ];
    }),
  },
  {
    label: "local takeover",
    weight: 2.5,
    // From a new device behind a proxy near the victim's home, a few times the usual amount.
    make: fraud("local takeover", (random, who, at) => {
      const device = random.id("dev-");
      return times(random, at, random.integer(1, 4), random.between(3, 60) * MINUTE_MS).map((time) =>
        transaction(random, who, time, {
          amount: largeAmount(random, who.typicalAmount * Math.exp(random.between(0.3, 2) + 0.4 * random.normal())),
          category: random.pick(["gift_cards", "money_transfer", "crypto", "shopping_net", "electronics", "online_retail"]),
          device_id: device,
          card_present: false,
        }),
      );
    }),
  },
  {
    label: "stolen card",
    weight: 2.5,
    // Contactless, below the limit, near home, with the holder's usual amounts: hard to distinguish from a spree.
    make: fraud("stolen card", (random, who, at) =>
      times(random, at, random.integer(2, 8), random.between(4, 40) * MINUTE_MS).map((time) =>
        transaction(random, who, time, {
          amount: cents(Math.min(50, who.typicalAmount * Math.exp(0.2 + 0.6 * random.normal()))),
          category: random.pick(["gas_transport", "grocery_pos", "shopping_pos", "fuel", "grocery"]),
          card_present: true,
        }),
      ),
    ),
  },
  {
    label: "single purchase",
    weight: 2.5,
    make: fraud("single purchase", (random, who, at) => [
      transaction(random, who, at, {
        amount: largeAmount(random, Math.exp(random.between(4.5, 8.5))),
        category: random.pick(["shopping_net", "electronics", "online_retail", "travel", "misc_net"]),
        ...(random.chance(0.5) ? { device_id: random.id("dev-") } : {}),
        card_present: random.chance(0.1),
      }),
    ]),
  },
];

export const THEFTS: readonly Theft[] = [...loud, ...quiet];
