/** Batches of the benchmarks of the scoring handlers: transactions of some 200 users. */
import type { KinesisStreamEvent } from "aws-lambda";

export const RECORDS = 1000;
export const USERS = 200;
const SPAN_SECONDS = 12 * 3600;

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
export type Traffic = keyof typeof TRAFFIC;

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
