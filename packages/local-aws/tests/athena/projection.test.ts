import { describe, expect, it } from "vitest";
import { partitionsOf } from "../../src/services/athena/projection";
import { fieldsOf, linesOf } from "../../src/services/athena/rows";
import type { CatalogTable } from "../../src/services/glue";

/** `<dt>` as the placeholder of a partition column. */
const template = (text: string): string => text.replaceAll("<", `${"$"}{`).replaceAll(">", "}");

const NOW = Date.UTC(2026, 2, 10, 12);
const column = (name: string) => ({ name, type: "string", comment: undefined, parameters: {} });

const table: CatalogTable = {
  database: "db",
  name: "events",
  description: undefined,
  tableType: "EXTERNAL_TABLE",
  parameters: {
    "projection.enabled": "true",
    "projection.kind.type": "enum",
    "projection.kind.values": "x,y",
    "projection.dt.type": "date",
    "projection.dt.format": "yyyy-MM-dd",
    "projection.dt.range": "NOW-2DAYS,NOW",
    "storage.location.template": template("s3://data/events/<kind>/dt=<dt>/"),
  },
  partitionKeys: [column("kind"), column("dt")],
  columns: [column("id")],
  location: "s3://data/events/",
  inputFormat: undefined,
  outputFormat: undefined,
  compressed: true,
  serde: { library: "org.openx.data.jsonserde.JsonSerDe", parameters: {} },
};

const found = (keys: readonly string[], changes: Partial<CatalogTable> = {}) =>
  partitionsOf({ ...table, ...changes }, NOW, () => keys.map((key) => ({ key, size: 1 }))).map(
    ({ values, objects }) => `${values.join("/")}: ${objects.length}`,
  );

describe("the partitions of a table", () => {
  it("are those that its parameters describe and that have objects", () => {
    expect(
      found([
        "events/x/dt=2026-03-10/a.zst",
        "events/x/dt=2026-03-10/sub/b.zst",
        "events/y/dt=2026-03-08/a.zst",
        // Older than the range, of no value of the enum, no day, in the future, hidden from Hive, and beside the partitions.
        "events/y/dt=2026-03-07/a.zst",
        "events/z/dt=2026-03-10/a.zst",
        "events/x/dt=today/a.zst",
        "events/x/dt=2026-03-11/a.zst",
        "events/x/dt=2026-03-10/_SUCCESS",
        "events/x/dt=2026-03-10/.part.crc",
        "events/x/dt=2026-03-10.manifest.json",
      ]),
    ).toEqual(["x/2026-03-10: 2", "y/2026-03-08: 1"]);
  });

  it("have Hive's folders where there is no template", () => {
    const { "storage.location.template": _, ...parameters } = table.parameters;
    expect(found(["events/kind=x/dt=2026-03-10/a"], { parameters })).toEqual(["x/2026-03-10: 1"]);
  });

  it("are one, the whole location, where there are no partition columns", () => {
    expect(found(["events/a", "events/b/c"], { partitionKeys: [] })).toEqual([": 2"]);
  });

  const changed = (parameters: Readonly<Record<string, string>>) => () =>
    found(["events/x/dt=2026-03-10/a"], { parameters: { ...table.parameters, ...parameters } });

  it.each([
    [{ "projection.enabled": "false" }, 'set the parameter projection.enabled to "true"'],
    [{ "projection.dt.type": "integer" }, "projects enum, and date with the format yyyy-MM-dd, got integer"],
    [{ "projection.dt.range": "NOW-3YEARS,NOW" }, "reads days, NOW and NOW-nDAYS, got NOW-3YEARS"],
    [
      { "storage.location.template": template("s3://data/events/<dt>/<kind>/") },
      "must name kind, dt in this order, got dt, kind",
    ],
    [
      { "storage.location.template": template("s3://other/events/<kind>/<dt>/") },
      "must begin with the bucket of the location, s3://data/",
    ],
  ])("that can't be projected here are refused by name: %j", (parameters, message) => {
    expect(changed(parameters)).toThrow(message);
  });
});

describe("lines of objects", () => {
  it.each([
    ["a,b,", ["a", "b", ""]],
    ['"a,b","say ""hi""",""', ["a,b", 'say "hi"', ""]],
    ['"back\\\\slash","\\"x\\"",\\n', ["back\\slash", '"x"', "\\n"]],
    ["one", ["one"]],
  ])("of CSV are read as OpenCSV reads them: %s", (line, fields) => {
    expect(fieldsOf(line)).toEqual(fields);
  });

  it("become members by the table's columns, null where a line has fewer", async () => {
    const csv = {
      ...table,
      columns: [column("key"), column("amount")],
      serde: { ...table.serde, library: "org.apache.hadoop.hive.serde2.OpenCSVSerde" },
    };
    expect(await linesOf(csv, "part-0.csv", Buffer.from("a,1\r\n\nb\n"))).toEqual([
      '{"key":"a","amount":"1"}',
      '{"key":"b","amount":null}',
    ]);
  });

  it("with another SerDe are refused by name", async () => {
    const parquet = {
      ...table,
      serde: { library: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe", parameters: {} },
    };
    await expect(linesOf(parquet, "a", Buffer.from(""))).rejects.toThrow("not with org.apache.hadoop.hive.ql.io.parquet");
  });
});
