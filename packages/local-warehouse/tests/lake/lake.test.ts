import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LakeQuery, LakeTable } from "../../src/lake/lake";
import { Warehouse } from "../../src/warehouse";

interface Day {
  readonly values: readonly string[];
  readonly lines: readonly object[];
}

const folder = mkdtempSync(join(tmpdir(), "lake-"));
const warehouse = new Warehouse({
  folder,
  durable: false,
  readObject: async () => undefined,
  writeObject: async () => {},
  listObjects: async () => [],
  authorizeRole: () => {},
});
beforeAll(() => warehouse.start(), 60_000);
afterAll(async () => {
  await warehouse.stop();
  rmSync(folder, { recursive: true, force: true });
});

const NOW = Date.UTC(2026, 2, 10, 12);

const events: LakeTable<Day> = {
  name: "events",
  columns: [
    { name: "id", type: "string" },
    { name: "score", type: "double" },
    { name: "occurred_at", type: "string" },
    { name: "flags", type: "array<string>" },
    { name: "reasons", type: "array<struct<code:string,contribution:double>>" },
    { name: "features", type: "struct<amount:double,count_1h:double>" },
    { name: "input", type: "string" },
  ],
  keys: ["dt"],
  partitions: [
    {
      values: ["2026-03-08"],
      lines: [
        {
          id: "a",
          score: 0.9,
          occurred_at: "2026-03-08T09:59:00.500Z",
          flags: ["night", "far"],
          reasons: [
            { code: "night", contribution: 0.6 },
            { code: "far", contribution: 0.3 },
          ],
          features: { amount: 1e7, count_1h: null, newer: 1 },
          input: { channel: "web", items: [{ sku: "x" }], note: null },
        },
        { id: "b", score: 0.1, flags: [], reasons: [], features: { amount: 12.5, count_1h: 2 }, input: {} },
      ],
    },
    { values: ["2026-03-09"], lines: [{ id: "c", score: 0.5, flags: ["far"], features: { amount: 1e-5 } }] },
    { values: ["2026-03-10"], lines: [{ id: "d", score: 1, flags: null, features: null }] },
  ],
};

const grouped: LakeTable<Day> = {
  name: "grouped",
  columns: [{ name: "n", type: "bigint" }],
  keys: ["kind", "dt"],
  partitions: ["x", "y"].flatMap((kind) =>
    ["2026-03-09", "2026-03-10"].map((dt, index) => ({ values: [kind, dt], lines: [{ n: index + (kind === "x" ? 1 : 10) }] })),
  ),
};

async function run(sql: string, tables: readonly LakeTable<Day>[] = [events, grouped]) {
  const read: string[] = [];
  const query: LakeQuery<Day> = {
    sql,
    tables,
    nowMs: NOW,
    async *read(scans) {
      for (const scan of scans) {
        read.push([scan.table.name, ...scan.partition.values].join(" "));
        yield { scan, lines: scan.partition.lines.map((line) => JSON.stringify(line)) };
      }
    },
  };
  const result = await warehouse.queryLake(query);
  return { ...result, read };
}

const rows = async (sql: string) => (await run(sql)).rows;
const value = async (expression: string) => (await rows(`SELECT ${expression}`))[0]?.[0];
const refusal = (sql: string) => run(sql).then(() => "", String);

