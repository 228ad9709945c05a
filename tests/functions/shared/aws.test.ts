/** The adapters over real SDK clients, with the HTTP handler replaced: what goes over the wire is what is asserted. */
import { Readable } from "node:stream";
import { gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { S3Client } from "@aws-sdk/client-s3";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SSMClient } from "@aws-sdk/client-ssm";
import { HttpResponse } from "@smithy/core/protocols";
import { describe, expect, it } from "vitest";
import { createIdempotencyStore, createScoreStore } from "../../../functions/rest/adapters";
import { s } from "../../../functions/shared/attribute-values";
import { batchGet } from "../../../functions/shared/batch-get";
import {
  BULK,
  createDynamoDb,
  createEventBridge,
  createRedshiftData,
  createSecretsManager,
  createSqs,
  createSsm,
} from "../../../functions/shared/clients";
import { createEventBus } from "../../../functions/shared/event-bus";
import { EMPTY_LINES, packLines, unpackLines } from "../../../functions/shared/ndjson";
import { createObjectStore } from "../../../functions/shared/object-store";
import { parametersReader } from "../../../functions/shared/parameter-source";
import { createS3 } from "../../../functions/shared/s3-client";
import { isThrottled, isTransient } from "../../../functions/shared/sdk-error";
import { createSecretSource } from "../../../functions/shared/secret-source";
import { createResultStore, createStateStore } from "../../../functions/stream/adapters";
import { EventMarks } from "../../../functions/stream/event-marks";

type Answer = { readonly status?: number; readonly body?: unknown };
interface Seen {
  readonly action: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly json: Record<string, unknown>;
}

