import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Part } from "../../src/contracts";
import { checkDataFormat } from "../../src/engine/data-format";
import { endAll, openRuntime } from "../../src/engine/runtime";
import { startSession } from "../../src/provider";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "format-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function open(dataDir: string): Promise<void> {
  const started: Part[] = [];
  try {
    await openRuntime({ region: "us-east-1", dataDir, databaseRolesOf: () => [] }, started);
  } finally {
    await endAll(started, undefined);
  }
}

function writeEarlierLayout(file: string): void {
  const db = new DatabaseSync(file);
  db.exec("CREATE TABLE kinesis_streams (name TEXT, kept TEXT)");
  db.close();
}

it("marks a new database, and opens it again", () => {
  const db = new DatabaseSync(":memory:");
  checkDataFormat(db, folder, "");
  db.exec("CREATE TABLE streams (name TEXT)");
  expect(() => checkDataFormat(db, folder, "")).not.toThrow();
});

it("refuses a folder of an earlier layout, naming it and the fix", async () => {
  writeEarlierLayout(join(folder, "state.sqlite"));
  await expect(open(folder)).rejects.toThrow(
    `${folder} was written by another release (data format 0, this one reads 2). Remove it (rm -r ${folder}), or start with --in-memory.`,
  );
});

it("tells an engine session to remove the engine's state too", async () => {
  mkdirSync(join(folder, "dev"));
  writeEarlierLayout(join(folder, "dev", "state.sqlite"));
  await expect(startSession({ projectDir: process.cwd(), stack: "dev", folder })).rejects.toThrow(
    `(data format 0, this one reads 2). Remove ${folder} (rm -r ${folder}), the engine's state with it`,
  );
});
