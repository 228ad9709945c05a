import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { asObjects, asTable, summary } from "../../../cli/query/report";
import type { QueryAnswer } from "../../../cli/query/run";
import { connectQuery } from "../../../cli/query/target";

const answer: QueryAnswer = {
  columns: [
    { name: "band", type: "varchar" },
    { name: "n", type: "bigint" },
    { name: "mean", type: "double" },
    { name: "late", type: "boolean" },
  ],
  rows: [
    ["high", "12", "0.5", "true"],
    [null, "9007199254740993", "NaN", "false"],
  ],
  scannedBytes: 34_560,
  milliseconds: 240,
  outputLocation: "s3://results/one.csv",
};

describe("an answer", () => {
  it("has numbers where JSON has the same, and text where it would lose digits", () => {
    expect(asObjects(answer)).toEqual([
      { band: "high", n: 12, mean: 0.5, late: true },
      { band: null, n: "9007199254740993", mean: "NaN", late: false },
    ]);
  });

  it("is a table for people, with nothing for null", () => {
    const [head, , first, second] = stripVTControlCharacters(asTable(answer)).split("\n");
    expect(head?.trim().split(/\s+/)).toEqual(["band", "n", "mean", "late"]);
    expect(first?.trim().split(/\s+/)).toEqual(["high", "12", "0.5", "true"]);
    expect(second?.trim().split(/\s+/)).toEqual(["9007199254740993", "NaN", "false"]);
  });

  it("says what was read, and where Athena left it", () => {
    expect(summary(answer)).toBe("2 rows; 34.6 kB read in 0.2 s; s3://results/one.csv");
    expect(summary({ ...answer, rows: [[null, "1", "1", "true"]], scannedBytes: 12 })).toMatch(/^1 row; 12 B read/);
  });
});

it("a stack without a catalog can't be queried, and says how to get one", async () => {
  await expect(connectQuery({ region: "us-east-1" }, {})).rejects.toThrow("Set catalog.enabled in its config");
});
