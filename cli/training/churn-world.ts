/**
 * Bank customers, and whether they left, to train churn models on. The same seed gives the same customers.
 *
 * How they are made (the numbers are chosen by hand): half of the customers live in France, a quarter each in Germany and Spain. Most are
 * 25 to 55 years old. A third have a balance of zero (none in Germany), the others about 120,000. Nearly all have one product or two. The log-odds of leaving
 *  - rise from 35 to a peak at 56 and fall after it, half as steeply for active members;
 *  - fall with a second product and rise steeply with a third;
 *  - rise for inactive members, women, customers in Germany, and balances without a second product;
 *  - move little with tenure and credit score, not at all with salary and card.
 * Whether a customer leaves is then drawn with that probability, so no model can do better than these probabilities.
 */
import { Random } from "../demo/random";

export interface LabelledCustomer {
  /** The twelve numbers of `POST /predict`. */
  readonly data: readonly number[];
  readonly hasLeft: boolean;
}

const INTERCEPT = -1.75;
const PEAK_AGE = 56;

/** The `index`-th customer of a seed. */
export function customer(seed: number, index: number): LabelledCustomer {
  const random = new Random(Math.imul(index + 1, 0x85ebca6b) ^ seed);
  const country = random.next();
  const isGermany = country >= 0.5 && country < 0.75;
  const isSpain = country >= 0.75;
  const isMale = random.chance(0.54);
  const age = clamp(Math.round(24 + Math.exp(2.55 + 0.55 * random.normal())), 18, 92);
  const creditScore = clamp(Math.round(650 + 96 * random.normal()), 350, 850);
  const tenure = random.integer(0, 10);
  const hasBalance = isGermany || random.chance(0.52);
  const balance = hasBalance ? Math.round(100 * Math.max(4000, 120_000 + 30_000 * random.normal())) / 100 : 0;
  const second = random.chance(hasBalance ? 0.38 : 0.66);
  const products = random.chance(0.03) ? 3 : random.chance(0.006) ? 4 : second ? 2 : 1;
  const hasCard = random.chance(0.7);
  const isActive = random.chance(age > 55 ? 0.65 : 0.5);
  const salary = Math.round(random.between(1000, 200_000) * 100) / 100;

  const byAge = (2.9 * Math.exp(-(((age - PEAK_AGE) / 13) ** 2)) - 0.5) * (isActive ? 0.7 : 1);
  const byProducts = products === 1 ? 0 : products === 2 ? -1.3 : products === 3 ? 2.4 : 3.5;
  const logOdds =
    INTERCEPT +
    byAge +
    byProducts +
    (isActive ? -0.45 : 0.45) +
    (isMale ? -0.25 : 0.25) +
    (isGermany ? 0.7 : 0) +
    (hasBalance && products === 1 ? 0.3 : 0) -
    0.02 * (tenure - 5) -
    0.0007 * (creditScore - 650);
  return {
    data: [
      creditScore,
      +isMale,
      age,
      tenure,
      balance,
      products,
      +hasCard,
      +isActive,
      salary,
      +(!isGermany && !isSpain),
      +isGermany,
      +isSpain,
    ],
    hasLeft: random.chance(1 / (1 + Math.exp(-logOdds))),
  };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
