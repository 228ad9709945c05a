import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockDataDir } from "../../src/engine/data-lock";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("lockDataDir", () => {
  it("refuses a folder that a living process has, naming it and the way out", () => {
    // The parent of a test's process lives as long as the test.
    writeFileSync(join(folder, "platform.pid"), String(process.ppid));
    expect(() => lockDataDir(folder)).toThrow(`(process ${process.ppid}). Stop that one, or start this one with --in-memory`);
  });

  it.each(["999999999", "", "not a number"])("takes over what a killed process left behind: %j", (left) => {
    writeFileSync(join(folder, "platform.pid"), left);
    expect(() => lockDataDir(folder)).not.toThrow();
  });

  it("takes over the lock of a killed process whose id another process has by now", () => {
    writeFileSync(join(folder, "platform.pid"), `${process.ppid} 1`);
    expect(() => lockDataDir(folder)).not.toThrow();
  });

  it("says which process has locked it, and when that began", () => {
    lockDataDir(folder);
    expect(readFileSync(join(folder, "platform.pid"), "utf8")).toMatch(new RegExp(`^${process.pid} .+`));
  });

  it("gives the folder back", () => {
    lockDataDir(folder)();
    expect(() => lockDataDir(folder)).not.toThrow();
  });
});
