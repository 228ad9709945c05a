/** The resource graph of a stack: evaluates the program as a local start does, and starts nothing. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Graph, ResourceType } from "@risk/program-graph";
import { type EvaluateOptions, evaluate, readStackConfig, type StackConfig } from "@risk/program-graph";
import { CredentialStore } from "../endpoint/credentials";
import { Iam } from "../permissions/iam";
import { boundProviderCalls } from "../services/provider-calls";
import { ACCOUNT_ID } from "./account";
import { createServices } from "./services";

/**
 * Evaluates a program with the config of `Pulumi.<stack>.yaml`; by default the project's compiled one, `dist/index.js`.
 * @throws Error with every problem of the config or the program.
 */
export async function stackGraph(projectDir: string, stack: string, program?: EvaluateOptions["program"]): Promise<Graph> {
  const config = readStackConfig(projectDir, stack);
  const { region } = config;
  const dataDir = mkdtempSync(join(tmpdir(), "stack-graph-"));
  const db = new DatabaseSync(":memory:");
  const clock = { now: () => Date.now() };
  try {
    // Nothing listens: the services are only needed for the outputs that a provider would compute.
    const services = createServices({
      context: { region, accountId: ACCOUNT_ID, endpointUrl: "http://127.0.0.1:0", db, dataDir, clock, log: () => undefined },
      iam: new Iam(ACCOUNT_ID, region),
      credentials: new CredentialStore(db, ACCOUNT_ID),
      apiPort: 0,
      durable: false,
      databaseRolesOf: () => [],
    });
    return await graphOf(projectDir, config, services.bodies, program);
  } finally {
    db.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** The same for a caller that has the resource types already. @throws Error with every problem of the program. */
export function graphOf(
  projectDir: string,
  config: StackConfig,
  types: readonly ResourceType[],
  program: EvaluateOptions["program"] = join(projectDir, "dist", "index.js"),
): Promise<Graph> {
  return evaluate({
    config,
    program,
    projectDir,
    types,
    calls: boundProviderCalls({ region: config.region, accountId: ACCOUNT_ID }),
    accountId: ACCOUNT_ID,
  });
}
