/**
 * The REST API keeps docs/openapi.json: requests made from the document, valid and not, get the statuses, media types and bodies that it
 * names. The same requests at every run, since the seed is fixed.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pythonEnvironment } from "@risk/local-aws/python-environment";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startWorld, type World } from "./support";

/** The first run installs the Python environment. */
const SETUP_MS = 600_000;
/** About 2,000 requests, which the platform answers in 15 to 90 s, by what else the machine does. */
const RUN_MS = 600_000;

let python = "";
let world: World;
let folder = "";
beforeAll(async () => {
  python = await pythonEnvironment();
  world = await startWorld();
  folder = mkdtempSync(join(tmpdir(), "contract-"));
}, SETUP_MS);
afterAll(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

it(
  "answers generated requests as docs/openapi.json says",
  async () => {
    const { apiUrl, apiKey } = world.names;
    const { code, output } = await schemathesis([
      "run",
      resolve("docs/openapi.json"),
      "--url",
      apiUrl,
      "--header",
      `x-api-key: ${apiKey}`,
    ]);
    expect(output).toMatch(/Tested: +6/);
    expect(code, output).toBe(0);
  },
  RUN_MS + 30_000,
);

/** Runs its command line without blocking the platform, which lives in this process. */
function schemathesis(args: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  const options = ["--no-color", "--config-file", resolve("tests/e2e/schemathesis.toml")];
  const child = spawn(join(dirname(python), "st"), [...options, ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: RUN_MS,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  return new Promise((done, failed) => {
    child.once("error", failed);
    child.once("close", (code) => done({ code, output }));
  });
}
