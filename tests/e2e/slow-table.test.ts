/** The stream processor with its own adapter on a results table that is metered like AWS's, in a time that passes by itself. */

import { DatabaseSync } from "node:sqlite";
import { Readable } from "node:stream";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDbService, DynamoError } from "@risk/local-aws/testing";
import { HttpResponse } from "@smithy/core/protocols";
import { beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_BACKOFF } from "../../functions/shared/backoff";
import { createResultStore } from "../../functions/stream/adapters";
import { context, encode, event, kinesisRecord, StreamWorld, transaction } from "../helpers/stream-world";

const TABLE = "results";
const INVOCATION_MS = 30_000;

let now: number;
let dynamodb: DynamoDbService;

beforeEach(() => {
  now = Date.UTC(2026, 10, 21);
  dynamodb = new DynamoDbService(
    {
      region: "us-east-1",
      accountId: "000000000000",
      endpointUrl: "",
      db: new DatabaseSync(":memory:"),
      dataDir: "",
      clock: { now: () => now },
      log: () => {},
    },
    {
      gate: { callerPermissions: () => [] },
      metering: "enforced",
      metrics: () => {},
      onFirstRefusal: () => {},
    },
  );
});

/** A table with so many units a second, and none saved. */
async function table(read: number, write: number): Promise<void> {
  await dynamodb.tables.create({
    TableName: TABLE,
    AttributeDefinitions: [{ AttributeName: "transaction_id", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "transaction_id", KeyType: "HASH" }],
    ProvisionedThroughput: { ReadCapacityUnits: read, WriteCapacityUnits: write },
  });
  for (const [kind, units] of [
    ["Read", read],
    ["Write", write],
  ] as const) {
    dynamodb.meter.take(TABLE, kind, units * 300);
    dynamodb.meter.spend(TABLE, kind, units * 300);
  }
}

function client(): DynamoDBClient {
  const answer = async (action: string, body: unknown): Promise<{ readonly status: number; readonly body: unknown }> => {
    const text = body instanceof Uint8Array ? Buffer.from(body).toString("utf8") : String(body);
    try {
      return { status: 200, body: await dynamodb.call(action, JSON.parse(text) as Record<string, unknown>) };
    } catch (error) {
      if (error instanceof DynamoError) return { status: error.status, body: error.body };
      throw error;
    }
  };
  const requestHandler = {
    handle: async ({ headers, body }: { readonly headers: Record<string, string>; readonly body?: unknown }) => {
      const { status, body: sent } = await answer((headers["x-amz-target"] ?? "").split(".").at(-1) ?? "", body);
      const type = { "content-type": "application/x-amz-json-1.0" };
      return {
        response: new HttpResponse({
          statusCode: status,
          headers: type,
          body: Readable.from([Buffer.from(JSON.stringify(sent))]),
        }),
      };
    },
  };
  const credentials = { accessKeyId: "a", secretAccessKey: "b" };
  return new DynamoDBClient({ region: "us-east-1", credentials, maxAttempts: 1, requestHandler });
}

/** The clock goes on while somebody waits, once for all who do. */
function passingTime(): (milliseconds: number) => Promise<void> {
  let waiting = 0;
  return async (milliseconds) => {
    waiting++;
    now += Math.max(1, milliseconds) / waiting;
    await new Promise((resolve) => setImmediate(resolve));
    waiting--;
  };
}

/** Delivers until all is done; gives how many records each invocation finished. */
async function deliver(world: StreamWorld, records: readonly ReturnType<typeof kinesisRecord>[]): Promise<number[]> {
  const results = createResultStore({ client: client(), table: TABLE, clock: { now: () => now }, ttlSeconds: 86_400 });
  const backoff = { ...DEFAULT_BACKOFF, random: () => 0.5, sleep: passingTime() };
  const handler = world.handler({ ports: { ...world.ports, results }, backoff });
  const finished: number[] = [];
  for (let left = records; left.length > 0; ) {
    const deadline = now + INVOCATION_MS;
    const invocation = { awsRequestId: "r", getRemainingTimeInMillis: () => deadline - now };
    const { batchItemFailures } = await handler(event(...left), invocation);
    const failed = batchItemFailures[0]?.itemIdentifier;
    const next = failed === undefined ? left.length : left.findIndex((record) => record.kinesis.sequenceNumber === failed);
    finished.push(next);
    if (next === 0) break;
    left = left.slice(next);
  }
  return finished;
}

const traffic = (count: number, users: number) =>
  Array.from({ length: count }, (_, index) => {
    const fields = { user_id: `u-${index % users}`, amount: 10 + (index % 7) };
    return kinesisRecord(1000 + index, encode(transaction(`t-${index}`, fields)));
  });

async function expectAllOnceInOrder(world: StreamWorld, records: ReturnType<typeof traffic>): Promise<void> {
  const fast = new StreamWorld();
  await fast.handler()(event(...records), context);
  const byId = (one: StreamWorld) => new Map(one.archived().map(({ event_id, features }) => [event_id, features]));
  expect(world.archived()).toHaveLength(records.length);
  expect(byId(world)).toEqual(byId(fast));
  // Written in more pieces, a state has another version.
  const states = (one: StreamWorld) => new Map([...one.states].map(([user, { state }]) => [user, state]));
  expect(states(world)).toEqual(states(fast));
  expect(world.quarantined()).toEqual([]);
}

describe("a results table that is much slower than its stream", () => {
  it("gets a batch of users with several events each, some records per invocation, each once and in order", async () => {
    await table(5, 5);
    const world = new StreamWorld();
    const records = traffic(1000, 200);
    const finished = await deliver(world, records);
    expect(Math.min(...finished)).toBeGreaterThan(0);
    expect(finished.reduce((sum, count) => sum + count, 0)).toBe(1000);
    // 145 units an invocation, and at most two writes a record.
    expect(finished.length).toBeLessThan(20);
    await expectAllOnceInOrder(world, records);
  }, 60_000);

  it("still makes progress when the reads of a redelivered batch take longer than an invocation", async () => {
    await table(1, 50);
    const world = new StreamWorld();
    const records = traffic(100, 20);
    await deliver(world, records);
    const used = (kind: string) => dynamodb.meter.usage().find((usage) => usage.kind === kind)?.consumed ?? 0;
    // New events cost a write and no read, however many a user has.
    expect([used("Read") - 300, used("Write") - 50 * 300]).toEqual([0, 100]);
    // The answer got lost: everything is stored, and all of it has to be read.
    const finished = await deliver(world, records);
    expect(Math.min(...finished)).toBeGreaterThan(0);
    expect(finished.length).toBeGreaterThan(1);
    expect(finished.reduce((sum, count) => sum + count, 0)).toBe(100);
    await expectAllOnceInOrder(world, records);
  }, 60_000);
});
