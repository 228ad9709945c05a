/** The platform as the provider of a real Pulumi engine: services, kept resources, and the environment in which the CLI finds them. */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { readStackConfig } from "@risk/program-graph";
import type { GraphResource, Part } from "../contracts";
import { databaseRoles, endAll, openRuntime, type Runtime, startParts, warehouseUrl } from "../engine/runtime";
import type { Services } from "../engine/services";
import { boundProviderCalls } from "../services/provider-calls";
import { Vault } from "../services/vault";
import { ProviderResources } from "./resources";
import { serveProvider } from "./server";
import { ResourceStore } from "./store";

export interface SessionOptions {
  readonly projectDir: string;
  readonly stack: string;
  /** Folder of the engine's state, shared by all stacks; each stack's data is in a folder of its name. */
  readonly folder: string;
  /** Prints a line about the runtime's own work. */
  readonly log?: (line: string) => void;
  /** Prints something that the user has to know. */
  readonly notice?: (line: string) => void;
  /** Called before a resource is created; an error that it throws fails the creation. */
  readonly onCreate?: (urn: string) => void;
  /** Called for each resource once its body exists, also for those that a restart brings back. */
  readonly onCreated?: (resource: GraphResource, services: Services) => void;
}

export interface Session {
  /** gRPC port of the provider `aws`. */
  readonly port: number;
  readonly runtime: Runtime;
  /** What exists, in the order of creation. */
  resources(): Iterable<GraphResource>;
  /** `postgres://…` of the stack's database. */
  warehouseUrl(): string;
  stop(): Promise<void>;
}

/** Kept between sessions, since addresses are part of resources' outputs. */
interface Ports {
  readonly endpoint: number;
  readonly api: number;
}

/** Starts the services, gives everything that was created its body again, and serves the provider. */
export async function startSession(options: SessionOptions): Promise<Session> {
  const { projectDir, stack, folder, log } = options;
  const { region } = readStackConfig(projectDir, stack);
  const dataDir = join(folder, stack);
  mkdirSync(dataDir, { recursive: true });
  const kept = readPorts(dataDir);
  const started: Part[] = [];
  let store: ResourceStore | undefined;
  try {
    const runtime = await openRuntime(
      {
        region,
        dataDir,
        // The engine's own state names the resources in it.
        otherFormatFix: `Remove ${folder} (rm -r ${folder}), the engine's state with it, and deploy anew.`,
        ...(log === undefined ? {} : { log }),
        ...(options.notice === undefined ? {} : { onTrouble: options.notice }),
        ...(kept === undefined ? {} : { port: kept.endpoint, apiPort: kept.api }),
        databaseRolesOf: (roleName) => databaseRoles(store?.all() ?? [], roleName),
      },
      started,
    );
    const { services, context } = runtime;
    store = new ResourceStore(context.db, new Vault(dataDir));
    await startParts(services.parts, started);
    const { accountId } = context;
    const resources = new ProviderResources({
      bodies: services.bodies,
      region,
      accountId,
      projectDir,
      store,
      notice: options.notice ?? (() => undefined),
      ...(options.onCreate === undefined ? {} : { onCreate: options.onCreate }),
      onCreated: (resource) => options.onCreated?.(resource, services),
    });
    await resources.restore();
    services.lambda.activate();
    services.firehose.activate();
    const calls = boundProviderCalls({ region, accountId });
    const version = versionOf(projectDir, "@pulumi/aws");
    const server = await serveProvider({ resources, calls, region, version });
    started.push({ title: "provider", end: () => server.end() });
    writePorts(dataDir, { endpoint: Number(new URL(context.endpointUrl).port), api: services.api.port });
    const created = store;
    return {
      port: server.port,
      runtime,
      resources: () => created.all(),
      warehouseUrl: () => warehouseUrl(services, created.all()),
      stop: () => endAll(started, log),
    };
  } catch (error) {
    await endAll(started, log);
    throw error;
  }
}

const portsFile = (dataDir: string) => join(dataDir, "ports.json");

function readPorts(dataDir: string): Ports | undefined {
  if (!existsSync(portsFile(dataDir))) return undefined;
  // Only `writePorts` writes it.
  return JSON.parse(readFileSync(portsFile(dataDir), "utf8")) as Ports;
}

const writePorts = (dataDir: string, ports: Ports) => writeFileSync(portsFile(dataDir), `${JSON.stringify(ports)}\n`);

function versionOf(projectDir: string, name: string): string {
  const found: unknown = createRequire(join(projectDir, "package.json"))(`${name}/package.json`);
  return String(Object(found).version);
}

/**
 * Variables under which any `pulumi` command works on this machine alone: a file backend below `folder`, a passphrase drawn once, our
 * provider, and stand-ins for the plugins that it would download. Those come last on the PATH: a language host of the CLI's own wins.
 */
export function cliEnvironment(folder: string, port: number): Readonly<Record<string, string>> {
  const [state, home, bin] = [join(folder, "state"), join(folder, "home"), join(folder, "bin")];
  for (const path of [state, home, bin]) mkdirSync(path, { recursive: true });
  const passphrase = join(folder, "passphrase");
  if (!existsSync(passphrase)) writeFileSync(passphrase, randomBytes(24).toString("base64url"), { mode: 0o600, flag: "wx" });
  writeScript(bin, "pulumi-language-nodejs", "language-host.js");
  writeScript(bin, "pulumi-resource-awsx", "awsx.js");
  return {
    PATH: `${process.env.PATH ?? ""}${delimiter}${bin}`,
    PULUMI_BACKEND_URL: `file://${state}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
    PULUMI_DEBUG_PROVIDERS: `aws:${port}`,
    PULUMI_HOME: home,
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
}

function writeScript(folder: string, name: string, file: string): void {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${join(__dirname, file)}" "$@"\n`);
  chmodSync(path, 0o755);
}
