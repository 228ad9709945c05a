/** Makes a failing plan smaller: fewer arrivals and faults that still fail in the same way ("Simplifying and Isolating Failure-Inducing Input", Zeller and Hildebrandt). */
import { runHistory } from "./history";
import type { Arrival, Plan } from "./plan";
import type { Prepared } from "./prepared";
import type { Violation } from "./violation";

export interface Shrunk {
  readonly plan: Plan;
  readonly violations: readonly Violation[];
  /** Histories that it took. */
  readonly histories: number;
}

type Part = { readonly arrival: Arrival } | { readonly fault: Plan["faults"][number] };

const MAX_HISTORIES = 600;

/** @returns undefined when the plan doesn't fail */
export async function shrink(plan: Plan, prepared: Prepared): Promise<Shrunk | undefined> {
  let { violations } = await runHistory(plan, prepared);
  const [first] = violations;
  if (first === undefined) return undefined;
  let parts: readonly Part[] = [...plan.faults.map((fault) => ({ fault })), ...plan.arrivals.map((arrival) => ({ arrival }))];
  let histories = 1;
  for (let size = Math.ceil(parts.length / 2); size >= 1 && histories < MAX_HISTORIES; ) {
    let isSmaller = false;
    for (let start = 0; start < parts.length && histories < MAX_HISTORIES; ) {
      const fewer = [...parts.slice(0, start), ...parts.slice(start + size)];
      const { violations: found } = await runHistory(planWith(plan, fewer), prepared);
      histories++;
      if (found.some(({ kind }) => kind === first.kind)) {
        [parts, violations, isSmaller] = [fewer, found, true];
      } else {
        start += size;
      }
    }
    // After the last single part was tried, earlier ones may have become superfluous.
    if (size > 1) size = Math.ceil(size / 2);
    else if (!isSmaller) break;
  }
  return { plan: planWith(plan, parts), violations, histories };
}

const planWith = (plan: Plan, parts: readonly Part[]): Plan => ({
  ...plan,
  faults: parts.flatMap((part) => ("fault" in part ? [part.fault] : [])),
  arrivals: parts.flatMap((part) => ("arrival" in part ? [part.arrival] : [])),
});
