import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readRows, readRowsFrom } from "../../../functions/files/read";
import type { Row } from "../../../functions/files/types";
import { AML, all, bytesOf, contents, GERMAN, inChunks, PAYSIM, readFile, SPARKOV } from "./samples";

const utf16 = (text: string, order: "le" | "be"): Buffer => {
  const bytes = Buffer.from(`\uFEFF${text}`, "utf16le");
  return order === "le" ? bytes : bytes.swap16();
};
const windows1252 = (text: string): Buffer => Buffer.from(text, "latin1");
const LONG = "x".repeat(70_000);

describe("rows of CSV", () => {
  it("have commas, quotes and line breaks in quoted fields", async () => {
    const { rows } = await readFile('id,name\r\n1,"Rippin, ""Kub"""\r\n2,"two\nlines"\r\n3,5" pipe\r\n');
    expect(contents(rows)).toEqual([
      { id: "1", name: 'Rippin, "Kub"' },
      { id: "2", name: "two\nlines" },
      { id: "3", name: '5" pipe' },
    ]);
    expect(rows.map(({ line, row }) => [line, row])).toEqual([
      [2, 1],
      [3, 2],
      [5, 3],
    ]);
  });

  it("that are broken cost one line each, and reading goes on", async () => {
    const text = `id,name\n1,a,b\n2,"b"x\n3\n\n4,${LONG}\n5,"${LONG}"\n6,"${LONG}\n7,g\n8,"open`;
    const { rows } = await readFile(text);
    expect(contents(rows)).toEqual([
      "2: columns: expected 2, got 3",
      "3: text after a closing quote",
      "4: columns: expected 2, got 1",
      "6: longer than 65536 bytes, or a quote is not closed",
      "7: longer than 65536 bytes, or a quote is not closed",
      "8: longer than 65536 bytes, or a quote is not closed",
      { id: "7", name: "g" },
      "10: a quote is not closed before the end of the file",
    ]);
  });

  it("that aren't UTF-8 name the option that may help", async () => {
    const head = `a,b\n${"1,x\n".repeat(20_000)}`;
    const { rows } = await readFile(Buffer.concat([bytesOf(head), windows1252("2,é\n3,y\n")]));
    expect(contents(rows.slice(-2))).toEqual([expect.stringContaining("--encoding windows-1252"), { a: "3", b: "y" }]);
  });

  it("are the same from every encoding, compressed or not", async () => {
    const { rows } = await readFile(GERMAN);
    const encoded = [utf16(GERMAN, "le"), utf16(GERMAN, "be"), windows1252(GERMAN), gzipSync(GERMAN), bytesOf(`\uFEFF${GERMAN}`)];
    for (const bytes of encoded) expect(contents((await readFile(bytes)).rows)).toEqual(contents(rows));
    expect(rows).toHaveLength(2);
  });

  it("are all of a gzip file's members, and a file that is cut off is refused", async () => {
    const members = Buffer.concat([gzipSync("a,b\n1,2\n"), gzipSync("3,4\n")]);
    expect((await readFile(members)).rows).toHaveLength(2);
    const cut = gzipSync(PAYSIM).subarray(0, 60);
    await expect(readFile(cut)).rejects.toThrow("damaged or cut off");
  });

  it("don't hide a failure of the source behind the gzip file", async () => {
    const packed = gzipSync(LONG.repeat(20));
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield packed.subarray(0, 40);
      throw new Error("connection reset");
    }
    const { plan } = await readFile(packed, { format: "csv" });
    await expect(all(readRowsFrom(failing(), plan, { offset: 0, line: 0, row: 0 }))).rejects.toThrow("connection reset");
  });
});

