import { describe, expect, it } from "vitest";
import { afterStep, notHeldUp, type Progress, unfinishedAll } from "../../../functions/stream/progress";

const entries = [0, 2, 5].map((index) => ({ candidate: { index } }));
const start: Progress = { done: 6, error: undefined };

describe("the progress of a batch", () => {
  it("ends at the first record that any step left unfinished, with the first error", () => {
    const first = afterStep(start, { indexes: [5, 3], error: "table" });
    expect(first).toEqual({ done: 3, error: "table" });
    expect(afterStep(first, { indexes: [4], error: "bus" })).toEqual({ done: 3, error: "table" });
    expect(afterStep(first, unfinishedAll(entries, "bucket"))).toEqual({ done: 0, error: "table" });
  });

  it("is not changed by a step that finished everything", () => {
    expect(afterStep(start, { indexes: [], error: undefined })).toEqual(start);
  });

  it("holds up the entries from its end on, and copies nothing if there are none", () => {
    expect(notHeldUp(start, entries)).toBe(entries);
    expect(notHeldUp({ done: 5, error: "table" }, entries)).toEqual(entries.slice(0, 2));
    expect(notHeldUp({ done: 0, error: "table" }, [])).toEqual([]);
  });
});
