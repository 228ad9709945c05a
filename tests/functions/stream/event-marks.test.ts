import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventMarks } from "../../../functions/stream/event-marks";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 28);
const at = (ms: number): string => new Date(ms).toISOString();
const ids = (count: number, prefix = "e"): string[] => Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

describe("event marks", () => {
  it("cover every event of the last day, or of the newest sixteen, and read back as they were written", () => {
    const folds = fc.array(fc.tuple(fc.integer({ min: 0, max: 12 * 3_600_000 }), fc.integer({ min: 1, max: 40 })), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(folds, (list) => {
        let now = NOW;
        let marks = EventMarks.NONE;
        const counted: { id: string; at: number }[] = [];
        for (const [index, [wait, count]] of list.entries()) {
          now += wait;
          const added = ids(count, `f${index}`);
          marks = EventMarks.read(marks.with(added, now).bytes());
          counted.push(...added.map((id) => ({ id, at: now })));
        }
        for (const [index, event] of counted.entries()) {
          if (now - event.at < DAY || counted.length - index <= 16) expect(marks.has(event.id)).toBe(true);
          expect(marks.covers(event.id, at(event.at))).toBe(true);
        }
        expect(marks.covers("another", at(now))).toBe(false);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("keep a batch of 10,000 events of one user whole, and shorten a flood of small ones", () => {
    const batch = ids(10_000);
    let marks = EventMarks.NONE.with(batch, NOW).with(["next"], NOW + 1000);
    expect(batch.every((id) => marks.has(id))).toBe(true);
    for (let index = 0; index < 3000; index++) marks = marks.with(ids(3, `b${index}`), NOW + 2000 + index * 1000);
    expect(marks.size).toBeLessThan(4000);
    expect(marks.has("b2999-2")).toBe(true);
    expect(marks.has("e-7")).toBe(false);
  });

  it("take an event as counted that was scored before the time from which marks are kept", () => {
    let marks = EventMarks.NONE;
    for (let day = 0; day < 40; day++) marks = marks.with([`d${day}`], NOW + day * DAY);
    expect(marks.has("d3")).toBe(false);
    expect(marks.covers("d3", at(NOW + 3 * DAY))).toBe(true);
    expect(marks.covers("uncounted", at(NOW + 38 * DAY))).toBe(false);
    expect(EventMarks.missingUntil(NOW).covers("any", at(NOW))).toBe(true);
  });

  it("take less than 0.2 KB of a user's item who has ten events a day", () => {
    let marks = EventMarks.NONE;
    for (let index = 0; index < 300; index++) marks = marks.with([`t-${index}`], NOW + (index * DAY) / 10);
    expect(marks.bytes().length).toBeLessThan(200);
  });

  it("don't go back in time with a slow clock", () => {
    const marks = EventMarks.NONE.with(["a"], NOW).with(["b"], NOW - DAY);
    expect([marks.has("a"), marks.has("b")]).toEqual([true, true]);
    expect(marks.bytes().length).toBe(4 + 8 + 8);
  });
});