describe("rows of JSON", () => {
  it("of lines: a line that can't be read is reported, and reading goes on", async () => {
    const { plan, rows } = await readFile('{"a":1}\nnot json\n[1]\n\n{"a":2}\n{"a":1,"a":2}');
    expect(plan.format).toBe("ndjson");
    expect(rows.map((row) => [row.line, row.kind])).toEqual([
      [1, "row"],
      [2, "unreadable"],
      [3, "unreadable"],
      [5, "row"],
      [6, "unreadable"],
    ]);
  });

  it.each([
    ["a reserved name", '{"id":"a","constructor":1}', "/constructor: This name is not allowed."],
    ["a number beyond a double", '{"amount":1e999}', "/amount: Expected a finite number"],
    ["bytes that aren't UTF-8", windows1252('{"a":"é"}'), "not UTF-8"],
  ])("of lines: one that the stream would refuse is unreadable here too: %s", async (_, line, reason) => {
    const { rows } = await readFile(line, { encoding: "utf-8" });
    expect(contents(rows)).toEqual([expect.stringContaining(reason)]);
  });

  it("of an array, whatever stands in its strings, one element at a time", async () => {
    const { plan, rows } = await readFile(' [ {"a":"]},\\"["} ,{"b":[1,{"c":2}]},\n 5,, {"d":}, {"e":1} ] \n');
    expect(plan.format).toBe("json");
    expect(contents(rows)).toEqual([
      { a: ']},"[' },
      { b: [1, { c: 2 }] },
      "3: not an object",
      expect.stringContaining("4: Expected JSON"),
      expect.stringContaining("5: Expected JSON"),
      { e: 1 },
    ]);
  });

  it("of an array: elements that are too large, a missing end and text around it are rows that can't be read", async () => {
    const large = await readFile(`[{"a":"${LONG}"},{"a":1}`);
    expect(contents(large.rows)).toEqual([
      expect.stringContaining("longer than 65536"),
      expect.stringContaining("the file ends before its JSON array does"),
    ]);
    const after = await readFile('[{"a":1}] x y');
    expect(contents(after.rows)).toEqual([{ a: 1 }, expect.stringContaining("not a JSON array from here on")]);
    const before = await readFile('x [{"a":1}]', { format: "json" });
    expect(contents(before.rows)).toEqual([expect.stringContaining("not a JSON array from here on")]);
    expect((await readFile("[]")).rows).toEqual([]);
  });
});

/** Text with everything that a reader may stumble on. */
const anyText = fc
  .array(fc.constantFrom("a", "1", '"', '""', ",", ";", "\n", "\r\n", "\r", "{", "}", "[", "]", "\\", " ", "é", "€", "\uFEFF"), {
    maxLength: 60,
  })
  .map((parts) => parts.join(""));
const anySizes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 40 });
const anyFormat = fc.constantFrom("csv", "ndjson", "json");

describe("the same bytes", () => {
  it("give the same rows at the same positions, however they are cut into chunks", async () => {
    await fc.assert(
      fc.asyncProperty(anyText, anySizes, anyFormat, fc.boolean(), async (text, sizes, format, wide) => {
        const bytes = wide ? utf16(text, "le") : bytesOf(text);
        const options = { format, delimiter: ",", columns: undefined } as const;
        const { plan } = await readFile(bytes, { format: options.format, delimiter: options.delimiter }).catch(() => ({
          plan: null,
        }));
        if (plan === null) return;
        const whole = await all(readRows(inChunks(bytes), plan));
        expect(await all(readRows(inChunks(bytes, sizes), plan))).toEqual(whole);
      }),
      { numRuns: 400 },
    );
  });

  it("give the rest of the rows from every place between two rows, plain or compressed", async () => {
    const json = '[{"a":1}, {"a":"]"} ,{"a":3}]';
    const files = [PAYSIM, AML, SPARKOV, GERMAN, json, '{"a":1}\n\n{"a":2}\nx\n{"a":3}', `\uFEFF${GERMAN}`];
    for (const text of files) {
      for (const bytes of [bytesOf(text), gzipSync(text), utf16(text, "be")]) {
        const { plan, rows } = await readFile(bytes);
        for (const [index, { next }] of rows.entries()) {
          const seekable = !plan.gzip && plan.encoding === "utf-8";
          const file = inChunks(seekable ? bytes.subarray(next.offset) : bytes, [3, 7]);
          expect(await all(readRowsFrom(file, plan, next))).toEqual(rows.slice(index + 1));
        }
      }
    }
  });

  it("give the same rows whatever their length, at the limit too", async () => {
    const limit = 64 * 1024;
    for (const length of [limit - 3, limit - 2, limit - 1, limit]) {
      for (const field of ["y".repeat(length), `"${"y".repeat(length - 2)}"`]) {
        const bytes = bytesOf(`a,b\n1,${field}\n2,z`);
        const { plan, rows } = await readFile(bytes);
        const kinds = rows.map((row: Row) => row.kind);
        expect(kinds).toEqual([length + 2 <= limit ? "row" : "unreadable", "row"]);
        expect(await all(readRows(inChunks(bytes, [5, limit - 2, 1, 1, 1, 1]), plan))).toEqual(rows);
      }
    }
  });

  it("come back from CSV as they were written", async () => {
    const cell = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r\n", " ", "ü", "'"), maxLength: 8 });
    const table = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 8 });
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    await fc.assert(
      fc.asyncProperty(table, anySizes, async (records, sizes) => {
        const text = ["a,b,c", ...records.map((record) => record.map(quoted).join(","))].join("\r\n");
        const { rows } = await readFile(text, { format: "csv", quote: '"', delimiter: "," }, sizes);
        expect(rows.map((row) => (row.kind === "row" ? Object.values(row.cells) : row))).toEqual(records);
      }),
    );
  });
});
