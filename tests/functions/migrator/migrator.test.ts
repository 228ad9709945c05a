import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Row, type SqlClient, StatementFailed } from "../../../functions/loader/sql-client";
import { checksumOf, createMigrator, type Migration } from "../../../functions/migrator/handler";
import { splitStatements } from "../../../functions/migrator/split";

const log = { debug() {}, info() {}, warn() {}, error() {} };

/** A warehouse that remembers what was applied and fails on demand. */
function setUp(migrations: readonly Migration[], rows: Row[] = [], fail?: (name: string) => Error | undefined) {
  const transactions: (readonly string[])[] = [];
  const sql: SqlClient = {
    transaction: async (statements, { name }) => {
      const error = fail?.(name);
      if (error !== undefined) throw error;
      transactions.push(statements);
      return [];
    },
    query: async () => rows,
  };
  return { run: () => createMigrator({ migrations, sql, log, newId: () => "id" })(1), transactions };
}

const one: Migration = { name: "0001_a", sql: "CREATE TABLE a (x INT); -- done\nSELECT ';'" };

describe("createMigrator", () => {
  it("applies missing migrations, each between the lock and its row", async () => {
    const test = setUp([one]);
    expect(await test.run()).toEqual({ applied: ["0001_a"], alreadyApplied: [] });
    expect(test.transactions[1]).toEqual([
      "LOCK TABLE risk.schema_migrations",
      "SELECT 1 / (1 - COUNT(*)) AS is_new FROM risk.schema_migrations WHERE name = '0001_a'",
      "CREATE TABLE a (x INT)",
      "-- done\nSELECT ';'",
      `INSERT INTO risk.schema_migrations (name, checksum, applied_at) VALUES ('0001_a', '${checksumOf(one)}', GETDATE())`,
    ]);
  });

  it("skips a migration only when another migrator was faster", async () => {
    const rows: Row[] = [];
    const fail = (name: string) => {
      if (name !== "migrate-0001_a") return undefined;
      rows.push({ name: "0001_a", checksum: checksumOf(one) });
      return new StatementFailed(name, 1, "", "division by zero");
    };
    expect(await setUp([one], rows, fail).run()).toEqual({ applied: [], alreadyApplied: ["0001_a"] });
    const broken = (name: string) => (name.startsWith("migrate-") ? new StatementFailed(name, 2, "", "syntax") : undefined);
    await expect(setUp([one], [], broken).run()).rejects.toThrow("syntax");
    await expect(
      setUp([one], [], (name) => (name.startsWith("migrate-") ? new Error("network") : undefined)).run(),
    ).rejects.toThrow("network");
  });

  it("retries the bootstrap once when two first runs collide, and after no other error", async () => {
    let attempts = 0;
    const meet = (name: string) =>
      name === "migrations-bootstrap" && attempts++ === 0 ? new StatementFailed(name, 0, "", "exists") : undefined;
    expect((await setUp([one], [], meet).run()).applied).toEqual(["0001_a"]);
    await expect(setUp([one], [], () => new Error("network")).run()).rejects.toThrow("network");
  });

  it.each([
    [[one], [{ name: "0001_a", checksum: "other" }], /0001_a was changed after it had been applied; restore/],
    [[one], [{ name: "0009_z", checksum: "x" }], /the warehouse has 0009_z/],
    [[{ name: "0002_a", sql: "SELECT 1" }], [], /migration 1 is called 0002_a, expected 0001_/],
    [[{ name: "0001_a", sql: "-- nothing" }], [], /0001_a has 0 statements/],
    [[{ name: "0001_a", sql: "SELECT 1;".repeat(38) }], [], /0001_a has 38 statements/],
    [[{ name: null, sql: "" }].map(() => one), [{ name: null, checksum: null }], /which this version does not know/],
  ])("refuses %j over %j", async (migrations, rows, message) => {
    await expect(setUp(migrations, rows).run()).rejects.toThrow(message);
  });

  it("ignores how a checkout ends its lines", () => {
    expect(checksumOf({ name: "a", sql: "A\r\nB" })).toBe(checksumOf({ name: "a", sql: "A\nB" }));
  });

  it("has every file of sql/migrations in its archive", () => {
    const entry = readFileSync("functions/entries/warehouse-migrator.ts", "utf8");
    for (const file of readdirSync("sql/migrations")) {
      expect(entry).toContain(`"../../sql/migrations/${file}"`);
      expect(entry).toContain(`name: "${file.replace(/\.sql$/, "")}"`);
    }
  });
});

describe("splitStatements", () => {
  it.each([
    ["A; B;", ["A", "B"]],
    ["SELECT ';', \"a;b\"; -- c;\nB", ["SELECT ';', \"a;b\"", "-- c;\nB"]],
    ["SELECT 'it''s; \\'; x'; B", ["SELECT 'it''s; \\'; x'", "B"]],
    ["/* a; b */ A; -- end", ["/* a; b */ A"]],
    ["A $$ b; c $$; B $t$ ; $$ ; $t$; $1", ["A $$ b; c $$", "B $t$ ; $$ ; $t$", "$1"]],
    [" ; ;", []],
  ])("splits %j", (sql, expected) => expect(splitStatements(sql)).toEqual(expected));

  it.each([
    ["A;\n'open", /string that begins on line 2/],
    ['"open', /quoted name/],
    ["/* open", /comment/],
    ["$$ open", /dollar-quoted/],
  ])("says where %j is not closed", (sql, message) => expect(() => splitStatements(sql)).toThrow(message));
});
