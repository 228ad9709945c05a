/** What was given up comes home: the cause is corrected, one redrive follows, and every event is in the warehouse once. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeleteItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { PutRecordBatchCommand } from "@aws-sdk/client-firehose";
import { PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { DescribeExecutionCommand, ListExecutionsCommand, SFNClient } from "@aws-sdk/client-sfn";
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { query, runLoaderUnlessBusy } from "../../cli/demo/tally";
import { REAL_TIME } from "../../cli/redrive/clock";
import { isClean, type RedriveOptions, redrive, type Summary } from "../../cli/redrive/run";
import { connectRedrive, type RedriveTarget } from "../../cli/redrive/target";
import { withConfig } from "../helpers/stack-file";
import { connection, lines, linkProject, rawRecords, settled, startWorld, transactions, until, type World } from "./support";

const DAY_MS = 86_400_000;

let world: World;
let target: RedriveTarget;
let sqs: SQSClient;
let projectDir: string;
beforeAll(async () => {
  projectDir = mkdtempSync(join(tmpdir(), "redrive-"));
  writeStack({ "risk:fraud.maxEventAgeDays": 30 });
  linkProject(projectDir);
  world = await startWorld({ projectDir });
  const { endpoint, credentials } = connection(world);
  target = await connectRedrive(world.platform.outputs, { endpoint, credentials });
  sqs = new SQSClient(connection(world));
}, 120_000);
afterAll(async () => {
  sqs?.destroy();
  target?.close();
  await world?.stop();
  rmSync(projectDir, { recursive: true, force: true });
});
afterEach(() => world.platform.faults.inject(0, []));
// Each test waits for functions, the loader and the outcome of a redrive.
vi.setConfig({ testTimeout: 90_000 });

/** The tests load themselves: a run of the schedule would come in between. */
const UNDISTURBED = { "risk:fraud.maxRetries": 0, "risk:warehouse.loadSchedule": "rate(59 minutes)" };

function writeStack(settings: Readonly<Record<string, unknown>>): void {
  writeFileSync(
    join(projectDir, "Pulumi.dev.yaml"),
    withConfig(readFileSync("Pulumi.dev.yaml", "utf8"), { ...UNDISTURBED, ...settings }),
  );
}

let runs = 0;
async function run(selection: Partial<RedriveOptions["selection"]>, options: Partial<RedriveOptions> = {}): Promise<Summary> {
  const summary = redrive(target, {
    clock: REAL_TIME,
    selection: { sources: ["quarantine", "failures", "dlq"], reason: undefined, sinceMs: 0, ...selection },
    dryRun: false,
    waitMs: 20_000,
    runId: `run-${++runs}`,
    progress: () => world.platform.services.lambda.flush(),
    ...options,
  });
  return summary;
}

async function put(bodies: readonly (object | string)[]): Promise<void> {
  const Records = bodies.map((body) => ({
    PartitionKey: "redrive",
    Data: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
  }));
  await world.clients.kinesis.send(new PutRecordsCommand({ StreamName: world.names.streamName, Records }));
  await settled(world);
}

const reasonsOf = async () => (await lines(world, "quarantine/fraud/")).map(({ reason }) => reason);

/** Loads until the events are there, and then once each: the loader's schedule may be at it at the same time. */
async function expectLoaded(prefix: string, expected: readonly string[]): Promise<void> {
  await settled(world);
  const sql = `select event_id from risk.risk_events where event_id like '${prefix}%' order by event_id`;
  const rows = await until(`${expected.length} events ${prefix}`, async () => {
    await runLoaderUnlessBusy(world.clients, world.names);
    const found = await query<{ event_id: string }>(world.clients, sql);
    return found.length >= expected.length && found;
  });
  expect(rows.map(({ event_id }) => event_id)).toEqual(expected);
}

const ids = (bodies: readonly { readonly transaction_id: string }[]) => bodies.map(({ transaction_id }) => transaction_id);

