/** Crashes, redeliveries and faults: afterwards every event exists exactly once everywhere. */
import { PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { InvokeCommand } from "@aws-sdk/client-lambda";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { countRows, query, runLoader } from "../../cli/demo/tally";
import { lines, rawRecords, scan, settled, startWorld, type Transaction, transactions, until, type World } from "./support";

let world: World;
beforeAll(async () => {
  world = await startWorld();
}, 60_000);
afterAll(() => world?.stop());
afterEach(() => world.platform.faults.inject(0, []));

interface Sent {
  readonly key: string;
  readonly data: Buffer;
}

const encode = (body: Transaction): Sent => ({ key: body.user_id, data: Buffer.from(JSON.stringify(body)) });

/** Puts all records, and retries throttled ones as a producer does. @returns the sequence numbers */
async function put(records: readonly Sent[]): Promise<{ readonly sequence: string; readonly sent: Sent }[]> {
  const put: { sequence: string; sent: Sent }[] = [];
  let open = records;
  while (open.length > 0) {
    const entries = open.slice(0, 500);
    const Records = entries.map(({ key, data }) => ({ PartitionKey: key, Data: data }));
    const answer = await world.clients.kinesis.send(new PutRecordsCommand({ StreamName: world.names.streamName, Records }));
    const refused: Sent[] = [];
    for (const [index, sent] of entries.entries()) {
      const sequence = answer.Records?.[index]?.SequenceNumber;
      if (sequence === undefined) refused.push(sent);
      else put.push({ sequence, sent });
    }
    open = [...refused, ...open.slice(500)];
  }
  return put;
}

const putAll = (bodies: readonly Transaction[]) => put(bodies.map(encode));

/** A batch as the event source mapping delivers it. */
function kinesisEvent(records: readonly { readonly sequence: string; readonly sent: Sent }[]) {
  const arrived = Date.now() / 1000;
  return {
    Records: records.map(({ sequence, sent }) => ({
      kinesis: {
        kinesisSchemaVersion: "1.0",
        partitionKey: sent.key,
        sequenceNumber: sequence,
        data: sent.data.toString("base64"),
        approximateArrivalTimestamp: arrived,
      },
      eventSource: "aws:kinesis",
      eventVersion: "1.0",
      eventID: `shardId-000000000000:${sequence}`,
      eventName: "aws:kinesis:record",
      awsRegion: "us-east-1",
    })),
  };
}

async function invoke(functionName: string, event: unknown): Promise<unknown> {
  const answer = await world.clients.lambda.send(
    new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(JSON.stringify(event)) }),
  );
  expect(answer.FunctionError).toBeUndefined();
  return JSON.parse(Buffer.from(answer.Payload ?? []).toString());
}

const ids = (bodies: readonly { readonly transaction_id: string }[]) => bodies.map(({ transaction_id }) => transaction_id).sort();

async function results(prefix: string): Promise<string[]> {
  const items = await scan(world, world.names.resultsTable);
  return items.flatMap(({ transaction_id }) => (transaction_id?.S?.startsWith(prefix) ? [transaction_id.S] : [])).sort();
}

async function archived(prefix: string): Promise<string[]> {
  const all = (await lines(world, "archive/fraud/")).map((line) => String(line.event_id));
  return all.filter((id) => id.startsWith(prefix)).sort();
}

async function loaded(prefix: string): Promise<string[]> {
  const rows = await query<{ event_id: string }>(
    world.clients,
    `select event_id from risk.risk_events where event_id like '${prefix}-%' order by event_id`,
  );
  return rows.map(({ event_id }) => event_id);
}

const quarantined = async (prefix: string) => (await rawRecords(world)).filter(({ text }) => text.includes(prefix));

/** Events expected in the warehouse, by prefix; one load serves all tests of the stream. */
const accounts = new Map<string, readonly string[]>();

/** Waits for the stream's end, then compares results and archive with what was sent. */
async function expectExactlyOnce(prefix: string, expected: readonly string[]): Promise<void> {
  await settled(world);
  expect(await results(prefix)).toEqual(expected);
  expect(await archived(prefix)).toEqual(expected);
  accounts.set(prefix, expected);
}

/** Kills a function after its n-th call of an action. */
const kill = (rule: { functionName: string; service: string; action: string; nth: number }): void =>
  world.platform.faults.inject(0, [{ kind: "crash", ...rule }]);

const killed = (): number => world.platform.faults.injected().reduce((sum, { count }) => sum + count, 0);

