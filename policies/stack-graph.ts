/** The resource graph of a stack: evaluates the program as a local start does, and starts nothing. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { evaluate } from "../local/engine/evaluate.js";
import type { Graph } from "../local/engine/graph.js";
import { createServices } from "../local/engine/services.js";
import { readStackConfig } from "../local/engine/stack-config.js";
import { CredentialStore } from "../local/gateway/credentials";
import { Iam } from "../local/gateway/iam";
import { boundProviderCalls } from "../local/services/provider-calls";

const accountId = "000000000000";

/**
 * Evaluates a program with the config of `Pulumi.<stack>.yaml`; by default the project's compiled one, `dist/index.js`.
 * @throws StackConfigError, EvaluationError.
 */
export async function stackGraph(
  projectDir: string,
  stack: string,
  program: string | (() => unknown) = join(projectDir, "dist", "index.js"),
): Promise<Graph> {
  const config = readStackConfig(projectDir, stack);
  const { region } = config;
  const dataDir = mkdtempSync(join(tmpdir(), "risk-controls-"));
  const db = new DatabaseSync(":memory:");
  const clock = { now: () => Date.now() };
  try {
    // Nothing listens: the services only know which outputs a provider would compute for each resource.
    const services = createServices({
      context: { region, accountId, endpointUrl: "http://127.0.0.1:0", db, dataDir, clock, log: () => undefined },
      iam: new Iam(accountId, region, clock.now),
      credentials: new CredentialStore(db, accountId),
      apiPort: 0,
      durable: false,
      databaseRolesOf: () => [],
    });
    return await evaluate({
      config,
      program,
      projectDir,
      bodies: services.bodies,
      calls: boundProviderCalls({ region, accountId }),
      accountId,
    });
  } finally {
    db.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
