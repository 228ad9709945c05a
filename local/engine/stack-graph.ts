/** The resource graph of a stack: evaluates the program as a local start does, and starts nothing. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CredentialStore } from "../gateway/credentials";
import { Iam } from "../gateway/permissions/iam";
import { evaluate } from "../graph/evaluate";
import type { Graph } from "../graph/graph";
import { readStackConfig } from "../graph/stack-config";
import { boundProviderCalls } from "../services/provider-calls";
import { ACCOUNT_ID } from "./runtime";
import { createServices } from "./services";

/**
 * Evaluates the compiled program (`dist/index.js` of the project) with the config of `Pulumi.<stack>.yaml`.
 * @throws StackConfigError, EvaluationError.
 */
export async function stackGraph(projectDir: string, stack: string): Promise<Graph> {
  const config = readStackConfig(projectDir, stack);
  const { region } = config;
  const dataDir = mkdtempSync(join(tmpdir(), "stack-graph-"));
  const db = new DatabaseSync(":memory:");
  const clock = { now: () => Date.now() };
  try {
    // Nothing listens: the services only know which outputs a provider would compute for each resource.
    const services = createServices({
      context: { region, accountId: ACCOUNT_ID, endpointUrl: "http://127.0.0.1:0", db, dataDir, clock, log: () => undefined },
      iam: new Iam(ACCOUNT_ID, region, clock.now),
      credentials: new CredentialStore(db, ACCOUNT_ID),
      apiPort: 0,
      durable: false,
      databaseRolesOf: () => [],
    });
    return await evaluate({
      config,
      program: join(projectDir, "dist", "index.js"),
      projectDir,
      types: services.bodies,
      calls: boundProviderCalls({ region, accountId: ACCOUNT_ID }),
      accountId: ACCOUNT_ID,
    });
  } finally {
    db.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
