/**
 * `handler.stream`: a batch of 1,000 Kinesis records of some 200 users through the real handler with its real adapters; only
 * `send` of the SDK clients is stubbed. Every round is a new batch, so nothing is a replay. The result is for ordinary traffic, where about
 * one event in fifty is an alert; the note also has the figure for an attack, where every second one is. The two take turns.
 */
import type { KinesisStreamEvent } from "aws-lambda";
import { buildValidators } from "../build/validators";
import { batch, RECORDS, seeded, TRAFFIC, type Traffic, USERS } from "./stream-batches";
import type { BenchHandler } from "./stream-stubs";
import type { Bench } from "./types";

const ROUNDS = 60;
const WARM_UP = 30;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** One kind of traffic, with its own handler, users and measurements. */
interface Lane {
  readonly traffic: Traffic;
  readonly batchOf: (round: number) => KinesisStreamEvent;
  readonly bench: BenchHandler;
  /** Milliseconds of each batch and each step. */
  readonly times: number[];
  readonly steps: Map<string, number[]>;
}

function createLane(traffic: Traffic, create: (step: (name: string) => void) => BenchHandler): Lane {
  const random = seeded(1);
  const steps = new Map<string, number[]>();
  let since = 0;
  const bench = create((name) => {
    const now = performance.now();
    steps.set(name, [...(steps.get(name) ?? []), now - since]);
    since = now;
  });
  const handler: BenchHandler["handler"] = (event, context) => {
    since = performance.now();
    return bench.handler(event, context);
  };
  return {
    traffic,
    batchOf: (round) => batch(round, random, TRAFFIC[traffic]),
    bench: { ...bench, handler },
    times: [],
    steps,
  };
}

const rate = ({ times }: Lane): number => RECORDS / (median(times) / 1000);

function describe(lane: Lane): string {
  const split = [...lane.steps].map(([name, values]) => `${name} ${median(values).toFixed(1)}`).join(", ");
  const alerts = (lane.bench.alerts() / (WARM_UP + ROUNDS) / RECORDS) * 100;
  return `${lane.traffic} ${Math.round(rate(lane))} records/s with ${alerts.toFixed(1)} % alerts (ms by step: ${split})`;
}

async function run(): Promise<Awaited<ReturnType<Bench["run"]>>> {
  buildValidators();
  process.env.AWS_REGION ??= "us-east-1";
  const { createBenchHandler } = await import("./stream-stubs.js");
  const ordinary = createLane("ordinary", createBenchHandler);
  const attack = createLane("attack", createBenchHandler);
  const context = { awsRequestId: "bench", getRemainingTimeInMillis: () => 60_000 };
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const lane of [ordinary, attack]) {
      const event = lane.batchOf(round);
      if (round === WARM_UP) lane.steps.clear();
      const start = performance.now();
      const response = await lane.bench.handler(event, context);
      if (round >= WARM_UP) lane.times.push(performance.now() - start);
      if (response.batchItemFailures.length > 0) throw new Error("The benchmark's batch failed; run the stream tests.");
    }
  }
  return {
    ours: rate(ordinary),
    peers: {},
    note:
      `medians of ${ROUNDS} batches of ${RECORDS} records over ${USERS} users, both kinds in turn, SDK clients stubbed at send: ` +
      `${describe(ordinary)}; ${describe(attack)}`,
  };
}

export const bench: Bench = { id: "handler.stream", unit: "records/s", better: "higher", run };
