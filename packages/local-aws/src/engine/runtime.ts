/** The machine without resources: data folder, credentials, the AWS endpoint and every service. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { recordOf } from "@risk/program-graph";
import type { GraphResource, LocalContext, Part } from "../contracts";
import { DiskWatch, PretendedFullDisk } from "../disk";
import { CredentialStore, roleNameOf } from "../endpoint/credentials";
import { AwsEndpoint } from "../endpoint/endpoint";
import { RunningFaults } from "../faults/running-faults";
import { Iam } from "../permissions/iam";
import { ACCOUNT_ID } from "./account";
import { checkDataFormat } from "./data-format";
import { lockDataDir } from "./data-lock";
import { reservePort } from "./ports";
import { makePrivate } from "./private-folder";
import { createServices, type ServiceOptions, type Services } from "./services";
import { StateDatabase } from "./state-database";

/** Choices that a caller has about the machine. */
export interface MachineOptions extends Pick<ServiceOptions, "metering" | "onFirstRefusal"> {
  /** AWS endpoint; 0 or absent: a free one. */
  readonly port?: number;
  /** REST APIs; 0 or absent: a free one. */
  readonly apiPort?: number;
  /** Nothing is kept: database in memory, files in a temporary folder; `dataDir` is not used. */
  readonly inMemory?: boolean;
  readonly log?: (line: string) => void;
  /** Called with what the person at the terminal must know: the disk is full, the warehouse's server was restarted. */
  readonly onTrouble?: (line: string) => void;
}

interface RuntimeOptions extends MachineOptions, Pick<ServiceOptions, "databaseRolesOf"> {
  readonly region: string;
  /** Used by one running platform at a time. */
  readonly dataDir: string;
  /** What to do about a folder that another release wrote. */
  readonly otherFormatFix?: string;
}

export interface Runtime {
  readonly context: LocalContext;
  readonly endpoint: AwsEndpoint;
  readonly credentials: CredentialStore;
  readonly services: Services;
  readonly faults: RunningFaults;
}

/** Opens the endpoint and creates the services; the caller still starts `services.parts`. Everything that must be ended is added to `started`. */
export async function openRuntime(options: RuntimeOptions, started: Part[]): Promise<Runtime> {
  const dataDir = openDataDir(options, started);
  const db = new StateDatabase(options.inMemory ? ":memory:" : join(dataDir, "state.sqlite"));
  // Losing the last moments in a power cut is acceptable here; slowing down every write isn't.
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000");
  started.push({ title: "database", end: () => db.close() });
  checkDataFormat(db, dataDir, options.otherFormatFix ?? `Remove it (rm -r ${dataDir}), or start with --in-memory.`);
  const clock = { now: () => Date.now() };
  const log = options.log ?? (() => undefined);
  const iam = new Iam(ACCOUNT_ID, options.region);
  const credentials = new CredentialStore(db, ACCOUNT_ID);
  const onTrouble = options.onTrouble ?? log;
  const fullDisk = new PretendedFullDisk(db);
  const disk = new DiskWatch(dataDir, onTrouble, () => fullDisk.full);
  started.push({ title: "disk watch", end: () => disk.end() });
  const endpoint = new AwsEndpoint({
    region: options.region,
    keys: credentials.lookup,
    iam,
    now: clock.now,
    log,
    disk,
    functions: {
      nameOf: (principal) => (principal.kind === "role" ? functionOfRole(services, principal.roleName) : undefined),
      kill: (functionName) => void services.lambda.pool.killBusy(functionName),
    },
  });
  const endpointUrl = await endpoint.start(options.port ?? 0);
  started.push({ title: "AWS endpoint", end: () => endpoint.end() });
  const context: LocalContext = { region: options.region, accountId: ACCOUNT_ID, endpointUrl, db, dataDir, clock, log };
  const services = createServices({
    ...options,
    context,
    iam,
    credentials,
    apiPort: await reservePort(options.apiPort ?? 0, "--api-port"),
    durable: options.inMemory !== true,
    disk,
    onTrouble,
    perform: (request) => endpoint.call(request),
  });
  for (const service of services.aws) endpoint.register(service);
  const machine = { setDiskFull: fullDisk.set, killDatabase: () => services.warehouse.kill() };
  const faults = new RunningFaults({ endpoint, machine });
  return { context, endpoint, credentials, services, faults };
}

function openDataDir(options: RuntimeOptions, started: Part[]): string {
  // For this process and all that it starts: SQLite, functions and jobs make files of their own.
  process.umask(0o077);
  if (options.inMemory) {
    // Not the caller's folder: this one is removed at the end.
    const folder = mkdtempSync(join(tmpdir(), "risk-platform-"));
    started.push({ title: "temporary files", end: () => rmSync(folder, { recursive: true, force: true }) });
    return folder;
  }
  const folder = options.dataDir;
  makePrivate(folder);
  started.push({ title: "data folder", end: lockDataDir(folder) });
  return folder;
}

/** Each function has a role of its own. */
function functionOfRole({ lambda: { pool } }: Services, roleName: string): string | undefined {
  return pool.names().find((name) => roleNameOf(pool.get(name)?.config.roleArn ?? "") === roleName);
}

/** Starts parts in order. Each counts as started before it is, so that a half-started one is ended too. */
export async function startParts(parts: readonly Part[], started: Part[], signal?: AbortSignal): Promise<void> {
  for (const part of parts) {
    signal?.throwIfAborted();
    started.push(part);
    await part.start?.();
  }
}

/** Names in the tag `RedshiftDbRoles` of a role among the resources. */
export function databaseRoles(resources: Iterable<GraphResource>, roleName: string): readonly string[] {
  const role = [...resources].find(({ type, state }) => type === "aws:iam/role:Role" && state.name === roleName);
  const { RedshiftDbRoles: value = "" } = recordOf(role?.inputs.tags);
  return String(value)
    .split(":")
    .filter((name) => name !== "");
}

/** The database of the stack's namespace, or PostgreSQL's first one without a warehouse. */
export function warehouseUrl(services: Services, resources: Iterable<GraphResource>): string {
  const namespace = [...resources].find(({ type }) => type === "aws:redshiftserverless/namespace:Namespace");
  const database = namespace?.inputs.dbName;
  return typeof database === "string" ? services.warehouse.urlOf(database) : services.warehouse.url;
}

/** Ends parts, the last one first; a failure is logged and the rest are ended all the same. */
export async function endAll(parts: readonly Part[], log: ((line: string) => void) | undefined): Promise<void> {
  for (const part of [...parts].reverse()) {
    try {
      await part.end?.();
    } catch (error) {
      log?.(`Ending ${part.title}: ${String(error)}`);
    }
  }
}
