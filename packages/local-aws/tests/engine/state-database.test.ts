import { afterEach, expect, it } from "vitest";
import { StateDatabase } from "../../src/engine/state-database";

const db = new StateDatabase(":memory:");
afterEach(() => db.exec("DROP TABLE IF EXISTS numbers"));

it("prepares a statement once, and answers each use of it anew", () => {
  db.exec("CREATE TABLE numbers (value INTEGER)");
  const insert = db.prepare("INSERT INTO numbers VALUES (?)");
  insert.run(1);
  const all = () => db.prepare("SELECT value FROM numbers ORDER BY value").all();
  expect(all().map(({ value }) => value)).toEqual([1]);
  expect(db.prepare("INSERT INTO numbers VALUES (?)")).toBe(insert);
  insert.run(2);
  expect(all().map(({ value }) => value)).toEqual([1, 2]);
});

it("follows a change of the table", () => {
  db.exec("CREATE TABLE numbers (value INTEGER)");
  const read = () => db.prepare("SELECT * FROM numbers").all();
  expect(read()).toEqual([]);
  db.exec("ALTER TABLE numbers ADD COLUMN unit TEXT DEFAULT 'ms'; INSERT INTO numbers (value) VALUES (1)");
  expect(read()).toEqual([{ value: 1, unit: "ms" }].map((row) => expect.objectContaining(row)));
});