/** A client configuration whose requests are answered by `reply`, and the requests it saw. */
function wire(reply: (seen: Seen, count: number) => Answer) {
  const seen: Seen[] = [];
  const requestHandler = {
    handle: async (request: { method: string; path: string; headers: Record<string, string>; body?: unknown }) => {
      const { body: sent } = request;
      const text = sent instanceof Uint8Array ? Buffer.from(sent).toString("utf8") : typeof sent === "string" ? sent : "";
      const action = (request.headers["x-amz-target"] ?? "").split(".").at(-1) ?? "";
      const json = (action === "" || text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
      seen.push({ action, method: request.method, path: request.path, headers: request.headers, json });
      const { status = 200, body = {} } = reply(seen.at(-1)!, seen.length);
      const payload = typeof body === "string" ? body : JSON.stringify(body);
      return {
        response: new HttpResponse({
          statusCode: status,
          headers: { "content-type": "application/x-amz-json-1.0" },
          body: Readable.from([Buffer.from(payload)]),
        }),
      };
    },
  };
  const config = { region: "us-east-1", credentials: { accessKeyId: "a", secretAccessKey: "b" }, maxAttempts: 1, requestHandler };
  return { seen, config };
}

const backoff = { attempts: 3, baseMs: 1, capMs: 1, random: () => 0, sleep: async () => {} };
/** Waits as often as the number says. */
const patience = (waits: number) => ({ mayWait: () => waits-- > 0, backoff });
const throttled: Answer = {
  status: 400,
  body: { __type: "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", message: "slow down" },
};
const conditionFailed: Answer = {
  status: 400,
  body: { __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException" },
};
const broken: Answer = { status: 400, body: { __type: "com.amazon.coral.service#AccessDeniedException", message: "no" } };
const clock = { now: () => 1_000_000 };

describe("batchGet", () => {
  const keys = Array.from({ length: 150 }, (_, index) => ({ id: s(String(index)) }));

  it("reads a hundred keys at a time, strongly consistent, and asks again for unprocessed ones", async () => {
    const { seen, config } = wire(({ json }, count) => {
      const asked = (json.RequestItems as Record<string, { Keys: unknown[] }>).t!.Keys;
      return count === 1
        ? { body: { Responses: { t: asked.slice(1) }, UnprocessedKeys: { t: { Keys: asked.slice(0, 1) } } } }
        : { body: { Responses: { t: asked }, UnprocessedKeys: {} } };
    });
    const read = await batchGet(new DynamoDBClient(config), "t", keys, patience(5));
    expect(read).toMatchObject({ unread: [], error: undefined });
    expect(read.items).toHaveLength(150);
    expect(seen).toHaveLength(3);
    expect(seen[0]?.json).toMatchObject({ RequestItems: { t: { ConsistentRead: true } } });
  });

  it("asks again as long as the caller may wait, then returns what it has, with the table's name", async () => {
    const { config } = wire(({ json }) => ({ body: { Responses: {}, UnprocessedKeys: json.RequestItems } }));
    const read = await batchGet(new DynamoDBClient(config), "t", keys.slice(0, 2), patience(2));
    expect(read).toMatchObject({ items: [], unread: keys.slice(0, 2) });
    expect(read.error).toMatchObject({ message: expect.stringMatching(/Table t left 2 keys unread after 3/) });
  });

  it("spends a throttled table's units on the first keys, in whatever order it answers", async () => {
    // Each call may read one key, the last one that it asks for.
    const { config } = wire(({ json }) => {
      const asked = (json.RequestItems as Record<string, { Keys: unknown[] }>).t!.Keys;
      const left = asked.slice(0, -1).reverse();
      return { body: { Responses: { t: asked.slice(-1) }, UnprocessedKeys: left.length === 0 ? {} : { t: { Keys: left } } } };
    });
    const { items, unread } = await batchGet(new DynamoDBClient(config), "t", keys, patience(30));
    expect(items.length + unread.length).toBe(150);
    expect(items).toContainEqual(keys[0]);
    expect(Number(unread[0]?.id?.S)).toBeGreaterThan(5);
    expect(unread).toEqual(keys.filter((key) => unread.some(({ id }) => id?.S === key.id.S)));
  });

  it("returns errors together with the unread keys", async () => {
    const { config } = wire(() => broken);
    const read = await batchGet(new DynamoDBClient(config), "t", keys.slice(0, 1), patience(5));
    expect(read).toMatchObject({ items: [], unread: keys.slice(0, 1), error: { message: "no" } });
  });

  it("waits for a table that refuses a whole call, and repeats after a server error", async () => {
    const { seen, config } = wire((_, count) =>
      count === 1 ? throttled : count === 2 ? { status: 500, body: {} } : { body: { Responses: { t: keys.slice(0, 1) } } },
    );
    expect((await batchGet(new DynamoDBClient(config), "t", keys.slice(0, 1), patience(1))).items).toHaveLength(1);
    expect(seen).toHaveLength(3);
    const { config: refusing } = wire(() => throttled);
    const read = await batchGet(new DynamoDBClient(refusing), "t", keys.slice(0, 1), patience(1));
    expect(read).toMatchObject({ items: [], unread: keys.slice(0, 1), error: { code: "unprocessed_keys" } });
  });
});

describe("object store", () => {
  const store = (status: number | ((count: number) => number)) => {
    const { seen, config } = wire((_, count) => ({ status: typeof status === "number" ? status : status(count), body: "" }));
    return { seen, objects: createObjectStore(new S3Client(config), "bucket") };
  };

  it("writes with If-None-Match and treats 412 as done", async () => {
    const { seen, objects } = store(200);
    expect(await objects.putIfAbsent("a/b.gz", Buffer.from("x"))).toBe("created");
    expect(seen[0]).toMatchObject({
      method: "PUT",
      path: "/a/b.gz",
      headers: { "if-none-match": "*", "content-encoding": "zstd" },
    });
    expect(await store(412).objects.putIfAbsent("k", Buffer.from("x"))).toBe("exists");
  });

  it("tries again on 409 and fails on anything else", async () => {
    expect(await store((count) => (count === 1 ? 409 : 412)).objects.putIfAbsent("k", Buffer.from("x"))).toBe("exists");
    await expect(store(409).objects.putIfAbsent("k", Buffer.from("x"))).rejects.toThrow();
    await expect(store(403).objects.putIfAbsent("k", Buffer.from("x"))).rejects.toThrow();
  });

  it("distinguishes a missing object from a forbidden one", async () => {
    expect(await store(200).objects.size("k")).toBe(0);
    expect(await store(404).objects.size("k")).toBeNull();
    await expect(store(403).objects.size("k")).rejects.toThrow();
  });
});

describe("event bus", () => {
  const events = (count: number, size = 10) =>
    Array.from({ length: count }, (_, index) => ({
      detail: JSON.stringify({ index, pad: "x".repeat(size) }),
      detailType: "T",
      time: new Date(0),
    }));

  it("sends ten entries per call and repeats only refused ones", async () => {
    const { seen, config } = wire(({ json }, count) => ({
      body: {
        Entries: (json.Entries as unknown[]).map((_, index) =>
          count === 1 && index === 4 ? { ErrorCode: "Throttled" } : { EventId: "1" },
        ),
      },
    }));
    expect(await createEventBus(new EventBridgeClient(config), "bus", "src", backoff).publish(events(25))).toEqual([]);
    expect(seen.map(({ json }) => (json.Entries as unknown[]).length)).toEqual([10, 10, 5, 1]);
    expect((seen[3]!.json.Entries as unknown[])[0]).toMatchObject({
      Detail: '{"index":4,"pad":"xxxxxxxxxx"}',
      EventBusName: "bus",
      Source: "src",
      DetailType: "T",
    });
  });

  it("stays below 256 KB per call", async () => {
    const { seen, config } = wire(({ json }) => ({
      body: { Entries: (json.Entries as unknown[]).map(() => ({ EventId: "1" })) },
    }));
    await createEventBus(new EventBridgeClient(config), "bus", "src", backoff).publish(events(4, 100_000));
    expect(seen.map(({ json }) => (json.Entries as unknown[]).length)).toEqual([2, 2]);
  });

  it("returns the indexes of entries that stay refused, including those of failed calls", async () => {
    const { seen, config } = wire(() => broken);
    expect(await createEventBus(new EventBridgeClient(config), "bus", "src", backoff).publish(events(2))).toEqual([0, 1]);
    expect(seen).toHaveLength(3);
  });
});

describe("stream tables", () => {
  const result = {
    eventId: "t-1",
    sourcePosition: "shard:1",
    inputHash: "00ff",
    archiveKey: "archive/a",
    scoredAt: "2026-11-21T00:00:00.000Z",
    occurredAt: "2026-11-20T00:00:00.000Z",
    userToken: "tok_a",
    decision: {
      score: 0.7,
      band: "high",
      reasons: [{ code: "r", text: "Reason", contribution: 0.7 }],
      flags: ["r"],
      modelVersion: "m",
      policyVersion: "p",
    },
    features: Float64Array.of(3, Number.NaN),
    featureList: "3,",
  };

  it("reads back the result that it wrote, and writes only if there is none", async () => {
    let item: unknown;
    const { seen, config } = wire(({ action, json }) => {
      if (action === "PutItem") item = json.Item;
      return action === "BatchGetItem" ? { body: { Responses: { results: [item] } } } : {};
    });
    const store = createResultStore({ client: new DynamoDBClient(config), table: "results", clock, ttlSeconds: 60 });
    expect(await store.create(result)).toBe("created");
    expect(seen[0]?.json).toMatchObject({
      ConditionExpression: "attribute_not_exists(transaction_id)",
      Item: { ttl: { N: "1060" } },
    });
    expect((await store.read(["t-1"], patience(0))).found).toEqual(new Map([["t-1", result]]));
  });

  it("returns an existing result without reading", async () => {
    let item: unknown;
    const { seen, config } = wire(({ json }) => {
      if (item !== undefined) return { status: 400, body: { ...(conditionFailed.body as object), Item: item } };
      item = json.Item;
      return {};
    });
    const store = createResultStore({ client: new DynamoDBClient(config), table: "results", clock, ttlSeconds: 60 });
    await store.create(result);
    expect(await store.create({ ...result, sourcePosition: "shard:2" })).toEqual(result);
    expect(seen.map(({ action }) => action)).toEqual(["PutItem", "PutItem"]);
    expect(seen[1]?.json).toMatchObject({ ReturnValuesOnConditionCheckFailure: "ALL_OLD" });
  });

  it("returns a failed condition as a result, and throws other failures", async () => {
    const stores = (answer: Answer) => {
      const args = { client: new DynamoDBClient(wire(() => answer).config), table: "t", clock, ttlSeconds: 60 };
      return { results: createResultStore(args), states: createStateStore(args) };
    };
    const failed = stores(conditionFailed);
    expect(await failed.results.moveArchive("t-1", "a", "b")).toBe(false);
    expect(await failed.states.write("tok", written)).toEqual({ present: undefined });
    const denied = stores(broken);
    await expect(denied.results.create(result)).rejects.toThrow("no");
    await expect(denied.results.moveArchive("t-1", "a", "b")).rejects.toThrow("no");
    await expect(denied.states.write("tok", written)).rejects.toThrow("no");
  });

  const written = { state: { count: 1 }, marks: EventMarks.NONE.with(["t-1", "t-2"], 5_000), version: 3 };

  it("guards a state by the version that was read, and reads it back with its marks", async () => {
    let item: unknown;
    const { seen, config } = wire(({ action, json }) => {
      if (action === "PutItem") item = json.Item;
      return action === "BatchGetItem" ? { body: { Responses: { states: [item] } } } : {};
    });
    const store = createStateStore({ client: new DynamoDBClient(config), table: "states", clock, ttlSeconds: 60 });
    expect(await store.write("tok", written)).toBe("written");
    expect(seen[0]?.json).toMatchObject({
      ConditionExpression: "state_version = :before",
      ExpressionAttributeValues: { ":before": { N: "2" } },
    });
    expect((await store.read(["tok"], patience(0))).found).toEqual(new Map([["tok", written]]));
    await store.write("tok", { ...written, version: 1 });
    expect(seen.at(-1)?.json.ConditionExpression).toBe("attribute_not_exists(state_version)");
  });

  it("gives the present state back when another delivery has written it", async () => {
    let item: unknown;
    const { config } = wire(({ json }) => {
      if (item !== undefined) return { status: 400, body: { ...(conditionFailed.body as object), Item: item } };
      item = json.Item;
      return {};
    });
    const store = createStateStore({ client: new DynamoDBClient(config), table: "states", clock, ttlSeconds: 60 });
    await store.write("tok", written);
    expect(await store.write("tok", { ...written, state: {} })).toEqual({ present: written });
  });

  it("takes the events that had a result when a state was last written without marks as counted", async () => {
    const item = { user_id: { S: "tok" }, state: { S: "{}" }, last_sequence: { S: "42" }, ttl: { N: "1060" } };
    const { config } = wire(() => ({ body: { Responses: { states: [item] } } }));
    const store = createStateStore({ client: new DynamoDBClient(config), table: "states", clock, ttlSeconds: 60 });
    const state = (await store.read(["tok"], patience(0))).found.get("tok");
    expect(state?.version).toBe(0);
    expect(state?.marks.covers("t-1", new Date(1_000_000).toISOString())).toBe(true);
    expect(state?.marks.covers("t-1", new Date(1_001_000).toISOString())).toBe(false);
  });
});

describe("scores table", () => {
  const decision = { score: 50, band: "medium", reasons: [], flags: [], modelVersion: "m", policyVersion: "p" };
  const score = { inputId: "id", timestamp: 5, scoreId: "id-5", decision, answer: { result: "x" }, expiresAt: 9 };

  it("reads the newest item of an id", async () => {
    let item: unknown;
    const { seen, config } = wire(({ action, json }) => {
      if (action === "PutItem") item = json.Item;
      return action === "Query" ? { body: { Items: item === undefined ? [] : [item] } } : {};
    });
    const store = createScoreStore(new DynamoDBClient(config), "scores");
    expect(await store.newest("id")).toBeNull();
    await store.put(score, "lead");
    expect(await store.newest("id")).toEqual(score);
    expect(seen[0]?.json).toMatchObject({ ScanIndexForward: false, Limit: 1 });
  });

  it("claims, answers, replays and releases idempotency keys", async () => {
    let existing: Record<string, unknown> | undefined;
    let taken = false;
    const { seen, config } = wire(({ action, json }) => {
      if (action === "GetItem") return { body: existing === undefined ? {} : { Item: existing } };
      if (action === "PutItem" && json.ConditionExpression !== undefined && taken) return conditionFailed;
      if (action === "PutItem") existing = json.Item as Record<string, unknown>;
      return {};
    });
    const store = createIdempotencyStore({
      client: new DynamoDBClient(config),
      table: "t",
      clock,
      ttlSeconds: 60,
      leaseSeconds: 5,
    });
    expect(await store.claim("k", "hash")).toEqual({ kind: "claimed" });
    taken = true;
    expect(await store.claim("k", "hash")).toEqual({ kind: "in_flight" });
    expect(await store.claim("k", "other")).toEqual({ kind: "other_body" });
    const answer = { status: 200, headers: {}, body: "{}" };
    await store.answer("k", "hash", answer);
    expect(await store.claim("k", "hash")).toEqual({ kind: "answered", answer });
    existing = undefined;
    expect(await store.claim("k", "hash")).toEqual({ kind: "in_flight" });
    await store.release("k");
    expect(seen.at(-1)?.action).toBe("DeleteItem");
    const denied = createIdempotencyStore({
      client: new DynamoDBClient(wire(() => broken).config),
      table: "t",
      clock,
      ttlSeconds: 1,
      leaseSeconds: 1,
    });
    await expect(denied.claim("k", "hash")).rejects.toThrow("no");
  });
});

describe("parameters and secrets", () => {
  it("are read in one call for all names, without KMS and without unknown names", async () => {
    const { seen, config } = wire(() => ({
      body: { Parameters: [{ Name: "/policy", Value: "{}" }], InvalidParameters: ["/models"] },
    }));
    const read = (...names: string[]) => parametersReader(new SSMClient(config), names)();
    expect(await read("/policy", "/models")).toEqual(new Map([["/policy", "{}"]]));
    await read("/policy", "");
    expect(seen.map(({ action, json }) => [action, json])).toEqual([
      ["GetParameters", { Names: ["/policy", "/models"] }],
      ["GetParameters", { Names: ["/policy"] }],
    ]);
  });

  it("count as throttled by the error's name, whatever the status", async () => {
    const answers: readonly [Answer, boolean, boolean][] = [
      [{ status: 400, body: { __type: "ThrottlingException", message: "Rate exceeded" } }, true, true],
      [{ status: 429, body: { __type: "SlowDown" } }, true, true],
      [{ status: 503, body: { __type: "InternalServerError" } }, false, true],
      [broken, false, false],
    ];
    for (const [answer, throttled, transient] of answers) {
      const error = await parametersReader(new SSMClient(wire(() => answer).config), ["/policy"])().catch(
        (reason: unknown) => reason,
      );
      expect([isThrottled(error), isTransient(error)], JSON.stringify(answer)).toEqual([throttled, transient]);
    }
    expect(isTransient(Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }))).toBe(true);
    expect(isTransient(new TypeError("x is not a function"))).toBe(false);
  });

  it("return their text, and name a secret that has none", async () => {
    const secret = (body: unknown) => createSecretSource(new SecretsManagerClient(wire(() => ({ body })).config), "arn:secret")();
    expect(await secret({ SecretString: "key" })).toBe("key");
    await expect(secret({})).rejects.toThrow("arn:secret");
  });

  it("fetch a secret once, and again after a failure", async () => {
    const { seen, config } = wire((_, count) => (count === 1 ? broken : { body: { SecretString: "key" } }));
    const source = createSecretSource(new SecretsManagerClient(config), "arn");
    await expect(source()).rejects.toThrow("no");
    expect([await source(), await source()]).toEqual(["key", "key"]);
    expect(seen).toHaveLength(2);
  });
});

