/** Runs one plan from its start until everything has come to rest, and says what is wrong then. */
import { violations } from "./invariants";
import { NO_TRACE, type Trace } from "./kernel/trace";
import { type Arrival, HORIZON_MS, type Plan } from "./plan";
import type { Prepared } from "./prepared";
import { type Accepted, callApi, putRecord } from "./senders";
import type { Violation } from "./violation";
import { START_MS, World } from "./world";

export interface Outcome {
  readonly plan: Plan;
  readonly violations: readonly Violation[];
  /** What was accepted in this history. */
  readonly accepted: { readonly records: number; readonly scores: number; readonly labels: number };
  /** Records that had to be brought back from a failure destination or a dead-letter queue. */
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
  const redriven = redrive(world);
  const ended = settled && (await drain(world));
  const endless: Violation = { kind: "endless", about: "the history", detail: "Something never came to rest." };
  const found = ended ? violations(world, accepted, redriven > 0) : [endless];
  return {
    plan,
    violations: found,
    accepted: {
      records: world.stream.shards.reduce((sum, { records }) => sum + records.length, 0),
      scores: accepted.scores.size,
      labels: accepted.labels.size,
    },
    redriven,
  };
}

function start(arrival: Arrival, world: World, accepted: Accepted): void {
  switch (arrival.kind) {
    case "record":
      void putRecord(world, arrival);
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
    if (world.loadQueue.size === 0) return world.source.isDrained && world.archiveQueue.size === 0;
    world.load();
  }
  return false;
}

/** Brings back everything that was given up, once. */
function redrive(world: World): number {
  const records = world.givenUp.splice(0);
  for (const { partitionKey, data } of records) world.stream.put(partitionKey, data);
  const redriven = records.length + world.archiveQueue.redrive() + world.loadQueue.redrive();
  if (redriven > 0) world.trace("redrive", `${redriven} records and messages`);
  return redriven;
}
