/** Runs one plan from its start until everything has come to rest, and says what is wrong then. */
import { arrivedRecords } from "./arrived-records";
import { violations } from "./invariants";
import { NO_TRACE, type Trace } from "./kernel/trace";
import { type Arrival, HORIZON_MS, type Plan } from "./plan";
import type { Prepared } from "./prepared";
import type { RedriveSummary } from "./product";
import { redrive } from "./redrive";
import { type Accepted, callApi, putEvents, putRecord } from "./senders";
import type { Violation } from "./violation";
import { START_MS, World } from "./world";

export interface Outcome {
  readonly plan: Plan;
  readonly violations: readonly Violation[];
  /** What was accepted in this history. */
  readonly accepted: { readonly records: number; readonly scores: number; readonly labels: number };
  /** Records and messages that were brought back from quarantine, failure destination and dead-letter queues. */
  readonly redriven: number;
}

/** Faults are over by then. */
const FAULTS_END_MS = HORIZON_MS + 100_000;
/** Longer than all retries together: what still moves then never ends. */
const END_MS = 7 * 86_400_000;
const MAX_LOADS = 200;

export async function runHistory(plan: Plan, prepared: Prepared, trace: Trace = NO_TRACE): Promise<Outcome> {
  const world: World = new World(plan, prepared, (actor, event) =>
    trace(`${((world.scheduler.now() - START_MS) / 1000).toFixed(3).padStart(9)} ${actor}`, event),
  );
  trace("history", `seed ${plan.seed}`);
  const accepted: Accepted = { scores: new Map(), labels: new Map() };
  for (const arrival of plan.arrivals) {
    world.scheduler.after(arrival.at, () => start(arrival, world, accepted));
  }
  for (let at = 0; at < FAULTS_END_MS; at += plan.settings.loadEveryMs) world.scheduler.after(at, () => world.load());
  const settled = await drain(world);
  const summary = settled ? await bringBack(world) : undefined;
  const endless: Violation = { kind: "endless", about: "the history", detail: "Something never came to rest." };
  const found = summary === undefined ? [endless] : [...unclear(summary), ...violations(world, accepted)];
  return {
    plan,
    violations: found,
    accepted: {
      records: arrivedRecords(world).length,
      scores: accepted.scores.size,
      labels: accepted.labels.size,
    },
    redriven: summary === undefined ? 0 : countOf(summary),
  };
}

function start(arrival: Arrival, world: World, accepted: Accepted): void {
  switch (arrival.kind) {
    case "record":
      void putRecord(world, arrival);
      return;
    case "events":
      void (arrival.by === "rest" ? callApi(world, arrival, accepted) : putEvents(world, arrival));
      return;
    case "split":
      world.stream.split(arrival.shard);
      return;
    case "merge":
      world.stream.merge();
      return;
    default:
      void callApi(world, arrival, accepted);
  }
}

/** Until nothing is under way and nothing is left to load. */
async function drain(world: World): Promise<boolean> {
  for (let loads = 0; loads < MAX_LOADS; loads++) {
    if (!(await world.scheduler.run(START_MS + END_MS))) return false;
    if (world.loadQueue.size === 0) return world.source.isDrained && world.archiveQueue.size === 0 && world.eventQueue.size === 0;
    world.load();
  }
  return false;
}

/** A redrive, and everything that it causes. @returns undefined when that doesn't come to rest */
async function bringBack(world: World): Promise<RedriveSummary | undefined> {
  const redriving = redrive(world);
  // It may fail while the world still runs; the error is thrown below.
  redriving.catch(() => {});
  return (await drain(world)) ? redriving : undefined;
}

const countOf = ({ redriven, returned, queues }: RedriveSummary): number =>
  redriven + returned + queues.reduce((sum, queue) => sum + queue.redriven, 0);

/** A redrive says what became of each record, and nothing ends it early once the faults are over. */
function unclear({ pending, stopped, queues }: RedriveSummary): readonly Violation[] {
  const reasons = [...stopped.map(({ what, why }) => `${what}: ${why}`), ...queues.flatMap((queue) => queue.stopped ?? [])];
  if (pending > 0) reasons.push(`${pending} records are still under way.`);
  return reasons.map((detail) => ({ kind: "redrive unclear", about: "the redrive", detail }));
}
