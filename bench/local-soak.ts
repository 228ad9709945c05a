/**
 * `local.soak`: 100,000 transactions through the stream of a platform on this machine, in a process of its own. Its memory must not
 * grow with the number of events, and each event must take as much disk at the end as at the beginning.
 */
import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { startPlatform } from "@risk/local-aws";
import type { Bench, BenchResult } from "./types";

const EVENTS = 100_000;
const USERS = 2_000;
/** PutRecords takes no more. */
const PER_CALL = 500;
/** What is measured after each of these parts of the events; the first one warms up. */
const PARTS = 5;
const MB = 1024 * 1024;

interface Ready {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly streamName: string;
}

interface Measured {
  readonly rss: number;
  readonly disk: number;
}

const transaction = (index: number): object => ({
  transaction_id: `soak-${index}-${randomUUID()}`,
  user_id: `user-${index % USERS}`,
  amount: 10 + (index % 97),
  currency: "USD",
  timestamp: new Date().toISOString(),
  category: "groceries",
  country: "US",
  device_id: `device-${index % USERS}`,
  card_present: true,
});

/** The child's next message. */
function next<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`The platform's process ended with status ${code}.`)));
    child.once("message", (message) => resolve(message as T));
  });
}

async function send(client: KinesisClient, StreamName: string, from: number, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += PER_CALL) {
    let Records = Array.from({ length: Math.min(PER_CALL, count - sent) }, (_, index) => ({
      PartitionKey: `user-${(from + sent + index) % USERS}`,
      Data: Buffer.from(JSON.stringify(transaction(from + sent + index))),
    }));
    while (Records.length > 0) {
      const answer = await client.send(new PutRecordsCommand({ StreamName, Records }));
      Records = Records.filter((_, index) => answer.Records?.[index]?.SequenceNumber === undefined);
      if (Records.length > 0) await pause(200);
    }
  }
}

/** @returns what the platform took after each part */
export async function soak(events: number): Promise<readonly Measured[]> {
  const folder = mkdtempSync(join(tmpdir(), "soak-"));
  const child = fork(__filename, [folder], { execArgv: ["--expose-gc", "--disable-warning=ExperimentalWarning"] });
  try {
    const { streamName, ...connection } = await next<Ready>(child);
    const client = new KinesisClient(connection);
    const measured: Measured[] = [];
    for (let part = 0; part < PARTS; part++) {
      await send(client, streamName, (part * events) / PARTS, events / PARTS);
      child.send("measure");
      measured.push(await next<Measured>(child));
    }
    client.destroy();
    return measured;
  } finally {
    child.disconnect();
    await new Promise((resolve) => child.once("exit", resolve));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(): Promise<BenchResult> {
  const started = performance.now();
  const measured = await soak(EVENTS);
  const seconds = (performance.now() - started) / 1000;
  const [first, last] = [measured[0], measured.at(-1)];
  if (first === undefined || last === undefined) throw new Error("Nothing was measured.");
  const perPart = EVENTS / PARTS;
  const growth = measured.slice(1).map(({ disk }, index) => (disk - (measured[index]?.disk ?? 0)) / perPart / 1024);
  return {
    ours: Math.max(0, last.rss - first.rss) / MB,
    peers: {},
    note:
      `growth of the platform's memory from the ${perPart.toLocaleString("en-US")}th to the ${EVENTS.toLocaleString("en-US")}th transaction ` +
      `(${measured.map(({ rss }) => Math.round(rss / MB)).join(", ")} MB), garbage collected; disk per event in each further ` +
      `part: ${growth.map((kilobytes) => kilobytes.toFixed(2)).join(", ")} kB; ${Math.round(seconds)} s in all, Node ${process.versions.node}`,
  };
}

export const bench: Bench = {
  id: "local.soak",
  unit: "MB",
  better: "lower",
  requirements: [{ atMost: 100 }],
  run,
};

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).reduce((sum, entry) => {
    if (!entry.isFile()) return sum;
    // Some are gone again by now.
    return sum + (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0);
  }, 0);
}

/** The platform's process: says where it listens, then what it takes whenever it is asked. */
async function serve(dataDir: string): Promise<void> {
  const platform = await startPlatform({ stack: "dev", dataDir, metering: "off" });
  const { endpointUrl: endpoint, region, credentials } = platform;
  process.on("message", () => {
    void measure().then((measured) => process.send?.(measured));
  });
  process.once("disconnect", () => void platform.stop().then(() => process.exit(0)));
  const measure = async (): Promise<Measured> => {
    platform.services.lambda.flush();
    while (!platform.services.lambda.idle()) await pause(50);
    globalThis.gc?.();
    return { rss: process.memoryUsage.rss(), disk: bytesIn(dataDir) };
  };
  const ready: Ready = { endpoint, region, credentials, streamName: String(platform.outputs.streamName) };
  process.send?.(ready);
}

if (require.main === module) {
  serve(process.argv[2] ?? "").catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  });
}
