/**
 * `program.evaluate`: from the start of a process until every resource of the dev stack is known, which is what stands before each
 * deployment and each `npm start`: loading Pulumi and the program, bundling the functions, serialising the callbacks.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { evaluate } from "../local/engine/evaluate";
import { createServices } from "../local/engine/services";
import { readStackConfig } from "../local/engine/stack-config";
import { CredentialStore } from "../local/gateway/credentials";
import { Iam } from "../local/gateway/iam";
import { boundProviderCalls } from "../local/services/provider-calls";
import type { Bench } from "./types";

const ROUNDS = 5;
const STACK = "dev";
const ACCOUNT = "000000000000";
const run = promisify(execFile);

/** Evaluates the stack in this process and answers how many resources it has. Nothing is started, nothing is created. */
async function evaluateOnce(): Promise<number> {
  const projectDir = process.cwd();
  const config = readStackConfig(projectDir, STACK);
  const { region } = config;
  const clock = { now: () => Date.now() };
  const db = new DatabaseSync(":memory:");
  const dataDir = mkdtempSync(join(tmpdir(), "evaluate-"));
  try {
    const context = { region, accountId: ACCOUNT, endpointUrl: "http://127.0.0.1:9", db, dataDir, clock, log: () => undefined };
    const services = createServices({
      context,
      iam: new Iam(ACCOUNT, region, () => clock.now()),
      credentials: new CredentialStore(db, ACCOUNT),
      apiPort: 9,
      durable: false,
      databaseRolesOf: () => [],
    });
    const graph = await evaluate({
      config,
      program: join(projectDir, "dist", "index.js"),
      projectDir,
      bodies: services.bodies,
      calls: boundProviderCalls({ region, accountId: ACCOUNT }),
      accountId: ACCOUNT,
    });
    return graph.resources.length;
  } finally {
    db.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

export const bench: Bench = {
  id: "program.evaluate",
  unit: "ms",
  better: "lower",
  async run() {
    const times: number[] = [];
    let resources = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const { stdout } = await run(process.execPath, [__filename]);
      const measured: { milliseconds: number; resources: number } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
      times.push(measured.milliseconds);
      resources = measured.resources;
    }
    return {
      ours: times.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0,
      peers: {},
      note:
        `stack "${STACK}", ${resources} resources, bundling of the functions included; process start to finished graph, ` +
        `median of ${ROUNDS} fresh processes, Node ${process.versions.node}`,
    };
  },
};

if (require.main === module) {
  evaluateOnce().then(
    (resources) => {
      process.stdout.write(`${JSON.stringify({ milliseconds: performance.now(), resources })}\n`, () => process.exit(0));
    },
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`, () => process.exit(1));
    },
  );
}
