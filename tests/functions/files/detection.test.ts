import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { columnsOf, planText } from "../../../functions/files/columns";
import { plainName } from "../../../functions/files/header";
import type { FileOptions } from "../../../functions/files/types";
import { contents, readFile, TABFORMER } from "./samples";

const described = async (file: string | Uint8Array, options?: FileOptions) => planText((await readFile(file, options)).plan);

describe("what is found out about a file", () => {
  it.each([
    ["a,b\n1,2\n", 'CSV, UTF-8, delimiter ,, quote ", header in the first line'],
    ["a;b\n1,5;2,5\n", 'CSV, UTF-8, delimiter ;, quote ", header in the first line'],
    ["a\tb\n1\tx, y; z\n", 'CSV, UTF-8, delimiter tab, quote ", header in the first line'],
    ["a|b\n1|2\n", 'CSV, UTF-8, delimiter |, quote ", header in the first line'],
    ['"a;x","b"\n"1;2","3"\n', 'CSV, UTF-8, delimiter ,, quote ", header in the first line'],
    ["'a','b'\n'1,2','3'\n", "CSV, UTF-8, delimiter ,, quote ', header in the first line"],
    ["a,b\nit's,o'clock\n", 'CSV, UTF-8, delimiter ,, quote ", header in the first line'],
    ["2026-03-01 12:00:00,$5.00,x\n2026-03-02 12:00:00,$6.00,y\n", 'CSV, UTF-8, delimiter ,, quote ", no header'],
    ["single\nx\n", 'CSV, UTF-8, delimiter ,, quote ", header in the first line'],
    ["\uFEFFa,b\n1,2\n", 'CSV, UTF-8 with byte order mark, delimiter ,, quote ", header in the first line'],
    ['{"a":1}\n', "NDJSON, UTF-8"],
    ['\n [ {"a":1} ]', "JSON array, UTF-8"],
    ["[note],b\n1,2\n", 'CSV, UTF-8, delimiter ,, quote ", header in the first line'],
  ])("%j is %s", async (text, expected) => {
    expect(await described(text)).toBe(expected);
    expect(await described(gzipSync(text))).toBe(expected.replace(/^(CSV|NDJSON|JSON array)/, "$1, gzip"));
  });

  it("is UTF-16 with and without a byte order mark, and Windows-1252 when it isn't UTF-8", async () => {
    const text = "Währung,b\n€,2\n";
    const le = Buffer.from(text, "utf16le");
    expect(await described(le)).toContain("UTF-16 LE");
    expect(await described(Buffer.from(le).swap16())).toContain("UTF-16 BE");
    const { plan, rows } = await readFile(Buffer.from("W\xe4hrung,b\n\x80,2\n", "latin1"));
    expect([planText(plan), contents(rows)]).toEqual([expect.stringContaining("Windows-1252"), [{ Währung: "€", b: "2" }]]);
  });

  it("isn't changed by a character that the end of the sample cuts, nor by what comes after the sample", async () => {
    const head = `a,b\n${"é,1\n".repeat(13_107)}`;
    expect(await described(`${head}é,1\n`)).toContain("UTF-8");
    const late = await readFile(`a,b\n${"1,2\n".repeat(20_000)}1;2;3\n`);
    expect(late.plan.csv?.delimiter).toBe(",");
    expect(late.rows.at(-1)).toMatchObject({ kind: "unreadable", row: 20_001 });
  });

  it("gives way to options", async () => {
    const options: FileOptions = { delimiter: ";", quote: "'", header: false, columns: ["x", "y"], encoding: "windows-1252" };
    const { plan, rows } = await readFile("a;'b;c'\n1;2", options);
    expect(contents(rows)).toEqual([
      { x: "a", y: "b;c" },
      { x: "1", y: "2" },
    ]);
    expect(planText(plan)).toBe("CSV, Windows-1252, delimiter ;, quote ', no header");
    expect((await readFile("1,2\n3,4")).plan.csv?.columns).toEqual(["column1", "column2"]);
    expect((await readFile("1,2\n3,4", { header: true })).rows).toHaveLength(1);
  });

  it("names the content, so that the same rows have the same name however the file is packed", async () => {
    const { plan } = await readFile(TABFORMER);
    expect(plan.contentId).toMatch(/^[0-9a-f]{12}$/);
    expect((await readFile(gzipSync(TABFORMER))).plan.contentId).toBe(plan.contentId);
    expect((await readFile(`${TABFORMER} `)).plan.contentId).not.toBe(plan.contentId);
  });

  it("is what members the first objects have", async () => {
    const { plan, sample } = await readFile('{"a":1}\nx\n{"a":1,"b":2}\n');
    expect(columnsOf(plan, sample)).toEqual(["a", "b"]);
  });

  it("of an empty file is nothing, and it has no rows", async () => {
    expect(await readFile("")).toMatchObject({ rows: [], sample: [], plan: { csv: { columns: [] } } });
  });
});

describe("a file is refused", () => {
  it.each([
    ["a,b,a,c,b\n1,2,3,4,5", {}, /"a" \(columns 1, 3\); "b" \(columns 2, 5\)\. .*--columns NAME,NAME,… \(5 of them\)/],
    ["a,__proto__\n1,2", {}, /"__proto__", a name that is not allowed/],
    ["a,b\n1,2", { columns: ["a"] }, /columns that were given are 1, and the first line has 2/],
    ["PK\u0003\u0004…", {}, /a ZIP or Excel file/],
    ["PAR1…", {}, /a Parquet file/],
    ["BZh9…", {}, /a bzip2 file/],
  ])("%j", async (text, options, message) => {
    await expect(readFile(text, options)).rejects.toThrow(message);
  });

  it("unless its columns without names are the ones that repeat", async () => {
    expect((await readFile(",a,\n1,2,3")).plan.csv?.columns).toEqual(["", "a", ""]);
  });
});

describe("plainName", () => {
  it.each([
    ["Währung", "wahrung"],
    ["trans_num", "transnum"],
    ["Errors?", "errors"],
    ["Número de Pedido", "numerodepedido"],
  ])("%s is %s", (name, plain) => expect(plainName(name)).toBe(plain));
});
