/** What a seed means: settings, what arrives when, and what goes wrong. A plan is plain JSON, so that a failing one can be made smaller. */
import { isObject } from "../functions/scoring/core/json";
import type { Fault } from "./kernel/faults";
import { Random } from "./kernel/random";
import { faults } from "./plan-faults";
import { Records } from "./plan-records";

export interface Settings {
  readonly shards: number;
  readonly batchSize: number;
  readonly windowMs: number;
  /** -1: until their age ends. */
  readonly maxRetries: number;
  readonly maxAgeMs: number;
  readonly functionTimeoutMs: number;
  readonly archiveBatchSize: number;
  /** Receives of a message before the dead-letter queue gets it. */
  readonly archiveReceives: number;
  readonly loadReceives: number;
  readonly loadEveryMs: number;
  /** Loaders that may run at the same time. */
  readonly loaders: number;
  readonly objectsPerLoad: number;
  /** Longest time of one load's statements together. */
  readonly loadMs: number;
}

export type Arrival =
  /** A producer puts a record into the stream. `data` is base64. */
  | { readonly kind: "record"; readonly at: number; readonly partitionKey: string; readonly data: string; readonly label: string }
  /** The same without an order: an event of the bus, or several of a request to the API. `events` is JSON, a list of objects. */
  | { readonly kind: "events"; readonly at: number; readonly by: "eventbridge" | "rest"; readonly events: string }
  | {
      readonly kind: "score";
      readonly at: number;
      readonly profile: "lead" | "device";
      readonly body: string;
      readonly key: string;
    }
  | { readonly kind: "feedback"; readonly at: number; readonly body: string }
  | { readonly kind: "split"; readonly at: number; readonly shard: number }
  | { readonly kind: "merge"; readonly at: number };

export interface Plan {
  readonly seed: number;
  readonly settings: Settings;
  /** In the order of time; times in ms since the history's start. */
  readonly arrivals: readonly Arrival[];
  readonly faults: readonly Fault[];
}

/** Within this time everything arrives, in ms. */
export const HORIZON_MS = 150_000;

export function planOf(seed: number): Plan {
  const random = new Random(seed);
  const settings: Settings = {
    shards: random.between(1, 2),
    batchSize: random.pick([1, 3, 6, 10, 20]),
    windowMs: random.pick([50, 500, 3_000]),
    maxRetries: random.pick([-1, -1, -1, 2, 5]),
    maxAgeMs: random.pick([60_000, 120_000, 3_600_000]),
    functionTimeoutMs: random.pick([8_000, 30_000]),
    archiveBatchSize: random.pick([1, 10]),
    archiveReceives: random.pick([1, 5]),
    loadReceives: random.pick([1, 2, 5]),
    loadEveryMs: random.pick([3_000, 15_000, 60_000]),
    loaders: random.between(1, 2),
    objectsPerLoad: random.pick([1, 3, 400]),
    loadMs: random.pick([400, 400, 12_000]),
  };
  const planned = arrivals(random);
  return { seed, settings, arrivals: throughQueue(seed, planned), faults: faults(random, HORIZON_MS) };
}

/** Of the histories, those in which events come by every trigger; in the others all come through the stream. */
const WITH_QUEUE = 1 / 3;

/** Some records by another trigger, and some by a second one as well: drawn apart from the rest, which stays what it was without them. */
function throughQueue(seed: number, planned: readonly Arrival[]): readonly Arrival[] {
  const random = new Random(seed ^ 0x2545f491);
  if (!random.chance(WITH_QUEUE)) return planned;
  const all = planned.flatMap((arrival): Arrival[] => {
    const event = arrival.kind === "record" ? objectIn(arrival.data) : undefined;
    if (event === undefined || random.chance(0.4)) return [arrival];
    const times = random.chance(0.3) ? 2 : 1;
    const other: Arrival = {
      kind: "events",
      at: arrival.at + random.between(0, 2_000),
      by: random.pick(["eventbridge", "rest"]),
      events: JSON.stringify(Array.from({ length: times }, () => event)),
    };
    return random.chance(0.3) ? [arrival, other] : [other];
  });
  return all.sort((a, b) => a.at - b.at);
}

/** What bus and API take: JSON objects. */
function objectIn(data: string): object | undefined {
  const bytes = Buffer.from(data, "base64");
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function arrivals(random: Random): readonly Arrival[] {
  const all: Arrival[] = [];
  const records = new Records(random);
  const count = random.between(6, 40);
  let at = 0;
  for (let index = 0; index < count; index++) {
    // Bursts, so that batches hold several records of one user.
    at = random.chance(0.7) ? at + random.between(0, 300) : random.between(0, HORIZON_MS);
    all.push({ kind: "record", at, ...records.next() });
  }
  const together = random.between(0, HORIZON_MS);
  for (let index = random.between(0, 8); index > 0; index--)
    all.push(score(random, index, random.chance(0.5) ? together : random.between(0, HORIZON_MS)));
  for (let index = random.between(0, 3); index > 0; index--) all.push(feedback(random));
  for (let index = random.chance(0.4) ? random.between(1, 3) : 0; index > 0; index--) all.push(reshard(random));
  return all.sort((a, b) => a.at - b.at);
}

function reshard(random: Random): Arrival {
  const at = random.between(0, HORIZON_MS);
  return random.chance(0.6) ? { kind: "split", at, shard: random.between(0, 3) } : { kind: "merge", at };
}

function score(random: Random, index: number, at: number): Arrival {
  const lead = { companySize: random.pick([10, 500]), industry: "technology", engagementMetrics: random.between(0, 3) * 25 };
  const device = { request_id: `request-${random.between(1, 3)}`, device_id: "Zx9Personal-device", ip_address: "Zx9Personal-ip" };
  const isLead = random.chance(0.6);
  return {
    kind: "score",
    at,
    profile: isLead ? "lead" : "device",
    body: JSON.stringify(isLead ? lead : device),
    key: `key-${index}`,
  };
}

function feedback(random: Random): Arrival {
  const labels = Array.from({ length: random.between(1, 3) }, () => ({
    event_id: `t${random.between(1, 6)}`,
    label: random.chance(0.5),
    labelled_at: `2026-11-2${random.between(0, 1)}T0${random.between(1, 2)}:00:00Z`,
  }));
  const distinct = new Map(labels.map((label) => [`${label.event_id} ${label.labelled_at}`, label]));
  return { kind: "feedback", at: random.between(0, HORIZON_MS), body: JSON.stringify({ labels: [...distinct.values()] }) };
}
