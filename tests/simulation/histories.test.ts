import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);

it("loses nothing and counts nothing twice in 2,000 histories", async () => {
  const { stdout } = await run(process.execPath, ["dist/cli/simulate.js", "--seeds", "2000", "--json"], {
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error: { readonly stdout: string; readonly stderr: string }) => ({ stdout: error.stdout || error.stderr }));
  const { histories, records, redriven, failed } = JSON.parse(stdout);
  expect(failed).toEqual([]);
  expect(histories).toBe(2000);
  // Histories in which nothing happens would prove nothing.
  expect(records).toBeGreaterThan(20_000);
  expect(redriven).toBeGreaterThan(500);
}, 900_000);
