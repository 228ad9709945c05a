/** Each user's state is that of exactly the events in the warehouse, whatever order they were counted in. */
import { arrivedRecords } from "./arrived-records";
import { TABLES } from "./functions";
import type { Violation } from "./violation";
import type { World } from "./world";

type State = ReturnType<World["prepared"]["product"]["PROFILES"]["fraud"]["fold"]>;

interface Counted {
  readonly input: Parameters<World["prepared"]["product"]["PROFILES"]["fraud"]["fold"]>[1];
  readonly at: number;
  readonly isCertain: boolean;
}

export function miscounted(world: World): readonly Violation[] {
  const { dynamodb, prepared } = world;
  const states = new Map(dynamodb.items(TABLES.states).map((item) => [item.user_id?.S, item.state?.S]));
  return [...eventsOf(world)].flatMap(([user, events]): Violation[] => {
    const { fold } = prepared.product.PROFILES.fraud;
    const expected = events.reduce<State | null>((state, { input, at }) => fold(state, input, at), null)!;
    const text = states.get(user);
    const state = text === undefined ? null : (JSON.parse(text) as State);
    const counted = state?.count ?? 0;
    const detail = `${counted} events, where the warehouse has ${events.length}.`;
    if (state === null || counted !== expected.count)
      return [{ kind: counted > expected.count ? "counted twice" : "not counted", about: user, detail }];
    // Amounts differ from event to event, so that equal sums mean the same events.
    if (events.every(({ isCertain }) => isCertain) && countedOf(state) !== countedOf(expected))
      return [{ kind: "state differs", about: user, detail: `${countedOf(state)}, expected ${countedOf(expected)}.` }];
    return [];
  });
}

/** What doesn't depend on the order. */
function countedOf({ times, counts, sums, places, countries, devices }: State): string {
  const spending = times.map((time, index) => `${time} ${counts[index]} ${sums[index]}`);
  return JSON.stringify([spending, places.map(String), countries, devices].map((list) => list.toSorted()));
}

/** The events in the warehouse by user. */
function eventsOf(world: World): ReadonlyMap<string, readonly Counted[]> {
  const { warehouse, prepared } = world;
  const { product } = prepared;
  const { accept, countingTime, fraud, hashJson, parseJsonBytes, PROFILES, RECORD_LIMITS } = product;
  const accepted = arrivedRecords(world).flatMap(({ position, data, arrivedAtMs }) => {
    const decoded = parseJsonBytes(data, RECORD_LIMITS);
    const read = decoded.ok ? accept(PROFILES.fraud, fraud, decoded.value) : decoded;
    if (!read.ok) return [];
    const { input } = read;
    const at = countingTime(input.occurredAtMs, arrivedAtMs);
    return [{ position, hash: hashJson(PROFILES.fraud.stored(input)), input, at }];
  });
  const events = new Map<string, Counted[]>();
  for (const { user_id, source_position, input_hash } of warehouse.rows("risk_events")) {
    const first = accepted.find(({ position }) => position === source_position);
    if (first === undefined) continue;
    // An event ahead of its time counts when the record arrived that brought it into the state: the first one, or a repetition.
    const isCertain = accepted.every(({ hash, at }) => hash !== input_hash || at === first.at);
    const user = String(user_id);
    events.set(user, [...(events.get(user) ?? []), { input: first.input, at: first.at, isCertain }]);
  }
  return events;
}