describe("quarantine", () => {
  const old = transactions("old", 5).map((body, index) => ({
    ...body,
    timestamp: new Date(Date.now() - (60 - index) * DAY_MS).toISOString(),
  }));

  it("is sent back once its cause is corrected, and then not again", async () => {
    await put(old);
    expect(await reasonsOf()).toEqual(old.map(() => "timestamp_out_of_range"));
    const counted = await run({ sources: ["quarantine"] }, { dryRun: true });
    expect(counted).toMatchObject({ found: { timestamp_out_of_range: 5 }, redriven: 0 });

    const still = await run({ sources: ["quarantine"], reason: ["timestamp_out_of_range"] });
    expect(still).toMatchObject({ redriven: 5, scored: 0, pending: 0 });
    expect(still.quarantined.map(({ reason }) => reason)).toEqual(old.map(() => "timestamp_out_of_range"));

    writeStack({ "risk:fraud.maxEventAgeDays": 7300 });
    await world.platform.reload();

    expect(await run({ sources: ["quarantine"], sinceMs: Date.now() + DAY_MS })).toMatchObject({ found: {}, redriven: 0 });
    expect(await run({ sources: ["quarantine"] })).toMatchObject({ redriven: 5, scored: 5, quarantined: [], pending: 0 });
    expect(await run({ sources: ["quarantine"] })).toMatchObject({ found: {}, redriven: 0 });
    await expectLoaded("old-", ids(old));
    const sql = "select source_position, raw_key from risk.quarantined_events where reason = 'timestamp_out_of_range'";
    const rows = await until("the lines of quarantine", async () => {
      await runLoaderUnlessBusy(world.clients, world.names);
      const found = await query<{ source_position: string; raw_key: string }>(world.clients, sql);
      return found.length >= 2 * old.length && found;
    });
    expect(rows).toHaveLength(2 * old.length);
    for (const { raw_key } of rows) expect(raw_key).toMatch(/^quarantine\/fraud\/dt=/);
  });

  it("of an event that breaks the code goes back once the code gets on with it", async () => {
    const [good, broken] = transactions("broken", 2, 2);
    if (good === undefined || broken === undefined) throw new Error("two transactions were asked for");
    const token = await tokenOf({ ...broken, transaction_id: "broken-first" });
    const TableName = String(world.platform.outputs.stateTable);
    const Item = { user_id: { S: token }, state: { S: "{" }, state_version: { N: "1" } };
    await world.clients.dynamodb.send(new PutItemCommand({ TableName, Item }));
    await put([broken]);
    expect(await reasonsOf()).toContain("processing_error");
    await world.clients.dynamodb.send(new DeleteItemCommand({ TableName, Key: { user_id: { S: token } } }));
    expect(await run({ sources: ["quarantine"], reason: ["processing_error"] })).toMatchObject({ redriven: 1, scored: 1 });
    await put([good]);
    await expectLoaded("broken-", ["broken-0000", "broken-0001", "broken-first"]);
  });

  it("keeps unreadable records byte for byte, and says why they fail again; an id of another event stays by default", async () => {
    const [first] = transactions("again", 1);
    const text = `{"transaction_id": "again-text", "note": "${"ü".repeat(40_000)}`;
    await put([first ?? {}, { ...first, amount: 99 }, text]);
    expect((await rawRecords(world)).map((record) => record.text)).toContain(text);
    const summary = await run({ sources: ["quarantine"] });
    expect(summary).toMatchObject({ redriven: 1, scored: 0, pending: 0 });
    expect(summary.quarantined).toMatchObject([
      { state: "quarantined", reason: expect.stringMatching(/^(not_json|too_large)$/) },
    ]);
    const conflict = await run({ sources: ["quarantine"], reason: ["duplicate_conflict"] });
    expect(conflict).toMatchObject({ redriven: 1, known: 0, quarantined: [{ reason: "duplicate_conflict" }] });
    await expectLoaded("again-", ["again-0000"]);
  });

  it("still has a summary when the stream ends a redrive early", async () => {
    await put(["no JSON"]);
    world.platform.faults.inject(1, [{ kind: "error", service: "kinesis", action: "PutRecords", probability: 1 }]);
    const summary = await run({ reason: ["not_json"] });
    world.platform.faults.inject(0, []);
    expect(summary).toMatchObject({ redriven: 0, stopped: [{ what: "quarantine", why: expect.stringMatching(/^\w+$/) }] });
    expect(summary.queues).toHaveLength(target.names.queues.length);
    expect(isClean(summary)).toBe(false);
  });

  /** Scores an event and looks up under which token its user is stored. */
  async function tokenOf(body: { readonly transaction_id: string }): Promise<string> {
    await put([body]);
    const line = (await lines(world, "archive/fraud/")).find(({ event_id }) => event_id === body.transaction_id);
    return String(line?.user_id);
  }
});

describe("the stream's failure destination", () => {
  it("holds whole batches, which are scored once the table is back", async () => {
    const bodies = transactions("failed", 3);
    world.platform.faults.inject(1, [{ kind: "error", service: "dynamodb", action: "PutItem", probability: 1 }]);
    await put(bodies);
    expect(await run({ sources: ["failures"] }, { dryRun: true })).toMatchObject({ found: { RetryAttemptsExhausted: 3 } });
    world.platform.faults.inject(0, []);
    expect(await run({ sources: ["failures"] })).toMatchObject({ redriven: 3, scored: 3, pending: 0 });
    expect(await run({ sources: ["failures"] })).toMatchObject({ redriven: 0 });
    await expectLoaded("failed-", ids(bodies));
  });
});

