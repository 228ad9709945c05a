/**
 * `local.flow`: transactions from PutRecords to rows of the warehouse, on a platform on this machine. The stack's schedule loads once a minute,
 * which is a delay and not a limit, so the loader is invoked again as soon as it is done.
 */
import { setTimeout as pause } from "node:timers/promises";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { InvokeCommand, LambdaClient, TooManyRequestsException } from "@aws-sdk/client-lambda";
import { Client as Postgres } from "pg";
import { type PlatformProcess, withPlatform } from "./platform-process";
import { putTransactions } from "./stream-traffic";
import type { Bench, BenchResult } from "./types";

const WARM_UP = 2_000;
const ROWS = 10_000;
const ROUNDS = 3;

async function measure({ connection, outputs, warehouseUrl, cpuSeconds }: PlatformProcess): Promise<BenchResult> {
  const kinesis = new KinesisClient(connection);
  const lambda = new LambdaClient(connection);
  const warehouse = new Postgres({ connectionString: warehouseUrl });
  await warehouse.connect();
  let sent = 0;
  const flow = async (count: number) => {
    await putTransactions(kinesis, outputs.streamName ?? "", sent, count);
    sent += count;
    while ((await rowsOf(warehouse)) < sent) {
      await load(lambda, outputs.loaderFunction ?? "");
      await pause(100);
    }
  };
  await flow(WARM_UP);
  const rates: number[] = [];
  const cpuBefore = await cpuSeconds();
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    await flow(ROWS);
    rates.push((ROWS / (performance.now() - started)) * 1000);
  }
  const cpu = (await cpuSeconds()) - cpuBefore;
  await warehouse.end();
  for (const client of [kinesis, lambda]) client.destroy();
  rates.sort((one, other) => one - other);
  return {
    ours: rates[Math.floor(ROUNDS / 2)] ?? 0,
    peers: {},
    note:
      `from the first PutRecords until the last row is in risk_events, median of ${ROUNDS} rounds of ${ROWS} after ${WARM_UP} (${rates.map(Math.round).join(", ")}); ` +
      `dev stack with one shard, without metering, loader invoked as soon as it is done; main process ${((cpu / (ROUNDS * ROWS)) * 1000).toFixed(2)} CPU s per 1,000; Node ${process.versions.node}`,
  };
}

async function rowsOf(warehouse: Postgres): Promise<number> {
  const { rows } = await warehouse.query<{ count: string }>("SELECT count(*) FROM risk.risk_events");
  return Number(rows[0]?.count);
}

/** One run of the loader; none when the schedule has started one. */
async function load(lambda: LambdaClient, FunctionName: string): Promise<void> {
  try {
    const { FunctionError, Payload } = await lambda.send(new InvokeCommand({ FunctionName, Payload: "{}" }));
    if (FunctionError !== undefined) throw new Error(`The loader failed: ${Payload?.transformToString()}`);
  } catch (error) {
    if (!(error instanceof TooManyRequestsException)) throw error;
  }
}

export const bench: Bench = {
  id: "local.flow",
  unit: "rows/s",
  better: "higher",
  requirements: [{ atLeast: 600 }],
  run: () => withPlatform(measure),
};
