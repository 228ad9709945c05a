/** Shared by the end-to-end tests: a running platform, clients, and waiting for conditions. */
import { readdirSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { ScanCommand } from "@aws-sdk/client-dynamodb";
import type { Platform, PlatformOptions } from "@risk/local-aws";
import { type Clients, connect } from "../../cli/demo/clients";
import { ArchiveReader } from "../../cli/demo/tally";
import type { Outputs } from "../../cli/outputs";

/** The program is loaded as compiled; vitest's transformation would change what Pulumi serialises. */
const emitted: typeof import("../../cli/platform") = createRequire(join(process.cwd(), "package.json"))("./dist/cli/platform.js");

export const startPlatform = emitted.startPlatform;

/** The names of `.local/outputs.json`, and the rest of the stack's outputs. */
export type Names = Outputs & Readonly<Record<string, string>>;

export interface World {
  readonly platform: Platform;
  readonly names: Names;
  readonly clients: Clients;
  stop(): Promise<void>;
}

/** Tables have no limit, since the tests' traffic would wait for minutes for the units of the dev stack. */
export async function startWorld(options: Partial<PlatformOptions> = {}): Promise<World> {
  const platform = await startPlatform({ stack: "dev", inMemory: true, metering: "off", ...options });
  const names = namesOf(platform);
  const clients = await connect(names);
  return {
    platform,
    names,
    clients,
    stop: async () => {
      await clients.close();
      await platform.stop();
    },
  };
}

function namesOf(platform: Platform): Names {
  const texts = Object.entries(platform.outputs).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return {
    ...Object.fromEntries(texts),
    redrive: platform.outputs.redrive,
    awsEndpointUrl: platform.endpointUrl,
    region: platform.region,
    ...platform.credentials,
    warehouseUrl: platform.warehouseUrl,
    pid: process.pid,
    // Every string output is in `texts`; a missing name fails the first test that uses it.
  } as Names;
}

/** For every SDK client of the owner. */
export function connection({ names }: World) {
  const credentials = { accessKeyId: names.accessKeyId, secretAccessKey: names.secretAccessKey };
  return { endpoint: names.awsEndpointUrl, region: names.region, credentials };
}

/** Waits until `condition` returns a value, and returns it. @throws Error that says what did not happen */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  milliseconds = 20_000,
): Promise<T> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`After ${milliseconds} ms still not: ${what}.`);
    await pause(15);
  }
}

/** What a project folder needs besides its stack files. */
const PROJECT = [
  "Pulumi.yaml",
  "dist",
  "bundles",
  "functions",
  "models",
  "jobs",
  "packages",
  "build",
  "sql",
  "package.json",
  "node_modules",
];

/** Links this project into a folder that has its own stack files. */
export function linkProject(folder: string): void {
  for (const name of PROJECT) symlinkSync(resolve(name), join(folder, name));
}

/** Ends open batching windows until no function has work left. */
export async function settled({ platform }: World, milliseconds?: number): Promise<void> {
  const { lambda } = platform.services;
  let quiet = 0;
  // Work causes more work (a batch's object notifies a queue), so being idle once isn't enough.
  const idle = () => {
    lambda.flush();
    quiet = lambda.idle() ? quiet + 1 : 0;
    return quiet > 3;
  };
  await until("all functions idle", idle, milliseconds);
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Sends a request to the REST API with its key; a header set to null is left out. */
export async function send(
  { names }: World,
  path: string,
  body: string | Buffer | undefined,
  headers: Readonly<Record<string, string | null>> = {},
  method = "POST",
): Promise<HttpAnswer> {
  const all = { "content-type": "application/json", "x-api-key": names.apiKey ?? "", ...headers };
  const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null);
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const response = await fetch(`${names.apiUrl.replace(/\/$/, "")}${path}`, {
    method,
    headers: given,
    ...(bytes === undefined ? {} : { body: new Uint8Array(bytes) }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

export async function scan({ clients }: World, table: string): Promise<Record<string, AttributeValue>[]> {
  const items: Record<string, AttributeValue>[] = [];
  let from: Record<string, AttributeValue> | undefined;
  do {
    const page = await clients.dynamodb.send(new ScanCommand({ TableName: table, ExclusiveStartKey: from }));
    items.push(...(page.Items ?? []));
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
  return items;
}

/** Lines of all objects under a prefix of the data bucket. */
export async function lines({ clients, names }: World, prefix: string): Promise<Record<string, unknown>[]> {
  return (await new ArchiveReader(clients, names.dataBucket, prefix).refresh()).lines;
}

/** The records in quarantine as they arrived, read by the owner. */
export async function rawRecords({ clients, names }: World): Promise<{ position: string; text: string }[]> {
  const reader = await new ArchiveReader(clients, names.redrive.rawBucket, "quarantine/").refresh();
  return reader.lines.map(({ position, data }) => ({
    position: String(position),
    text: Buffer.from(String(data), "base64").toString(),
  }));
}

export interface Transaction {
  readonly transaction_id: string;
  readonly user_id: string;
  readonly amount: number;
  readonly timestamp: string;
}

/** `count` ordinary transactions of a few users, a second apart, ending a minute ago. */
export function transactions(prefix: string, count: number, users = 7): Transaction[] {
  const start = Date.now() - 60_000 - count * 1000;
  return Array.from({ length: count }, (_, index) => ({
    transaction_id: `${prefix}-${String(index).padStart(4, "0")}`,
    user_id: `${prefix}-user-${index % users}`,
    amount: 10 + (index % 50),
    timestamp: new Date(start + index * 1000).toISOString(),
  }));
}

/** E-mails whose text contains `text`. */
export function mailsAbout({ platform }: World, text: string): number {
  const folder = join(platform.dataDir, "mail");
  const bodies = readdirSync(folder).map((file) => {
    const [, body = ""] = readFileSync(join(folder, file), "utf8").split("\r\n\r\n");
    return Buffer.from(body, "base64").toString();
  });
  return bodies.filter((body) => body.includes(text)).length;
}