describe("a delivery stream", () => {
  const deliver = async (bodies: readonly object[]): Promise<void> => {
    const { deliveryStreamName = "" } = target.names;
    const Records = bodies.map((body) => ({ Data: Buffer.from(JSON.stringify(body)) }));
    const { FailedPutCount } = await target.firehose.send(
      new PutRecordBatchCommand({ DeliveryStreamName: deliveryStreamName, Records }),
    );
    expect(FailedPutCount).toBe(0);
  };

  it("brings each event to the warehouse once, also one that comes by the stream and as a duplicate as well", async () => {
    const bodies = transactions("delivered", 20);
    await put(bodies.slice(0, 5));
    await deliver([...bodies, ...bodies.slice(10)]);
    await put(bodies.slice(15));
    await expectLoaded("delivered-", ids(bodies).sort());
    const archived = await lines(world, "archive/fraud/");
    const delivered = archived.filter(
      ({ source, event_id }) => source === "firehose" && String(event_id).startsWith("delivered-"),
    );
    expect(new Set(delivered.map(({ event_id }) => event_id)).size).toBeGreaterThanOrEqual(10);
  });

  it("keeps what could not be scored, until a redrive brings it to the warehouse", async () => {
    const bodies = transactions("given-up", 3);
    world.platform.faults.inject(1, [{ kind: "error", service: "dynamodb", action: "PutItem", probability: 1 }]);
    await deliver(bodies);
    const dryRun = () => run({ sources: ["failures"] }, { dryRun: true });
    await until("3 records given up", async () => (await dryRun()).found["Lambda.FunctionError"] === 3);
    world.platform.faults.inject(0, []);
    expect(await run({ sources: ["failures"] })).toMatchObject({ redriven: 3, scored: 3, pending: 0 });
    expect(await run({ sources: ["failures"] })).toMatchObject({ redriven: 0 });
    await expectLoaded("given-up-", ids(bodies).sort());
  });
});

