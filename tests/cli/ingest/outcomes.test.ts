import { describe, expect, it } from "vitest";
import { type OutcomePorts, outcomeRows, type Sent, waitForOutcomes } from "../../../cli/ingest/outcomes";

/** A platform that scores one more id, or quarantines one more record, at each poll. */
function platform(steps: readonly { readonly scored?: string; readonly quarantined?: readonly [string, string] }[]) {
  let now = 0;
  let polls = 0;
  const shown: number[] = [];
  const done = () => steps.slice(0, polls);
  const ports: OutcomePorts = {
    scored: async (ids) => done().flatMap(({ scored }) => (scored !== undefined && ids.includes(scored) ? [scored] : [])),
    quarantined: async () => new Map(done().flatMap(({ quarantined }) => (quarantined === undefined ? [] : [quarantined]))),
    now: () => now,
    pause: async (milliseconds) => {
      now += milliseconds;
      polls++;
    },
    progress: (settled) => shown.push(settled),
  };
  return { ports, shown, now: () => now };
}

const sent: readonly Sent[] = [
  { id: "a", position: "shard:1" },
  { id: "b", position: "shard:2" },
  { id: "c", position: "shard:3" },
  { id: "a", position: "shard:4" },
];

describe("what became of the rows", () => {
  it("tells scored ones from those in quarantine, by reason, and stops when all are settled", async () => {
    const world = platform([
      { scored: "a" },
      { quarantined: ["shard:4", "duplicate_conflict"] },
      { quarantined: ["shard:2", "invalid"] },
      { quarantined: ["elsewhere:9", "invalid"] },
      { scored: "c" },
    ]);
    const outcomes = await waitForOutcomes(sent, world.ports, 10_000);
    expect(outcomes).toEqual({ scored: 2, quarantined: { duplicate_conflict: 1, invalid: 1 }, pending: 0 });
    expect(world.shown).toEqual([0, 1, 1, 2, 2, 3]);
    expect(outcomeRows(outcomes)).toContainEqual(["quarantined: invalid", 1]);
  });

  it("says that late rows are still being scored", async () => {
    const world = platform([{ scored: "b" }]);
    const outcomes = await waitForOutcomes(sent, world.ports, 10_000);
    expect(outcomes).toEqual({ scored: 1, quarantined: {}, pending: 2 });
    expect(world.now()).toBe(10_250);
    expect(outcomeRows(outcomes)).toEqual([
      ["scored", 1],
      ["still being scored", 2],
    ]);
  });
});
