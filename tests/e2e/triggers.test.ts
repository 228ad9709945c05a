/** Every way in: an event is scored the same, once, whichever way it came, and what could not be scored goes back the way it came. */
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { REAL_TIME } from "../../cli/redrive/clock";
import { redrive } from "../../cli/redrive/run";
import { connectRedrive, type RedriveTarget } from "../../cli/redrive/target";
import { connection, lines, scan, send, settled, startWorld, transactions, until, type World } from "./support";

let world: World;
let target: RedriveTarget;
let events: EventBridgeClient;
let sqs: SQSClient;
beforeAll(async () => {
  world = await startWorld();
  events = new EventBridgeClient(connection(world));
  sqs = new SQSClient(connection(world));
  const { endpoint, credentials } = connection(world);
  target = await connectRedrive(world.platform.outputs, { endpoint, credentials });
}, 120_000);
afterAll(async () => {
  events?.destroy();
  sqs?.destroy();
  target?.close();
  await world?.stop();
});
vi.setConfig({ testTimeout: 60_000 });

type Bodies = readonly object[];

async function toStream(bodies: Bodies): Promise<void> {
  const Records = bodies.map((body) => ({ PartitionKey: "any", Data: Buffer.from(JSON.stringify(body)) }));
  await world.clients.kinesis.send(new PutRecordsCommand({ StreamName: world.names.streamName, Records }));
}

async function toBus(bodies: Bodies): Promise<void> {
  for (let start = 0; start < bodies.length; start += 10) {
    const Entries = bodies.slice(start, start + 10).map((body) => ({
      EventBusName: world.names.incomingBus,
      Source: "fraud.events",
      DetailType: "Payment",
      Detail: JSON.stringify(body),
    }));
    const { FailedEntryCount } = await events.send(new PutEventsCommand({ Entries }));
    expect(FailedEntryCount).toBe(0);
  }
}

async function toApi(bodies: Bodies) {
  const { status, text } = await send(world, "/events", JSON.stringify({ events: bodies }));
  return { status, answer: JSON.parse(text) };
}

const decision = async (id: string) => {
  const { status, text } = await send(world, `/decisions/${encodeURIComponent(id)}`, undefined, {}, "GET");
  return { status, answer: JSON.parse(text) };
};

const archived = async (prefix: string) =>
  (await lines(world, "archive/fraud/")).filter(({ event_id }) => String(event_id).startsWith(prefix));

describe("events", () => {
  it("give one decision each, although each comes through every trigger", async () => {
    const bodies = transactions("every", 60, 60);
    const [taken] = await Promise.all([toApi(bodies), toStream(bodies), toBus(bodies.toReversed())]);
    expect(taken).toMatchObject({ status: 202, answer: { accepted: 60, refused: 0, unavailable: 0 } });
    await settled(world);
    const stored = (await scan(world, world.names.resultsTable)).filter(({ transaction_id }) =>
      transaction_id?.S?.startsWith("every"),
    );
    expect(stored).toHaveLength(60);
    expect((await archived("every")).map(({ event_id }) => event_id).sort()).toEqual(
      bodies.map(({ transaction_id }) => transaction_id),
    );
  });

  it("get the same decision from each trigger, and name the one that they came by", async () => {
    const [body] = transactions("same", 1);
    if (body === undefined) throw new Error("one transaction was asked for");
    const named = (trigger: string) => ({ ...body, transaction_id: `same ${trigger}/1`, user_id: `user of ${trigger}` });
    await Promise.all([toStream([named("kinesis")]), toBus([named("eventbridge")]), toApi([named("rest")])]);
    await settled(world);
    const answers = await Promise.all(
      ["kinesis", "eventbridge", "rest"].map(async (trigger) => (await decision(`same ${trigger}/1`)).answer),
    );
    const [{ id, timestamp, ...first }] = answers;
    expect({ id, timestamp }).toEqual({ id: "same kinesis/1", timestamp: expect.stringMatching(/^20.*Z$/) });
    expect(first).toMatchObject({ band: "low", reasons: expect.any(Array), modelVersion: expect.any(String) });
    for (const answer of answers) expect(answer).toMatchObject(first);
    expect((await archived("same")).map(({ source, event_id }) => `${source}: ${event_id}`).sort()).toEqual([
      "eventbridge: same eventbridge/1",
      "kinesis: same kinesis/1",
      "rest: same rest/1",
    ]);
  });

  it("of the bus that the pattern doesn't name are not scored", async () => {
    const [body] = transactions("other", 1);
    const Entries = [
      { EventBusName: world.names.incomingBus, Source: "shop", DetailType: "Payment", Detail: JSON.stringify(body) },
    ];
    await events.send(new PutEventsCommand({ Entries }));
    await settled(world);
    expect((await decision("other-0000")).status).toBe(404);
  });
});

