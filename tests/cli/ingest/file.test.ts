import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { openFile } from "../../../cli/ingest/file";
import { Mapper } from "../../../cli/ingest/mapper";
import { presetList } from "../../../cli/ingest/mapping-report";
import { RecordChecker } from "../../../cli/ingest/record-checker";
import { PRESETS } from "../../../functions/files/mapping/presets";
import { AML, all, GERMAN, PAYSIM, SPARKOV, TABFORMER, TAKE_HOME } from "../../functions/files/samples";

const folder = mkdtempSync(join(tmpdir(), "file-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** What the command prints of a file, and what it would send. */
async function ingest(path: string, options = {}): Promise<{ printed: string; accepted: number; rejected: string[] }> {
  const checker = new RecordChecker("fraud");
  const printed: string[] = [];
  const opened = await openFile(path);
  const mapper = new Mapper(opened, checker.schema, options, { write: (text) => printed.push(text) });
  const rejected: string[] = [];
  let accepted = 0;
  for await (const row of opened.rows) {
    const checked = row.kind === "row" ? checker.check(mapper.record(row)) : ({ kind: "rejected", reason: row.reason } as const);
    if (checked.kind === "accepted") accepted++;
    else rejected.push(`${row.line}: ${checked.reason}`);
  }
  expect(opened.bytesRead()).toBe(opened.bytes);
  return { printed: printed.join(""), accepted, rejected };
}

describe("ingest of a known file", () => {
  it.each([
    ["paysim", PAYSIM, 2],
    ["ibm-aml", AML, 2],
    ["take-home", TAKE_HOME, 2],
    ["sparkov", SPARKOV, 1],
    ["tabformer", TABFORMER.replace("$-25.00", "$25.00"), 2],
  ])("%s accepts every row at the first try", async (name, content, rows) => {
    const { printed, accepted, rejected } = await ingest(file(`${name}.csv.gz`, gzipSync(content)));
    expect([accepted, rejected]).toEqual([rows, []]);
    expect(printed).toContain(`Preset:  ${name} (`);
  });

  it("says which of several times it takes, and why", async () => {
    const { printed } = await ingest(file("purchases.csv", TAKE_HOME));
    expect(printed).toBe(
      [
        'File:    CSV, UTF-8, delimiter ,, quote ", header in the first line',
        "Preset:  take-home (The take-home e-commerce fraud file (Fraud_Data.csv); the file has its columns user_id, signup_time, purchase_time, purchase_value, device_id, ip_address)",
        "Mapping: transaction_id ← row number, user_id, amount ← purchase_value, device_id, ip_address, timestamp ← purchase_time as M/D/YYYY H:mm",
        "Time:    timestamp ← purchase_time as M/D/YYYY H:mm: the purchase is scored; signup_time is when the account was made. Not taken: signup_time.",
        "",
      ].join("\n"),
    );
  });

  it("names decimal commas and columns in another language", async () => {
    const { printed, accepted } = await ingest(file("export.txt", Buffer.from(GERMAN, "latin1")));
    expect(accepted).toBe(2);
    expect(printed).toContain('Windows-1252, delimiter ;, quote ", header in the first line, decimal comma in Betrag');
    expect(printed).toContain("Preset:  none");
    expect(printed).toContain("transaction_id ← Bestell-Nr, user_id ← Kunde, amount ← Betrag, currency ← Währung");
  });

  it("takes a map that leaves no time to find", async () => {
    const path = file("mapped.csv", "a,u,v,w\n1,u,2,2026-01-01\n");
    const map = [
      ["transaction_id", "a"],
      ["user_id", "u"],
      ["amount", "v"],
      ["timestamp", "w"],
    ];
    expect((await ingest(path, { map })).accepted).toBe(1);
  });
});

describe("rows that can't be read", () => {
  it("are reported by their lines, also before the first one that can", async () => {
    const good = '{"transaction_id":"t","user_id":"u","amount":1,"timestamp":"2026-01-01"}';
    const path = file("late.ndjson", `${"x\n".repeat(600)}${good}\n`);
    const { printed, accepted, rejected } = await ingest(path);
    expect([accepted, rejected.length, rejected[599]]).toEqual([1, 600, expect.stringMatching(/^600: Expected JSON/)]);
    expect(printed).toContain("File:    NDJSON, UTF-8");
  });

  it("are none of an empty file, of which nothing is said", async () => {
    expect(await ingest(file("empty.csv", ""))).toEqual({ printed: "", accepted: 0, rejected: [] });
  });
});

describe("openFile", () => {
  it("takes the format from the option, the extension or the content", async () => {
    const format = async (name: string, text: string, options = {}) => (await openFile(file(name, text), options)).plan.format;
    expect(await format("x.jsonl", "1\n")).toBe("ndjson");
    expect(await format("x.jsonl.gz", "1\n")).toBe("ndjson");
    expect(await format("x.tsv", "[{\t1\n")).toBe("csv");
    expect(await format("x.json", '[{"a":1}]')).toBe("json");
    expect(await format("x.json", '{"a":1}')).toBe("ndjson");
    expect(await format("x.data", "a,b\n", { format: "ndjson" })).toBe("ndjson");
  });

  it.each([
    ["missing.csv", "no such file"],
    [".", "expected a file"],
  ])("refuses %s", async (name, message) => {
    await expect(openFile(join(folder, name))).rejects.toThrow(message);
  });

  it("names the file and the columns that occur twice", async () => {
    await expect(openFile(file("twice.csv", "a,b,a\n1,2,3\n"))).rejects.toThrow(/twice\.csv: .*"a" \(columns 1, 3\)/);
  });

  it("doesn't take a damaged gzip file for one of another kind", async () => {
    const packed = gzipSync(PAYSIM);
    packed[packed.length - 20] = 0;
    await expect(openFile(file("damaged.csv.gz", packed))).rejects.toThrow("damaged or cut off");
  });

  it("names everything that is missing in one message", async () => {
    const opened = await openFile(file("odd.csv", "a,b\nx,y\n"));
    const make = () => new Mapper(opened, new RecordChecker("fraud").schema, { map: [["amount", "c"]] }, null);
    expect(make).toThrow(
      /no column "c"[\s\S]*Needed: transaction_id, user_id, amount, timestamp\. Columns found: a, b\.[\s\S]*--id row/,
    );
  });
});

describe("presetList", () => {
  it("names every preset with its columns", () => {
    for (const { name, title, signature } of PRESETS) {
      const line = presetList()
        .split("\n")
        .find((text) => text.trim().startsWith(name));
      expect(line).toContain(title);
      expect(line).toContain(signature.join(", "));
    }
  });
});

it("all rows of a file are read once", async () => {
  expect(await all((await openFile(file("once.csv", PAYSIM))).rows)).toHaveLength(2);
});