describe("a stream function that is killed", () => {
  it.each([
    ["after the first result", "results1", "dynamodb", "PutItem", 1],
    ["after half of the results", "results2", "dynamodb", "PutItem", 60],
    ["after all results, between states", "states", "dynamodb", "PutItem", 123],
    ["before the archive, after the alerts", "alerts", "events", "PutEvents", 1],
    ["after the copy of the high-risk events", "copy", "s3", "PutObject", 1],
    ["after the archive", "archive", "s3", "PutObject", 2],
    ["between a raw record and the line that points to it", "raw", "s3", "PutObject", 3],
    ["after the quarantine", "quarantine", "s3", "PutObject", 4],
    ["while it reads", "reading", "dynamodb", "BatchGetItem", 1],
  ])("%s leaves every event once", async (_, prefix, service, action, nth) => {
    const functionName = world.names.streamFunction ?? "";
    const bodies = transactions(prefix, 120);
    const alert = {
      ...bodies[60],
      amount: 50_000,
      location_mismatch: true,
      velocity_flag: true,
      transaction_id: `${prefix}-alert`,
    };
    kill({ functionName, service, action, nth });
    await put([
      ...bodies.map(encode),
      { key: "k", data: Buffer.from(JSON.stringify(alert)) },
      { key: "k", data: Buffer.from(`{"transaction_id":"${prefix}-bad"}`) },
    ]);
    await settled(world);
    expect(killed()).toBe(1);
    await expectExactlyOnce(prefix, [...ids(bodies), `${prefix}-alert`]);
    expect(new Set((await quarantined(`${prefix}-bad`)).map(({ position }) => position)).size).toBe(1);
  });
});

describe("a batch that is delivered again", () => {
  it("changes nothing when Lambda delivers it twice, whole or in part", async () => {
    const bodies = transactions("again", 40);
    const sent = await putAll(bodies);
    await settled(world);
    const state = await scan(world, world.names.stateTable ?? "");
    const functionName = world.names.streamFunction ?? "";
    for (const part of [sent, sent.slice(0, 20), sent.slice(20), sent.slice(5, 6)]) {
      expect(await invoke(functionName, kinesisEvent(part))).toEqual({ batchItemFailures: [] });
    }
    const byUser = (items: typeof state) => new Map(items.map((item) => [item.user_id?.S, item.state?.S]));
    expect(byUser(await scan(world, world.names.stateTable ?? ""))).toEqual(byUser(state));
    await expectExactlyOnce("again", ids(bodies));
  });

  it("changes nothing when the producer sends its records twice", async () => {
    const bodies = transactions("producer", 40);
    await putAll([...bodies, ...bodies.slice(0, 10)]);
    await settled(world);
    await putAll(bodies.toReversed());
    await expectExactlyOnce("producer", ids(bodies));
    expect(await quarantined("producer-")).toEqual([]);
  });

  it("quarantines an id with another body, and a record that breaks the code, with the reason", async () => {
    const [first, ...rest] = transactions("conflict", 10);
    if (first === undefined) throw new Error("ten transactions were asked for");
    const poison: readonly (readonly [string, string])[] = [
      ["not_json", "conflict-{"],
      ["not_an_object", '["conflict-array"]'],
      ["not_an_object", "null"],
      ["invalid", '{"transaction_id":"conflict-missing"}'],
      [
        "timestamp_out_of_range",
        JSON.stringify({ ...first, transaction_id: "conflict-future", timestamp: "2099-01-01T00:00:00Z" }),
      ],
      [
        "timestamp_out_of_range",
        JSON.stringify({ ...first, transaction_id: "conflict-ancient", timestamp: "1971-01-01T00:00:00Z" }),
      ],
    ];
    const earlier = (await lines(world, "quarantine/fraud/")).length;
    await put([
      encode(first),
      encode({ ...first, amount: first.amount + 1 }),
      ...poison.map(([, text]) => ({ key: "poison", data: Buffer.from(text) })),
      { key: "poison", data: Buffer.from([0xff, 0xfe, 0x00]) },
      ...rest.map(encode),
    ]);
    await settled(world);
    await putAll([{ ...first, amount: first.amount + 2 }]);
    await expectExactlyOnce("conflict", ids([first, ...rest]));
    const found = await lines(world, "quarantine/fraud/");
    expect(found.length - earlier).toBe(9);
    const reasons = found.map(({ reason }) => String(reason));
    for (const [reason] of poison) expect(reasons).toContain(reason);
    expect(reasons.filter((reason) => reason === "duplicate_conflict")).toHaveLength(2);
    for (const line of found) expect(line.detail).toEqual(expect.stringMatching(/\w+/));
  });
});

