/** No user's state counts an event twice, and one that was never given up is counted. */

import { TABLES } from "./functions";
import type { Violation } from "./violation";
import type { World } from "./world";

/** @param wasGivenUp a record that comes back as a repetition of its own event is in the warehouse, but no longer counted */
export function miscounted({ dynamodb, warehouse }: World, wasGivenUp: boolean): readonly Violation[] {
  const events = new Map<string, number[]>();
  for (const { user_id, source, amount } of warehouse.rows("risk_events")) {
    if (source !== "kinesis" || user_id === null) continue;
    const user = String(user_id);
    events.set(user, [...(events.get(user) ?? []), Number(amount)]);
  }
  return dynamodb.items(TABLES.states).flatMap((item): Violation[] => {
    const about = item.user_id?.S ?? "";
    const state = JSON.parse(item.state?.S ?? "{}") as { readonly counts: readonly number[]; readonly sums: readonly number[] };
    const counted = sum(state.counts);
    const amounts = events.get(about) ?? [];
    // Amounts differ from event to event, so that equal sums mean the same events.
    const isExact = counted === amounts.length && Math.abs(sum(state.sums) - sum(amounts)) < 0.01;
    if (isExact || (wasGivenUp && counted < amounts.length)) return [];
    const detail = `${counted} events of ${sum(state.sums)} together, where the warehouse has ${amounts.length} of ${sum(amounts)}.`;
    return [{ kind: counted > amounts.length ? "counted twice" : "not counted", about, detail }];
  });
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
