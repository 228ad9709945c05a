import { describe, expect, it } from "vitest";
import { createBatchHandler } from "../../../functions/gates/batch/handler";
import { reasonIn } from "../../../functions/gates/batch/outcome";
import { datasetKey, manifestKey } from "../../../functions/gates/common/keys";
import { BUCKET, DATASET, failure, log, memoryObjects } from "./world";

const DAY = { dataset: "fraud", date: "2026-11-20", modelName: "m", inputPrefix: "inference/input/fraud/dt=2026-11-20/" };
const MANIFEST = { dataset: "fraud", date: "2026-11-20", rows: 12, files: ["a", "b"], duplicateKeys: 0 };

function handler(manifest?: unknown) {
  const text = typeof manifest === "string" ? manifest : JSON.stringify(manifest);
  const objects = memoryObjects(BUCKET, {
    [datasetKey("fraud")]: JSON.stringify(DATASET),
    ...(manifest === undefined ? {} : { [manifestKey("fraud", "2026-11-20")]: text }),
  });
  return createBatchHandler({ objects, log });
}
const inspect = (manifest?: unknown) => handler(manifest)({ action: "inspect", day: DAY });

describe("batch-gate: inspect", () => {
  it("reports the rows, and whether the day is empty", async () => {
    expect(await inspect(MANIFEST)).toEqual({ rows: 12, empty: false, files: 2, duplicateKeys: 0 });
    expect(await inspect({ ...MANIFEST, rows: 0, files: [] })).toEqual({ rows: 0, empty: true, files: 0, duplicateKeys: 0 });
  });

  it.each<[unknown, string, RegExp]>([
    [
      undefined,
      "ManifestInvalid",
      /dt=2026-11-20\.manifest\.json: It does not exist: the day's extract did not finish\. Run the day again/,
    ],
    ["{", "ManifestInvalid", /It isn't a manifest as the extract writes it: It is not JSON/],
    [{ ...MANIFEST, rows: -1 }, "ManifestInvalid", /\/rows: Expected a number >= 0, got -1/],
    [
      { ...MANIFEST, date: "2026-11-19" },
      "ManifestInvalid",
      /It belongs to "fraud" on 2026-11-19, expected "fraud" on 2026-11-20/,
    ],
    [{ ...MANIFEST, files: [] }, "ManifestInvalid", /It has 12 rows in 0 files/],
    [{ ...MANIFEST, duplicateKeys: 2 }, "DuplicateKeys", /2 keys occur more than once, allowed 0: .* Nothing was scored/],
  ])("%j stops the day", async (manifest, name, message) => {
    expect(await failure(inspect(manifest))).toMatchObject({ name, message: expect.stringMatching(message) });
  });
});

describe("batch-gate: summary", () => {
  const summary = (days: unknown) => handler()({ action: "summary", dataset: "fraud", modelName: "m", days });
  const done = (date: string, rows: number) => ({
    ...DAY,
    date,
    inspection: { rows, empty: rows === 0, files: 1, duplicateKeys: 0 },
  });

  it("adds up the days", async () => {
    expect(await summary([done("2026-11-19", 0), done("2026-11-20", 12), done("2026-11-21", 3)])).toEqual({
      dataset: "fraud",
      modelName: "m",
      days: 3,
      scored: 2,
      empty: 1,
      rows: 15,
      results: [
        { date: "2026-11-19", status: "empty", rows: 0 },
        { date: "2026-11-20", status: "scored", rows: 12 },
        { date: "2026-11-21", status: "scored", rows: 3 },
      ],
    });
  });

  it("names each failed day with its reason and the remedy", async () => {
    const glue = { Error: "States.TaskFailed", Cause: JSON.stringify({ Id: "jr_1", ErrorMessage: "Column amount vanished." }) };
    const { name, message } = await failure(
      summary([
        done("2026-11-18", 5),
        { ...DAY, date: "2026-11-19", error: glue },
        { ...done("2026-11-20", 12), error: { Error: "States.Timeout" } },
        { ...DAY, date: "2026-11-21" },
      ]),
    );
    expect(name).toBe("DaysFailed");
    expect(message).toBe(
      '3 of 4 days of dataset "fraud" failed; earlier scores are unchanged, and the other days are loaded. ' +
        "2026-11-19: States.TaskFailed: Column amount vanished; 2026-11-20: States.Timeout: no cause was given; 2026-11-21: it was never inspected. " +
        "Run them again with: npm run pipeline -- inference --dataset fraud --date DAY",
    );
  });

  it("names fifty days and counts the rest", async () => {
    const days = Array.from({ length: 60 }, (_, index) => ({ ...DAY, date: `day ${index}`, error: { Error: "X" } }));
    expect((await failure(summary(days))).message).toMatch(/day 49: X: no cause was given; and 10 more\./);
  });

  it("finds the message in what Lambda, Glue and SageMaker report", () => {
    expect(reasonIn('{"errorMessage":"a","trace":[]}')).toBe("a");
    expect(reasonIn('{"FailureReason":"b"}')).toBe("b");
    expect(reasonIn('{"other":1}')).toBe('{"other":1}');
    expect(reasonIn("[1]")).toBe("[1]");
    expect(reasonIn("plain")).toBe("plain");
    expect(reasonIn("x".repeat(700))).toBe(`${"x".repeat(600)}…`);
  });
});

describe("batch-gate: wrong events", () => {
  it.each<[unknown, RegExp]>([
    [{ action: "load" }, /\/action: Expected one of "inspect", "summary", got "load"/],
    [{ action: "inspect" }, /action "inspect" needs day/],
    [{ action: "summary" }, /action "summary" needs days/],
    [{ action: "summary", days: [] }, /\/days: Expected at least 1 elements, got an array of 0/],
    [
      { action: "summary", days: [{ date: "x", inspection: { rows: 1, empty: "no" } }] },
      /\/days\/0\/inspection\/empty: Expected a boolean, got "no"/,
    ],
  ])("%j", async (event, message) => {
    expect(await failure(handler()(event))).toMatchObject({ name: "InvalidInput", message: expect.stringMatching(message) });
  });
});
