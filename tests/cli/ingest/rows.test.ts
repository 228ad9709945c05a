import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatOf, type Row, readRows } from "../../../cli/ingest/rows";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rows-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function all(path: string, format: "csv" | "ndjson"): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of readRows(path, format)) rows.push(row);
  return rows;
}

describe("readRows", () => {
  it("reads quoted CSV cells that hold commas and line breaks", async () => {
    const rows = await all(file("a.csv", '\uFEFFid,name\n1,"Rippin, Kub"\n2,"two\nlines"\n'), "csv");
    expect(rows.map((row) => (row.kind === "row" ? row.cells : row))).toEqual([
      { id: "1", name: "Rippin, Kub" },
      { id: "2", name: "two\nlines" },
    ]);
  });

  it("reports an NDJSON line that can't be read and goes on", async () => {
    const rows = await all(file("a.ndjson", '{"a":1}\nnot json\n[1]\n\n{"a":2}\n'), "ndjson");
    expect(rows.map((row) => [row.line, row.kind])).toEqual([
      [1, "row"],
      [2, "unreadable"],
      [3, "unreadable"],
      [5, "row"],
    ]);
  });
});

describe("an NDJSON line that the stream would refuse", () => {
  it.each([
    ["a name twice", '{"id":"a","amount":1,"amount":2}', "got a name twice in one object"],
    ["a reserved name", '{"id":"a","constructor":1}', "/constructor: This name is not allowed."],
    ["a number beyond a double", '{"amount":1e999}', "/amount: Expected a finite number"],
    ["no JSON", '{"amount":1,}', "Expected JSON"],
  ])("is unreadable here too: %s", async (_, line, reason) => {
    const [row] = await all(file("refused.ndjson", `${line}\n`), "ndjson");
    expect(row).toMatchObject({ kind: "unreadable", line: 1, reason: expect.stringContaining(reason) });
  });
});

describe("formatOf", () => {
  it("takes the format from the option or the extension", () => {
    expect(formatOf(file("x.jsonl", ""), undefined)).toBe("ndjson");
    expect(formatOf(file("x.data", ""), "csv")).toBe("csv");
  });

  it.each([
    ["missing.csv", undefined, "no such file"],
    [".", undefined, "expected a file"],
  ])("refuses %s", (name, option, message) => {
    expect(() => formatOf(join(folder, name), option)).toThrow(message);
  });

  it("refuses an unknown extension and names the option that helps", () => {
    expect(() => formatOf(file("x.xlsx", ""), undefined)).toThrow("--format csv");
  });
});
