import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startPlatform, until } from "./support";

it("a start that is given up ends at once what has started, and leaves the folder to the next one", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "interrupted-"));
  const interruption = new AbortController();
  const start = startPlatform({ stack: "dev", dataDir, signal: interruption.signal });
  const outcome = expect(start).rejects.toThrow("given up");
  await until("the warehouse is being made", () => existsSync(join(dataDir, "warehouse/data.new")));
  interruption.abort(new Error("given up"));
  await outcome;
  const left = ["platform.pid", "warehouse/data.new", "warehouse/data/postmaster.pid"];
  expect(left.filter((name) => existsSync(join(dataDir, name)))).toEqual([]);
  await expect(startPlatform({ stack: "dev", dataDir, signal: interruption.signal })).rejects.toThrow("given up");
  rmSync(dataDir, { recursive: true, force: true });
}, 60_000);
