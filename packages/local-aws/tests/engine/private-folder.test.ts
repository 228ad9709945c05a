import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Part } from "../../src/contracts";
import { makePrivate } from "../../src/engine/private-folder";
import { endAll, openRuntime } from "../../src/engine/runtime";

let folder: string;
const umask = process.umask();
beforeEach(() => {
  process.umask(0o022);
  folder = mkdtempSync(join(tmpdir(), "private-"));
});
afterEach(() => {
  process.umask(umask);
  rmSync(folder, { recursive: true, force: true });
});

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

it("everything that a platform writes is its user's alone", async () => {
  const dataDir = join(folder, ".local", "dev");
  const started: Part[] = [];
  const { services } = await openRuntime({ region: "us-east-1", dataDir, databaseRolesOf: () => [] }, started);
  services.s3.store.createBucket("data");
  await services.s3.put("data", "raw/record", "personal", {});
  const written = readdirSync(dataDir, { recursive: true, withFileTypes: true });
  await endAll(started, undefined);
  expect(written.map(({ name }) => name)).toEqual(expect.arrayContaining(["state.sqlite", "s3", "platform.pid"]));
  expect([modeOf(join(folder, ".local")), modeOf(dataDir), modeOf(join(dataDir, "state.sqlite"))]).toEqual(["700", "700", "600"]);
  const [blob = ""] = readdirSync(join(dataDir, "s3"));
  expect(modeOf(join(dataDir, "s3", blob))).toBe("600");
});

it("a folder of an earlier release is closed with all that is in it, and what runs still runs", () => {
  const old = join(folder, "dev");
  const outside = join(folder, "outside");
  mkdirSync(join(old, "s3"), { recursive: true });
  writeFileSync(join(old, "s3", "record"), "");
  writeFileSync(join(old, "program"), "");
  chmodSync(join(old, "program"), 0o755);
  writeFileSync(outside, "");
  symlinkSync(outside, join(old, "link"));
  makePrivate(old);
  expect([old, join(old, "s3"), join(old, "s3", "record"), join(old, "program")].map(modeOf)).toEqual([
    "700",
    "700",
    "600",
    "700",
  ]);
  expect(modeOf(outside)).toBe("644");
});
