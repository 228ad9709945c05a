/**
 * `handler.stream`: a batch of 1,000 Kinesis records of some 200 users through the real handler with its real adapters; only
 * `send` of the SDK clients is stubbed. Every round is a new batch, so nothing is a replay. The result is for ordinary traffic, where about
 * one event in fifty is an alert; the note also has the figure for an attack, where every second one is. The two take turns.
 */
import type { KinesisStreamEvent } from "aws-lambda";
import { buildValidators } from "../build/validators";
import type { BenchHandler } from "./stream-stubs";
import type { Bench } from "./types";

export const RECORDS = 1000;
const USERS = 200;
const SPAN_SECONDS = 12 * 3600;
const ROUNDS = 60;
const WARM_UP = 30;

/** Deterministic numbers in [0, 1) (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const CATEGORIES = ["grocery_pos", "gas_transport", "shopping_net", "misc_net", "entertainment"];

/** Shares of records that senders mark with an impossible place and a high rate, which the default policy makes an alert. */
export const TRAFFIC = { ordinary: 0.02, attack: 0.5 } as const;
type Traffic = keyof typeof TRAFFIC;

export function batch(round: number, random: () => number, markedShare: number): KinesisStreamEvent {
  // Five transactions per user in twelve hours.
  const arrivedAt = Date.UTC(2026, 10, 21) / 1000 + round * SPAN_SECONDS;
  return {
    Records: Array.from({ length: RECORDS }, (_, index) => {
      const user = Math.floor(random() * USERS);
      const transaction = {
        transaction_id: `txn-${round}-${index}`,
        user_id: `user-${user}`,
        // Mostly tens; one in a hundred is over a thousand.
        amount: Math.round(200 + random() * 8_000 + random() ** 60 * 150_000) / 100,
        timestamp: new Date(arrivedAt * 1000 - Math.floor(random() * SPAN_SECONDS) * 1000).toISOString(),
        currency: "USD",
        category: CATEGORIES[Math.floor(random() * CATEGORIES.length)],
        merchant_id: `merchant-${Math.floor(random() * 500)}`,
        country: "US",
        latitude: 40 + (user % 10) + random() / 10,
        longitude: -74 - (user % 10) + random() / 10,
        channel: random() < 0.5 ? "web" : "pos",
        ...(random() < markedShare ? { location_mismatch: true, velocity_flag: true } : {}),
      };
      const sequenceNumber = String(49_590_000_000_000n * 10n ** 42n + BigInt(round * RECORDS + index));
      return {
        awsRegion: "us-east-1",
        eventID: `shardId-000000000000:${sequenceNumber}`,
        eventName: "aws:kinesis:record",
        eventSource: "aws:kinesis",
        eventSourceARN: "arn:aws:kinesis:us-east-1:000000000000:stream/bench",
        eventVersion: "1.0",
        invokeIdentityArn: "arn:aws:iam::000000000000:role/bench",
        kinesis: {
          approximateArrivalTimestamp: arrivedAt,
          data: Buffer.from(JSON.stringify(transaction)).toString("base64"),
          kinesisSchemaVersion: "1.0",
          partitionKey: transaction.user_id,
          sequenceNumber,
        },
      };
    }),
  };
}

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

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