describe("random faults", () => {
  it.each([11, 42])("of seed %d (throttles, errors, lost replies) neither lose nor duplicate anything", async (seed) => {
    const prefix = `seed${seed}`;
    world.platform.faults.inject(seed, [
      { kind: "throttle", service: "dynamodb", probability: 0.03 },
      { kind: "error", service: "dynamodb", probability: 0.02 },
      { kind: "lost-reply", service: "dynamodb", action: "PutItem", probability: 0.03 },
      { kind: "duplicate", service: "dynamodb", action: "PutItem", probability: 0.02 },
      { kind: "throttle", service: "s3", probability: 0.1 },
      { kind: "lost-reply", service: "s3", action: "PutObject", probability: 0.1 },
      { kind: "error", service: "events", action: "PutEvents", probability: 0.1 },
    ]);
    const bodies = transactions(prefix, 300, 20).map((body, index) =>
      index % 25 === 0 ? { ...body, amount: 20_000, location_mismatch: true } : body,
    );
    for (let from = 0; from < bodies.length; from += 100) await putAll(bodies.slice(from, from + 100));
    await settled(world);
    world.platform.faults.inject(0, []);
    await expectExactlyOnce(prefix, ids(bodies));
  });
});

describe("the loader", () => {
  const loader = () => world.names.loaderFunction;

  /** Messages held by a killed run return after this time. */
  function shortVisibility(): void {
    const { sqs } = world.platform.services;
    const { name, attributes } = sqs.store.queue(sqs.nameOf(world.names.loadQueueUrl ?? ""));
    sqs.store.save(name, { ...attributes, VisibilityTimeout: "2" });
  }

  it("loads everything that the stream scored or quarantined, once", async () => {
    expect(accounts.size).toBeGreaterThan(10);
    await runLoader(world.clients, world.names);
    for (const [prefix, expected] of accounts) expect(await loaded(prefix)).toEqual(expected);
    const refused = new Set((await lines(world, "quarantine/")).map(({ source_position }) => source_position));
    expect(await countRows(world.clients, "risk.quarantined_events")).toBe(refused.size);
    const rows = await query<{ source_position: string }>(
      world.clients,
      "select source_position from risk.quarantined_events where reason = 'invalid'",
    );
    const bad = new Set((await quarantined("-bad")).map(({ position }) => position));
    expect(rows.filter(({ source_position }) => bad.has(source_position))).toHaveLength(9);
  });

  it("loads once when it runs twice at the same time, and again later", async () => {
    const bodies = transactions("parallel", 60);
    for (let from = 0; from < bodies.length; from += 10) {
      await putAll(bodies.slice(from, from + 10));
      await settled(world);
    }
    // Reserved concurrency may refuse a second simultaneous run; a refused run loads nothing.
    const runs = await Promise.allSettled([1, 2, 3].map(() => runLoader(world.clients, world.names)));
    expect(runs.some(({ status }) => status === "fulfilled")).toBe(true);
    await runLoader(world.clients, world.names);
    expect(await loaded("parallel")).toEqual(ids(bodies));
    const again = await runLoader(world.clients, world.names);
    expect(again).toMatchObject({ inserted: 0, pending: 0, failed: 0 });
  });

  it.each([
    ["after the manifest", "manifest", "s3", "PutObject"],
    ["after the transaction was accepted", "accepted", "redshift-data", "BatchExecuteStatement"],
    ["before the messages are deleted", "committed", "redshift-data", "GetStatementResult"],
    ["after messages were deleted", "deleted", "sqs", "DeleteMessageBatch"],
  ])("killed %s loads every event once", async (_, prefix, service, action) => {
    const bodies = transactions(prefix, 30);
    shortVisibility();
    // Armed first, because the schedule's own run may be the one that is killed.
    kill({ functionName: loader(), service, action, nth: 1 });
    await putAll(bodies);
    await settled(world);
    await Promise.allSettled([runLoader(world.clients, world.names)]);
    await until("the loader was killed", () => killed() === 1);
    await until("the load is over", async () => {
      await Promise.allSettled([runLoader(world.clients, world.names)]);
      return (await loaded(prefix)).length >= bodies.length;
    });
    expect(await loaded(prefix)).toEqual(ids(bodies));
  });
});
