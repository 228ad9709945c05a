/** Several deliveries with events of one user: each event is counted once. */
import { describe, expect, it } from "vitest";
import type { BatchPorts } from "../../../functions/stream/process-batch";
import { context, encode, event, kinesisRecord, StreamWorld, transaction } from "../../helpers/stream-world";

const records = (...numbers: readonly number[]) =>
  numbers.map((number) => kinesisRecord(number, encode(transaction(`t-${number}`, { amount: number }))));

const sumsOf = (world: StreamWorld): readonly number[] => {
  const { state } = world.states.get(world.tokeniser.token("alice"))!;
  return (state as { readonly sums: readonly number[] }).sums;
};

const logged = (world: StreamWorld, text: string): boolean => world.lines.some((line) => line.includes(text));

/** Ports with another delivery in front of each of the first writes of a state. */
function overtaken(world: StreamWorld, deliveries: readonly (() => Promise<unknown>)[]): BatchPorts {
  const left = [...deliveries];
  const { states } = world.ports;
  return {
    ...world.ports,
    states: {
      ...states,
      async write(user, state) {
        await left.shift()?.();
        return states.write(user, state);
      },
    },
  };
}

describe("a user's state", () => {
  it("counts the events of deliveries that overtake each other, and says how often that happened", async () => {
    const world = new StreamWorld();
    const other = (...numbers: readonly number[]) => world.handler()(event(...records(...numbers)), context);
    const ports = overtaken(world, [() => other(1, 2), () => other(3)]);
    expect(await world.handler({ ports })(event(...records(10, 11)), context)).toEqual({ batchItemFailures: [] });
    expect(sumsOf(world)).toEqual([1, 2, 3, 10, 11]);
    expect(world.lines.map((line) => JSON.parse(line).StateConflicts).filter(Boolean)).toEqual([2]);
  });

  it("counts once when another delivery of the same records overtakes", async () => {
    const world = new StreamWorld();
    const ports = overtaken(world, [() => world.handler()(event(...records(1, 2, 3)), context)]);
    await world.handler({ ports })(event(...records(1, 2)), context);
    expect(sumsOf(world)).toEqual([1, 2, 3]);
    expect(logged(world, "StateConflicts")).toBe(false);
  });

  it("counts once when the answer to its write is lost", async () => {
    const world = new StreamWorld();
    const { states } = world.ports;
    let lost = false;
    const write: BatchPorts["states"]["write"] = async (user, state) => {
      const answer = await states.write(user, state);
      if (lost) return answer;
      lost = true;
      throw Object.assign(new Error("no answer"), { name: "TimeoutError" });
    };
    const handler = world.handler({ ports: { ...world.ports, states: { ...states, write } } });
    expect(await handler(event(...records(1, 2)), context)).toEqual({ batchItemFailures: [] });
    expect(sumsOf(world)).toEqual([1, 2]);
    expect(logged(world, "StateConflicts")).toBe(false);
  });

  it("starts anew when it expired before it was written", async () => {
    const world = new StreamWorld();
    await world.handler()(event(...records(1)), context);
    const ports = overtaken(world, [async () => world.states.clear()]);
    expect(await world.handler({ ports })(event(...records(2)), context)).toEqual({ batchItemFailures: [] });
    expect(sumsOf(world)).toEqual([2]);
  });

  it("leaves its records to the next delivery when others write until the time is over", async () => {
    const world = new StreamWorld();
    let left = 30_000;
    const others = Array.from({ length: 3 }, (_, index) => async () => {
      await world.handler()(event(...records(index + 1)), context);
      if (index === 2) left = 0;
    });
    const handler = world.handler({ ports: overtaken(world, others) });
    const response = await handler(event(...records(10)), { ...context, getRemainingTimeInMillis: () => left });
    expect(response.batchItemFailures).toEqual([{ itemIdentifier: "10" }]);
    expect(sumsOf(world)).toEqual([1, 2, 3]);
    expect(logged(world, "batch_waits")).toBe(true);
    await world.handler()(event(...records(10)), context);
    expect(sumsOf(world)).toEqual([1, 2, 3, 10]);
  });

  it("counts an event that was given up before it was counted, when it is sent again as another record", async () => {
    const world = new StreamWorld();
    world.faults = (_, port) => (port === "states.write" ? "before" : "none");
    await world.handler()(event(...records(1, 2)), context);
    world.faults = () => "none";
    expect([world.results.size, world.states.size]).toEqual([2, 0]);
    const again = [...records(1, 2)].map((record, index) => ({
      ...kinesisRecord(50 + index, record.kinesis.data),
      eventID: `shardId-000000000001:${50 + index}`,
    }));
    for (let time = 0; time < 2; time++) await world.handler()(event(...again), context);
    expect(sumsOf(world)).toEqual([1, 2]);
    expect(world.archived()).toHaveLength(2);
  });

  it("counts an event ahead of its time when it arrives", async () => {
    const world = new StreamWorld();
    const early = kinesisRecord(1, encode(transaction("t-1", { timestamp: "2026-11-21T12:50:00Z" })));
    await world.handler()(event(early), context);
    const { state } = world.states.get(world.tokeniser.token("alice"))!;
    const arrivedAt = Math.round(early.kinesis.approximateArrivalTimestamp * 1000);
    expect(state).toMatchObject({ times: [arrivedAt], places: [[arrivedAt, 40.71, -74.01]] });
    expect(world.archived()[0]?.occurred_at).toBe("2026-11-21T12:50:00.000Z");
  });
});
