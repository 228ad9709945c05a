import { describe, expect, it } from "vitest";
import { exitStatus, type OutcomePorts, outcomeRows, type Sent, waitForOutcomes } from "../../../cli/ingest/outcomes";

/** A platform that scores one more id, or quarantines one more record, at each poll. */
function platform(
  steps: readonly { readonly scored?: string; readonly at?: number; readonly quarantined?: readonly [string, string] }[],
) {
  let now = 0;
  let polls = 0;
  const shown: number[] = [];
  const done = () => steps.slice(0, polls);
  const ports: OutcomePorts = {
    scored: async (ids) =>
      new Map(done().flatMap(({ scored, at = 1 }) => (scored !== undefined && ids.includes(scored) ? [[scored, at]] : []))),
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
    const outcomes = await waitForOutcomes(sent, 1, world.ports, 10_000);
    expect(outcomes).toEqual({ scored: 2, scoredBefore: 0, quarantined: { duplicate_conflict: 1, invalid: 1 }, pending: 0 });
    expect(world.shown).toEqual([0, 1, 1, 2, 2, 3]);
    expect(outcomeRows(outcomes)).toContainEqual(["quarantined: invalid", 1]);
  });

  it("doesn't take an older score for that of a record which goes to quarantine, and knows rows that are sent again", async () => {
    const older = { at: 0 };
    const steps = [
      { scored: "a", ...older },
      { scored: "b", ...older },
      { quarantined: ["shard:2", "duplicate_conflict"] as const },
    ];
    const outcomes = await waitForOutcomes(sent.slice(0, 2), 1, platform(steps).ports, 10_000);
    expect(outcomes).toEqual({ scored: 0, scoredBefore: 1, quarantined: { duplicate_conflict: 1 }, pending: 0 });
  });

  it("says that late rows are still being scored", async () => {
    const world = platform([{ scored: "b" }]);
    const outcomes = await waitForOutcomes(sent, 1, world.ports, 10_000);
    expect(outcomes).toEqual({ scored: 1, scoredBefore: 0, quarantined: {}, pending: 2 });
    expect(world.now()).toBe(10_250);
    expect(outcomeRows(outcomes)).toEqual([
      ["scored", 1],
      ["scored before, so nothing new", 0],
      ["still being scored", 2],
    ]);
  });
});

describe("the exit status", () => {
  const none = { scored: 0, scoredBefore: 0, quarantined: {}, pending: 0 };
  it("is 1 when nothing was scored, after an empty file too", () => {
    expect(exitStatus({ accepted: 0, outcomes: none })).toBe(1);
    expect(exitStatus({ accepted: 2, outcomes: { ...none, quarantined: { invalid: 2 } } })).toBe(1);
    expect(exitStatus({ accepted: 0, outcomes: null })).toBe(1);
  });

  it("is 0 when something was scored now or before, or was sent without waiting", () => {
    expect(exitStatus({ accepted: 2, outcomes: { ...none, scored: 1, pending: 1 } })).toBe(0);
    expect(exitStatus({ accepted: 2, outcomes: { ...none, scoredBefore: 1 } })).toBe(0);
    expect(exitStatus({ accepted: 2, outcomes: null })).toBe(0);
  });
});
