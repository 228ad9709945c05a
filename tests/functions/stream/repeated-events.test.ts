/** An event that is sent again because its first delivery was given up, or while that is under way, is archived exactly once. */
import type { KinesisStreamRecord } from "aws-lambda";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BatchPorts } from "../../../functions/stream/process-batch";
import { context, encode, event, kinesisRecord, StreamWorld, transaction } from "../../helpers/stream-world";

const RISKY = { amount: 20_000, location_mismatch: 1, velocity_flag: 1 };
const input = (id: number) => transaction(`t-${id}`, { user_id: `user-${id % 2}`, ...(id % 3 === 0 ? RISKY : {}) });
const from = (sequence: number, ids: readonly number[], shard = 0): KinesisStreamRecord[] =>
  ids.map((id, index) => ({
    ...kinesisRecord(sequence + index, encode(input(id))),
    eventID: `shardId-00000000000${shard}:${sequence + index}`,
  }));

/** A world in which the records were scored, and given up before they were archived. */
async function givenUp(records: readonly KinesisStreamRecord[], atPort = "objects.put"): Promise<StreamWorld> {
  const world = new StreamWorld();
  world.faults = (_, port) => (port === atPort ? "before" : "none");
  expect((await world.handler()(event(...records), context)).batchItemFailures).toHaveLength(1);
  world.faults = () => "none";
  return world;
}

const idsOf = (world: StreamWorld) =>
  world
    .archived()
    .map(({ event_id }) => event_id)
    .sort();
const bodies = (world: StreamWorld) =>
  world
    .archived()
    .map((line) => JSON.stringify(line))
    .sort();
const metric = (world: StreamWorld, name: string): number =>
  world.lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .reduce((sum, line) => sum + (typeof line[name] === "number" ? line[name] : 0), 0);

describe("an event whose delivery was given up before it was archived", () => {
  it("is archived when it is sent again, with the line of its first record, its alert, and one count", async () => {
    const records = from(1, [1, 2, 3]);
    const clean = new StreamWorld();
    await clean.handler()(event(...records), context);
    const world = await givenUp(records, "alerts.publish");
    expect([world.archived(), world.published, metric(world, "Scored")]).toEqual([[], [], 0]);

    expect(await world.handler()(event(...from(11, [3, 1, 2])), context)).toEqual({ batchItemFailures: [] });
    expect(bodies(world)).toEqual(bodies(clean));
    expect(world.published).toEqual(clean.published);
    expect(world.published).toHaveLength(1);
    expect([metric(world, "Scored"), metric(world, "Duplicates")]).toEqual([3, 0]);

    const objects = world.objects.size;
    await world.handler()(event(...from(21, [1, 2, 3])), context);
    expect(world.objects.size).toBe(objects);
    expect([metric(world, "Scored"), metric(world, "Duplicates")]).toEqual([3, 3]);
  });

  it("costs no write of a table more than a move, and archived ones cost none", async () => {
    const world = await givenUp(from(1, [1, 2]));
    const moved: string[] = [];
    const results = {
      ...world.ports.results,
      moveArchive: (id: string, a: string, b: string) => {
        moved.push(id);
        return world.ports.results.moveArchive(id, a, b);
      },
    };
    const handler = world.handler({ ports: { ...world.ports, results } });
    await handler(event(...from(11, [1, 5, 2])), context);
    expect(moved).toEqual(["t-1", "t-2"]);
    await handler(event(...from(21, [1, 5, 2])), context);
    expect(moved).toEqual(["t-1", "t-2"]);
    expect(idsOf(world)).toEqual(["t-1", "t-2", "t-5"]);
  });

  it("stays with its first record when that comes again after all", async () => {
    const records = from(1, [1, 2, 3]);
    const world = await givenUp(records);
    await world.handler()(event(...from(11, [2])), context);
    expect(idsOf(world)).toEqual(["t-2"]);
    expect(await world.handler()(event(...records), context)).toEqual({ batchItemFailures: [] });
    expect(idsOf(world)).toEqual(["t-1", "t-2", "t-3"]);
    expect(metric(world, "Scored")).toBe(3);
  });

  it("is held up when it can't be found out whether it is archived", async () => {
    const world = await givenUp(from(1, [1]));
    world.faults = (_, port) => (port === "objects.size" ? "before" : "none");
    expect(await world.handler()(event(...from(11, [1])), context)).toEqual({ batchItemFailures: [{ itemIdentifier: "11" }] });
    world.faults = () => "none";
    await world.handler()(event(...from(11, [1])), context);
    expect(idsOf(world)).toEqual(["t-1"]);
  });
});

