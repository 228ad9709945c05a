/**
 * `local.soak`: 100,000 transactions through the stream of a platform on this machine, in a process of its own. Its memory must not
 * grow with the number of events, and each event must take as much disk at the end as at the beginning.
 */
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { type Usage, withPlatform } from "./platform-process";
import { putTransactions } from "./stream-traffic";
import type { Bench, BenchResult } from "./types";

const EVENTS = 100_000;
/** What is measured after each of these parts of the events; the first one warms up. */
const PARTS = 5;
const MB = 1024 * 1024;

/** @returns what the platform took after each part */
export function soak(events: number): Promise<readonly Usage[]> {
  return withPlatform(async ({ connection, outputs, usage }) => {
    const client = new KinesisClient(connection);
    const measured: Usage[] = [];
    for (let part = 0; part < PARTS; part++) {
      await putTransactions(client, outputs.streamName ?? "", (part * events) / PARTS, events / PARTS);
      measured.push(await usage());
    }
    client.destroy();
    return measured;
  });
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