describe("dead-letter queues", () => {
  const queueNamed = (part: string) => {
    const found = target.names.queues.find(({ name }) => name.includes(part));
    if (found === undefined) throw new Error(`no queue ${part}`);
    return found;
  };
  const send = (part: string, MessageBody: string) =>
    sqs.send(new SendMessageCommand({ QueueUrl: queueNamed(part).url, MessageBody }));
  /** As EventBridge keeps an event that a target did not take. */
  function undeliver(part: string, rule: string, body: string, texts: Readonly<Record<string, string>>): void {
    const account = "arn:aws:sqs:us-east-1:000000000000";
    const attributes = Object.fromEntries(
      Object.entries(texts).map(([name, StringValue]) => [name, { DataType: "String", StringValue } as const]),
    );
    const sender = { servicePrincipal: "events.amazonaws.com", sourceArn: rule, attributes };
    world.platform.services.sqs.deliver(`${account}:${queueNamed(part).name}`, body, sender);
  }
  const archiveArn = () => String(Object(queueNamed("scoring-archive-dlq").back).arn);
  const tallyOf = ({ queues }: Summary, part: string) => queues.find(({ queue }) => queue.includes(part));

  async function visible(part: string): Promise<number> {
    const AttributeNames = ["ApproximateNumberOfMessages"] as const;
    const QueueUrl = queueNamed(part).url;
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] }));
    return Number(Attributes?.ApproximateNumberOfMessages);
  }

  /** A score as the bus carries it. */
  async function envelope(id: string): Promise<string> {
    const [line] = await lines(world, "archive/fraud/");
    const record = { ...line, event_id: id };
    const event = { id: `event-${id}`, source: "lead.scoring", "detail-type": "Lead Scored", time: new Date().toISOString() };
    return JSON.stringify({ ...event, detail: { record } });
  }

  it("give every message back to what did not take it, and each score arrives once", async () => {
    await send("scoring-archive-dlq", await envelope("dlq-1"));
    await send("scoring-archive-dlq", await envelope("dlq-1"));
    const rule = `arn:aws:events:us-east-1:000000000000:rule/${world.names.eventBusName}/rule`;
    const denial = { TARGET_ARN: archiveArn(), ERROR_CODE: "NO_PERMISSIONS" };
    undeliver("scores-undelivered", rule, await envelope("dlq-2"), denial);
    const topic = { TARGET_ARN: "arn:aws:sns:us-east-1:000000000000:topic", ERROR_CODE: "SDK_CLIENT_ERROR" };
    undeliver("scores-undelivered", rule, await envelope("dlq-3"), topic);
    await send("warehouse-failed-loads", "{}");
    await send("warehouse-load-dlq", "no notification");

    const counted = await run({ sources: ["dlq"] }, { dryRun: true });
    expect(tallyOf(counted, "scoring-archive-dlq")).toMatchObject({ found: 2, redriven: 0 });
    expect(await visible("scoring-archive-dlq")).toBe(2);

    const denied = await run({ sources: ["dlq"], reason: ["NO_PERMISSIONS"] }, { waitMs: 1_000 });
    expect(denied.queues.filter(({ found }) => found > 0)).toMatchObject([{ found: 1, redriven: 1 }]);
    const rest = await run({ sources: ["dlq"] }, { waitMs: 1_000 });
    expect(rest.queues.map(({ failed }) => failed)).toEqual(rest.queues.map(() => ({})));
    expect(rest.queues.reduce((sum, { redriven }) => sum + redriven, 0)).toBe(5);
    for (const { queue } of rest.queues) expect([queue, await visible(queue)]).toEqual([queue, 0]);
    await expectLoaded("dlq-", ["dlq-1", "dlq-2", "dlq-3"]);
  });

  it("say which messages the archiver quarantines again, whether they come from a queue or from quarantine", async () => {
    await send("scoring-archive-dlq", "no envelope");
    const invalid = { state: "quarantined", reason: "invalid_envelope", position: expect.stringMatching(/^rest:/) };
    const fromQueue = await run({ sources: ["dlq"] });
    expect(fromQueue).toMatchObject({ quarantined: [invalid], pending: 0 });
    const fromQuarantine = await run({ sources: ["quarantine"], reason: ["invalid_envelope"] });
    expect(fromQuarantine).toMatchObject({ returned: 1, quarantined: [invalid], pending: 0 });
    expect(fromQuarantine.quarantined[0]?.before).toBe(fromQueue.quarantined[0]?.position);
    expect([fromQueue, fromQuarantine].map(isClean)).toEqual([false, false]);
  });

  it("keep what still can't be sent back, with the reason", async () => {
    await send("warehouse-failed-loads", "{}");
    const loader = queueNamed("warehouse-failed-loads");
    world.platform.faults.inject(1, [{ kind: "error", service: "lambda", action: "Invoke", probability: 1 }]);
    const summary = await run({ sources: ["dlq"] });
    world.platform.faults.inject(0, []);
    const [[why, count] = []] = Object.entries(tallyOf(summary, loader.name)?.failed ?? {});
    expect([why, count]).toEqual([expect.stringMatching(/\w/), 1]);
    expect(await visible(loader.name)).toBe(1);
    expect(tallyOf(await run({ sources: ["dlq"] }), loader.name)).toMatchObject({ redriven: 1, failed: {} });
  });

  it("start an execution that could not be started, once, with the input that its rule gives it", async () => {
    const promotion = String(world.platform.outputs.promotionMachineArn);
    const event = {
      id: "approval-1",
      source: "aws.sagemaker",
      detail: { ModelPackageArn: "arn:aws:sagemaker:us-east-1:0:model-package/g/1" },
    };
    const [started] = world.platform.graph.resources.filter(({ name }) => name.startsWith("training-start-approved"));
    const rule = String(started?.state.arn);
    const texts = { RULE_ARN: rule, TARGET_ARN: promotion };
    undeliver("training-start", rule, JSON.stringify(event), texts);
    undeliver("training-start", rule, JSON.stringify(event), texts);
    expect(tallyOf(await run({ sources: ["dlq"] }), "training-start")).toMatchObject({ found: 2, redriven: 2, failed: {} });
    const sfn = new SFNClient(connection(world));
    const { executions = [] } = await sfn.send(new ListExecutionsCommand({ stateMachineArn: promotion }));
    const { input } = await sfn.send(new DescribeExecutionCommand({ executionArn: executions[0]?.executionArn }));
    sfn.destroy();
    expect(executions).toHaveLength(1);
    expect(JSON.parse(input ?? "")).toEqual({ modelPackageArn: event.detail.ModelPackageArn });
  });

  it("keep what is no event, and say so without quoting it", async () => {
    await send("scores-undelivered", "nojson SECRETPII");
    await send("training-start", "{}");
    const summary = await run({ sources: ["dlq"] });
    expect(tallyOf(summary, "scores-undelivered")?.failed).toEqual({ "The message is not JSON.": 1 });
    expect(Object.keys(tallyOf(summary, "training-start")?.failed ?? {})).toEqual([
      "The message has no attribute RULE_ARN, so EventBridge did not put it here.",
    ]);
    expect(JSON.stringify(summary)).not.toContain("SECRET");
  });
});

it("reads raw records with its own role and puts them nowhere else", async () => {
  const [object] = (await rawRecords(world)).slice(0, 1);
  expect(object).toBeDefined();
  const denied = new GetObjectCommand({ Bucket: world.names.dataBucket, Key: "archive/any" });
  await expect(target.s3.send(denied)).rejects.toMatchObject({ name: "AccessDenied" });
});
