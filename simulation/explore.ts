/** Runs histories one seed after the other. */
import { type Outcome, runHistory } from "./history";
import { loadProduct } from "./load-product";
import type { Mutation } from "./mutations";
import { planOf } from "./plan";
import { type Prepared, prepare } from "./prepared";
import type { Violation } from "./violation";

export interface FailedSeed {
  readonly seed: number;
  readonly violations: readonly Violation[];
}

export interface Explored {
  readonly histories: number;
  readonly records: number;
  readonly redriven: number;
  readonly failed: readonly FailedSeed[];
}

/** @param onHistory called after each one */
export async function explore(
  prepared: Prepared,
  seeds: Iterable<number>,
  onHistory: (outcome: Outcome) => void = () => {},
): Promise<Explored> {
  const failed: FailedSeed[] = [];
  let [histories, records, redriven] = [0, 0, 0];
  for (const seed of seeds) {
    const outcome = await runHistory(planOf(seed), prepared);
    const { violations } = outcome;
    if (violations.length > 0) failed.push({ seed, violations });
    histories++;
    records += outcome.accepted.records;
    redriven += outcome.redriven;
    onHistory(outcome);
  }
  return { histories, records, redriven, failed };
}

export function* seedsFrom(first: number, count: number): Iterable<number> {
  for (let seed = first; seed < first + count; seed++) yield seed;
}

export interface Found {
  readonly mutation: Mutation;
  /** Undefined: not found. */
  readonly seed: number | undefined;
  readonly histories: number;
  readonly violation: Violation | undefined;
}

/** Looks for the first seed that shows the bug. */
export async function hunt(root: string, mutation: Mutation, seeds: Iterable<number>): Promise<Found> {
  const prepared = prepare(await loadProduct(root, mutation.changes));
  let histories = 0;
  for (const seed of seeds) {
    histories++;
    const { violations } = await runHistory(planOf(seed), prepared);
    const [violation] = violations;
    if (violation !== undefined) return { mutation, seed, histories, violation };
  }
  return { mutation, seed: undefined, histories, violation: undefined };
}