describe("a query over files", () => {
  it.each([
    ["SELECT id FROM events WHERE dt = '2026-03-09'", ["events 2026-03-09"]],
    [
      "SELECT id FROM events WHERE dt >= date_format(current_date - INTERVAL '1' DAY, '%Y-%m-%d')",
      ["events 2026-03-09", "events 2026-03-10"],
    ],
    [
      "SELECT id FROM events WHERE dt >= cast(date_add('day', -1, current_date) AS varchar)",
      ["events 2026-03-09", "events 2026-03-10"],
    ],
    ["SELECT id FROM events WHERE dt IN ('2026-03-08', '2026-03-10') AND score > 2", ["events 2026-03-08", "events 2026-03-10"]],
    ["SELECT id FROM events WHERE dt < '2026-01-01'", []],
    ["SELECT n FROM grouped WHERE kind = 'y' AND dt > '2026-03-09'", ["grouped y 2026-03-10"]],
    [
      "WITH late AS (SELECT * FROM events WHERE dt = '2026-03-10') SELECT e.id FROM late e JOIN grouped g ON g.dt = e.dt AND g.kind = 'x'",
      ["events 2026-03-10", "grouped x 2026-03-10"],
    ],
  ])("reads only the partitions that its conditions leave: %s", async (sql, partitions) => {
    expect((await run(sql)).read.sort()).toEqual(partitions);
  });

  it("reads members of structs, elements of arrays, and JSON", async () => {
    expect(
      await rows(
        "SELECT id, features.amount, e.features.count_1h, json_extract_scalar(input, '$.channel'), json_extract_scalar(input, '$.items[0].sku'), json_extract_scalar(input, '$.note'), element_at(flags, 1), cardinality(flags), contains(flags, 'far') FROM events AS e WHERE dt = '2026-03-08' ORDER BY id",
      ),
    ).toEqual([
      ["a", "1.0E7", null, "web", "x", null, "night", "2", "true"],
      ["b", "12.5", "2.0", null, null, null, null, "0", "false"],
    ]);
  });

  it("unnests arrays of texts and of structs, as a list or by CROSS JOIN", async () => {
    expect(
      await rows("SELECT f.flag, count(*) AS n FROM events CROSS JOIN UNNEST(flags) AS f (flag) GROUP BY 1 ORDER BY n DESC, 1"),
    ).toEqual([
      ["far", "2"],
      ["night", "1"],
    ]);
    expect(
      await rows("SELECT code, contribution FROM events, UNNEST(reasons) AS r (code, contribution) ORDER BY contribution DESC"),
    ).toEqual([
      ["night", "0.6"],
      ["far", "0.3"],
    ]);
  });

  it("returns structs and arrays as Athena writes them, in the order of the query", async () => {
    const { columns, rows: found } = await run(
      "SELECT id, flags, reasons, features FROM events WHERE dt <= '2026-03-09' ORDER BY score DESC",
    );
    expect(columns.map(({ name }) => name)).toEqual(["id", "flags", "reasons", "features"]);
    expect(found).toEqual([
      ["a", "[night, far]", "[{code=night, contribution=0.6}, {code=far, contribution=0.3}]", "{amount=10000000, count_1h=null}"],
      ["c", "[far]", null, "{amount=0.00001, count_1h=null}"],
      ["b", "[]", "[]", "{amount=12.5, count_1h=2}"],
    ]);
  });

  it("puts nulls last in both directions", async () => {
    const sql = (order: string) => `SELECT id FROM events ORDER BY features.amount ${order}`;
    expect((await rows(sql("DESC"))).at(-1)).toEqual(["d"]);
    expect((await rows(sql("ASC"))).at(-1)).toEqual(["d"]);
  });

  it.each([
    ["avg(n)", "5.5", "FROM (VALUES (1), (10)) AS t (n)"],
    ["sum(n)", "11", "FROM (VALUES (CAST(1 AS bigint)), (10)) AS t (n)"],
    ["approx_percentile(n, 0.5)", "2", "FROM (VALUES (1), (2), (9)) AS t (n)"],
    ["approx_distinct(n)", "2", "FROM (VALUES (1), (2), (2)) AS t (n)"],
    ["count_if(n > 1)", "2", "FROM (VALUES (1), (2), (2)) AS t (n)"],
    [
      "date_diff('hour', from_iso8601_timestamp('2026-03-08T10:00:00Z'), from_iso8601_timestamp('2026-03-08T11:59:00Z'))",
      "1",
      "",
    ],
    ["from_iso8601_timestamp('2026-03-08T10:00:00.25+02:00')", "2026-03-08 08:00:00.250 UTC", ""],
    ["date('2026-03-08') + INTERVAL '1' DAY", "2026-03-09", ""],
    ["current_date", "2026-03-10", ""],
    ["now()", "2026-03-10 12:00:00.000 UTC", ""],
    ["date_format(now(), '%Y/%m/%d %H:%i:%s')", "2026/03/10 12:00:00", ""],
    ["concat('a', NULL)", null, ""],
    ["concat('a', 'b', 'c')", "abc", ""],
    ["round(CAST(2.345 AS double), 2)", "2.35", ""],
    ["CAST('1' AS double) / 3", "0.3333333333333333", ""],
    ["array_join(ARRAY['a', 'b'], '-')", "a-b", ""],
    ["'it''s a \\ backslash'", "it's a \\ backslash", ""],
    ["extract(day FROM now())", "10", ""],
    ["to_unixtime(from_unixtime(1.5))", "1.5", ""],
  ])("computes %s as Trino does", async (expression, expected, from) => {
    expect((await rows(`SELECT ${expression} AS v ${from}`))[0]?.[0]).toBe(expected);
  });

  it("names the columns' types", async () => {
    const { columns } = await run(
      "SELECT count(*) AS n, 1.5 AS d, CAST(1 AS double) AS x, true AS b, dt, now() AS t FROM events GROUP BY dt",
    );
    expect(columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      "n bigint",
      "d decimal",
      "x double",
      "b boolean",
      "dt varchar",
      "t timestamp with time zone",
    ]);
  });

  it.each([
    ["SELECT pg_read_file('/etc/passwd')", "The function pg_read_file is not supported by the local Athena"],
    ["SELECT regexp_like('a', 'a')", "The function regexp_like is not supported"],
    ["SELECT 1; SELECT 2", "One query was expected"],
    ["DROP TABLE events", "runs SELECT and WITH, got DROP"],
    [
      "WITH gone AS (DELETE FROM events RETURNING 1) SELECT 1",
      "DELETE is not supported by the local Athena: the tables are read only",
    ],
    ["SELECT '1'::int", "write CAST(value AS type)"],
    ["SELECT id FROM events WHERE id = ?", "stands for a parameter"],
    ["SELECT greatest(1, NULL)", "greatest is not supported by the local Athena"],
    ["SELECT date_diff('month', now(), now())", "date_diff by month is not supported"],
    ["SELECT date_format(now(), '%b')", "date_format knows only"],
    ["SELECT json_extract_scalar('{}', '$..a')", "reads paths like $.name[0]"],
    ["SELECT avg(DISTINCT score) FROM events", "avg(DISTINCT …) is not supported"],
    ["SELECT approx_percentile(score, 0.9, 3) FROM events", "approx_percentile takes 2 argument(s)"],
    ["", "The query is empty"],
  ])("is refused by name: %s", async (sql, reason) => {
    expect(await refusal(sql)).toContain(reason);
  });

  it("can reach neither the warehouse nor another query's tables", async () => {
    expect(await refusal("SELECT * FROM pg_authid")).toContain("permission denied");
    await run("SELECT count(*) FROM events");
    expect(await refusal("SELECT count(*) FROM grouped".replace("grouped", "others"))).toContain('"others" does not exist');
  });

  it("refuses a column of a type that it can't read", async () => {
    const odd: LakeTable<Day> = { ...events, name: "odd", columns: [{ name: "m", type: "map<string,double>" }] };
    expect(await run("SELECT 1 FROM odd", [odd]).then(() => "", String)).toContain(
      "The column odd.m is of type map<string,double>",
    );
  });

  it("ends when it is cancelled", async () => {
    const cancelled = new AbortController();
    const query: LakeQuery<Day> = {
      sql: "SELECT count(*) FROM events a, events b, events c, events d, events e, events f, events g, events h, events i, events j",
      tables: [events],
      nowMs: NOW,
      async *read(scans) {
        const lines = Array.from({ length: 500 }, () => "{}");
        for (const scan of scans) yield { scan, lines };
        setImmediate(() => cancelled.abort());
      },
    };
    await expect(warehouse.queryLake(query, cancelled.signal)).rejects.toThrow("canceling statement");
  });

  it("fails with the reason when a value is of another type than its column", async () => {
    const broken: LakeTable<Day> = { ...events, partitions: [{ values: ["2026-03-08"], lines: [{ score: "high" }] }] };
    expect(await run("SELECT id FROM events", [broken]).then(() => "", String)).toContain(
      "invalid input syntax for type double precision",
    );
  });

  it("reads values of constants without a table", async () => {
    expect(await value("upper(trim(' a '))")).toBe("A");
  });
});