describe("clients", () => {
  it("take region, retries and credentials only from the environment", async () => {
    process.env.AWS_REGION = "eu-west-1";
    process.env.AWS_ACCESS_KEY_ID = "id";
    process.env.AWS_SECRET_ACCESS_KEY = "secret";
    for (const create of [
      createDynamoDb,
      createEventBridge,
      createSsm,
      createSecretsManager,
      createSqs,
      createRedshiftData,
      createS3,
    ]) {
      const client = create(BULK);
      expect(await client.config.region()).toBe("eu-west-1");
      expect(await client.config.maxAttempts()).toBe(4);
      expect(await client.config.credentials()).toMatchObject({ accessKeyId: "id", secretAccessKey: "secret" });
    }
  });
});

it("packs equal lines into equal bytes, and reads objects of earlier versions as well", () => {
  expect(zstdDecompressSync(packLines(["{}", "[]"])).toString()).toBe("{}\n[]\n");
  expect(Buffer.compare(packLines(["a"]), packLines(["a"]))).toBe(0);
  expect(unpackLines("archive/a.ndjson.zst", packLines(["{}", "[]"]))).toEqual(["{}", "[]"]);
  expect(EMPTY_LINES).toEqual(new Uint8Array(zstdCompressSync("")));
  expect(unpackLines("archive/closed.ndjson.zst", EMPTY_LINES)).toEqual([]);
  expect(unpackLines("archive/of-an-earlier-version.ndjson.gz", gzipSync("{}\n[]\n"))).toEqual(["{}", "[]"]);
});
