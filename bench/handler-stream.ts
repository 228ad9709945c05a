/**
 * `handler.stream`: a batch of 1,000 Kinesis records of some 200 users through the real handler, with its real adapters; only
 * `send` of the SDK clients is stubbed. Every round is a new batch, so nothing is a replay.
 */
import type { KinesisStreamEvent } from "aws-lambda";
import { buildValidators } from "../tools/validators";
import type { Bench } from "./types";

const RECORDS = 1000;
const USERS = 200;
const SPAN_SECONDS = 12 * 3600;
const ROUNDS = 60;
const WARM_UP = 30;

/** Deterministic numbers in [0, 1) (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const CATEGORIES = ["grocery_pos", "gas_transport", "shopping_net", "misc_net", "entertainment"];

function batch(round: number, random: () => number): KinesisStreamEvent {
  // Five transactions a user in twelve hours: alerts stay as rare as they are.
  const arrivedAt = Date.UTC(2026, 10, 21) / 1000 + round * SPAN_SECONDS;
  return {
    Records: Array.from({ length: RECORDS }, (_, index) => {
      const user = Math.floor(random() * USERS);
      const transaction = {
        transaction_id: `txn-${round}-${index}`,
        user_id: `user-${user}`,
        // Mostly tens, one in a hundred beyond a thousand.
        amount: Math.round(200 + random() * 8_000 + random() ** 60 * 150_000) / 100,
        timestamp: new Date(arrivedAt * 1000 - Math.floor(random() * SPAN_SECONDS) * 1000).toISOString(),
        currency: "USD",
        category: CATEGORIES[Math.floor(random() * CATEGORIES.length)],
        merchant_id: `merchant-${Math.floor(random() * 500)}`,
        country: "US",
        latitude: 40 + (user % 10) + random() / 10,
        longitude: -74 - (user % 10) + random() / 10,
        channel: random() < 0.5 ? "web" : "pos",
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

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function run(): Promise<Awaited<ReturnType<Bench["run"]>>> {
  buildValidators();
  process.env.AWS_REGION ??= "us-east-1";
  const { createBenchHandler } = await import("./stream-stubs.js");
  let since = 0;
  const spent = new Map<string, number[]>();
  const step = (name: string): void => {
    const now = performance.now();
    spent.set(name, [...(spent.get(name) ?? []), now - since]);
    since = now;
  };
  const handler = createBenchHandler(step);
  const random = seeded(1);
  const context = { awsRequestId: "bench", getRemainingTimeInMillis: () => 60_000 };
  const times: number[] = [];
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const event = batch(round, random);
    if (round === WARM_UP) spent.clear();
    since = performance.now();
    const start = since;
    const response = await handler(event, context);
    if (round >= WARM_UP) times.push(performance.now() - start);
    if (response.batchItemFailures.length > 0) throw new Error("The benchmark's batch failed; run the stream tests.");
  }
  const split = [...spent].map(([name, values]) => `${name} ${median(values).toFixed(1)}`).join(", ");
  return {
    ours: RECORDS / (median(times) / 1000),
    peers: {},
    note: `median of ${ROUNDS} batches of ${RECORDS} records over ${USERS} users, SDK clients stubbed at send; ms by step: ${split}`,
  };
}

export const bench: Bench = { id: "handler.stream", unit: "records/s", better: "higher", run };