it("waits for the next delivery, without an alarm, when another one moves its event", async () => {
  const world = await givenUp(from(1, [1]));
  const results = { ...world.ports.results, moveArchive: async () => false };
  const answer = await world.handler({ ports: { ...world.ports, results } })(event(...from(11, [1])), context);
  expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "11" }] });
  expect(world.lines.some((line) => line.includes('"batch_waits"'))).toBe(true);
  expect([metric(world, "InfrastructureFailures"), idsOf(world)]).toEqual([1, []]);
});

/** Delivers until the batch is done or the tries are used up: a failed invocation is repeated from the record that it reports. */
async function deliver(world: StreamWorld, ports: BatchPorts, records: readonly KinesisStreamRecord[], tries: number) {
  let left = records;
  for (let attempt = 0; attempt < tries; attempt++) {
    const { batchItemFailures } = await world.handler({ ports })(event(...left), context);
    const failed = batchItemFailures[0]?.itemIdentifier;
    if (failed === undefined) return;
    left = left.slice(left.findIndex((record) => record.kinesis.sequenceNumber === failed));
  }
}

describe("deliveries of one event in several shards at once", () => {
  it("archive and count it once, whoever comes first and whatever fails", async () => {
    const ids = fc.array(fc.nat(3), { minLength: 1, maxLength: 3 });
    const batch = fc.record({ ids, tries: fc.integer({ min: 1, max: 3 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(batch, { minLength: 2, maxLength: 3 }),
        fc.array(fc.constantFrom("none" as const, "none" as const, "none" as const, "before" as const, "after" as const), {
          maxLength: 60,
        }),
        async (scheduler, batches, faults) => {
          const world = new StreamWorld();
          world.faults = (call) => faults[call] ?? "none";
          const ports = scheduled(world.ports, scheduler);
          const shards = batches.map(({ ids, tries }, shard) => deliver(world, ports, from(1, ids, shard), tries));
          await scheduler.waitFor(Promise.all(shards));
          world.faults = () => "none";
          const sent = [...new Set(batches.flatMap(({ ids }) => ids))].sort();
          expect(new Set(idsOf(world)).size).toBe(idsOf(world).length);
          // What was given up is sent again.
          await deliver(world, world.ports, from(100, sent, 5), 3);
          expect(idsOf(world)).toEqual(sent.map((id) => `t-${id}`));
          expect(metric(world, "Scored")).toBeLessThanOrEqual(sent.length);
          for (const user of new Set(sent.map((id) => id % 2))) {
            const { state } = world.states.get(world.tokeniser.token(`user-${user}`))!;
            const { counts } = state as { readonly counts: readonly number[] };
            expect(counts.reduce((sum, count) => sum + count, 0)).toBe(sent.filter((id) => id % 2 === user).length);
          }
        },
      ),
      { numRuns: 600, seed: 20261128 },
    );
  });
});

/** Ports whose calls take effect in the scheduler's order. */
function scheduled({ results, states, alerts, objects, raw }: BatchPorts, scheduler: fc.Scheduler): BatchPorts {
  const later =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await scheduler.schedule(Promise.resolve());
      return call(...args);
    };
  return {
    results: { read: later(results.read), create: later(results.create), moveArchive: later(results.moveArchive) },
    states: { read: later(states.read), write: later(states.write) },
    alerts: { publish: later(alerts.publish) },
    objects: { putIfAbsent: later(objects.putIfAbsent), size: later(objects.size) },
    raw: { putIfAbsent: later(raw.putIfAbsent) },
  };
}
