/** The tables that the migrations leave behind, beside the declarations of the lines that fill them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { TARGETS } from "../../../functions/loader/targets";

interface TableColumn {
  readonly type: string;
  readonly notNull: boolean;
  /** By ALTER TABLE, which takes no NOT NULL without a default: rows from before have none. */
  readonly addedLater: boolean;
}

const FOLDER = join(process.cwd(), "sql/migrations");
const TABLES = tablesOf(
  readdirSync(FOLDER)
    .sort()
    .map((file) => readFileSync(join(FOLDER, file), "utf8"))
    .join("\n"),
);
/** Written by the loader itself, not taken from the line. */
const OF_THE_LOADER = ["load_id", "loaded_at"];

function tablesOf(sql: string): ReadonlyMap<string, ReadonlyMap<string, TableColumn>> {
  const statements = sql.replace(/--.*$/gm, "").split(";");
  const tables = new Map<string, Map<string, TableColumn>>();
  for (const statement of statements) {
    const created = /CREATE TABLE risk\.(\w+) \(\n([\s\S]*?)\n\)/.exec(statement);
    if (created !== null) tables.set(created[1]!, new Map(created[2]!.split(",\n").flatMap((line) => columnOf(line, false))));
    const added = /ALTER TABLE risk\.(\w+) ADD COLUMN (.*)/.exec(statement);
    if (added !== null) for (const [name, column] of columnOf(added[2]!, true)) tables.get(added[1]!)!.set(name, column);
    const dropped = /ALTER TABLE risk\.(\w+) DROP COLUMN (\w+)/.exec(statement);
    if (dropped !== null) tables.get(dropped[1]!)!.delete(dropped[2]!);
  }
  return tables;
}

function columnOf(line: string, addedLater: boolean): [string, TableColumn][] {
  const found = /^\s*("?\w+"?)\s+(VARCHAR\(\d+\)|CHAR\(\d+\)|DOUBLE PRECISION|\w+)(.*)$/.exec(line);
  if (found === null || found[1] === "PRIMARY") return [];
  return [[found[1]!, { type: found[2]!, notNull: found[3]!.includes("NOT NULL"), addedLater }]];
}

const typesOf = (columns: Iterable<readonly [string, { readonly type: string }]>) =>
  Object.fromEntries(Array.from(columns, ([name, { type }]) => [name, type]));

describe.each(TARGETS)("the columns of $table", ({ table, columns }) => {
  const declared = Object.entries(columns);
  const rows = TABLES.get(table)!;

  it("are the staging table's: COPY fills a column from the field of its name", () => {
    const staging = TABLES.get(`${table}_staging`)!;
    expect(typesOf(staging)).toEqual(typesOf(declared));
    expect([...staging.values()].filter(({ notNull }) => notNull)).toEqual([]);
  });

  it("are the table's, under their own names there", () => {
    const fromLines = [...rows].filter(([name]) => !OF_THE_LOADER.includes(name));
    expect(typesOf(fromLines)).toEqual(typesOf(declared.map(([field, column]) => [column.column ?? field, column] as const)));
    expect([...rows.keys()]).toEqual(expect.arrayContaining(OF_THE_LOADER));
  });

  it("are NOT NULL exactly where every line has them", () => {
    for (const [field, { required, type, column = field }] of declared) {
      const { notNull, addedLater } = rows.get(column)!;
      // A SUPER holds JSON's null.
      if (type !== "SUPER" && !addedLater) expect(`${field}: ${notNull}`).toBe(`${field}: ${required}`);
      if (notNull) expect(required, field).toBe(true);
    }
  });
});