describe("POST /events", () => {
  it("says of each event what became of it, and takes those that fit", async () => {
    const [good, bad] = transactions("mixed", 2);
    const { status, answer } = await toApi([good ?? {}, { ...bad, amount: "1" }]);
    expect(status).toBe(202);
    expect(answer).toEqual({
      accepted: 1,
      refused: 1,
      unavailable: 0,
      events: [
        { status: "accepted", id: "mixed-0000" },
        { status: "refused", errors: [{ pointer: "/amount", detail: expect.stringContaining("number") }] },
      ],
    });
    await settled(world);
    expect((await decision("mixed-0000")).status).toBe(200);
    expect(await decision("mixed-0001")).toMatchObject({
      status: 404,
      answer: { type: "urn:risk-scoring:problem:unknown-decision" },
    });
  });

  it("refuses a request of which nothing fits, with every problem", async () => {
    const { status, answer } = await toApi([{}, { transaction_id: "t" }]);
    expect(status).toBe(400);
    expect(answer).toMatchObject({ type: "urn:risk-scoring:problem:invalid-input" });
    expect(answer.errors.map(({ pointer }: { pointer: string }) => pointer)).toContain("/events/1/amount");
  });
});

describe("what can't be scored", () => {
  it("goes back to the queue that it came by, from quarantine as well as from the dead letters", async () => {
    await toBus([{ transaction_id: "unfit" }]);
    await settled(world);
    const [record] = await until("a line of quarantine", async () => {
      const found = (await lines(world, "quarantine/fraud/")).filter(({ source }) => source === "eventbridge");
      return found.length > 0 && found;
    });
    expect(record).toMatchObject({ reason: "invalid", source_position: expect.stringMatching(/^eventbridge:[0-9a-f-]{36}$/) });

    const [dead] = transactions("dead", 1);
    const queue = target.names.queues.find(({ name }) => name.startsWith("fraud-events-dlq"));
    const MessageBody = JSON.stringify({ version: "0", id: "dead-1", "detail-type": "Payment", detail: dead });
    await sqs.send(new SendMessageCommand({ QueueUrl: String(queue?.url), MessageBody }));

    const summary = await redrive(target, {
      clock: REAL_TIME,
      selection: { sources: ["quarantine", "failures", "dlq"], reason: undefined, sinceMs: 0 },
      dryRun: false,
      waitMs: 20_000,
      runId: "run-1",
      progress: () => world.platform.services.lambda.flush(),
    });
    expect(summary).toMatchObject({ found: { invalid: 1 }, redriven: 1, pending: 0 });
    expect(summary.quarantined).toMatchObject([{ reason: "invalid", position: `${record?.source_position}/run-1` }]);
    expect(summary.queues.find(({ queue: name }) => name === queue?.name)).toMatchObject({ found: 1, redriven: 1 });
    await settled(world);
    expect(await archived("dead")).toMatchObject([{ source: "eventbridge", source_position: "eventbridge:dead-1" }]);
  });
});
