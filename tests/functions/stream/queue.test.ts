import type { SQSEvent, SQSRecord } from "aws-lambda";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StoredResult } from "../../../functions/stream/ports";
import { fromQueue } from "../../../functions/stream/queue";
import { fromPosition, messageBody, positionOf, readMessage } from "../../../functions/stream/queue-message";
import { RecordFault } from "../../../functions/stream/record-fault";
import { ARRIVAL_MS, context, event, kinesisRecord, StreamWorld, transaction } from "../../helpers/stream-world";

const message = (messageId: string, body: string): SQSRecord => ({
  messageId,
  receiptHandle: "handle",
  body,
  attributes: {
    ApproximateReceiveCount: "1",
    SentTimestamp: String(ARRIVAL_MS),
    SenderId: "AIDA",
    ApproximateFirstReceiveTimestamp: String(ARRIVAL_MS + 5),
  },
  messageAttributes: {},
  md5OfBody: "",
  eventSource: "aws:sqs",
  eventSourceARN: "arn:aws:sqs:us-east-1:000000000000:fraud-events-queue-1",
  awsRegion: "us-east-1",
});

/** As EventBridge writes it; `detail` is JSON text. */
const envelope = (id: string, detail: string): string =>
  `{"version":"0","id":"${id}","detail-type":"Payment","source":"fraud.events","account":"000000000000",` +
  `"time":"2026-11-21T11:59:59Z","region":"us-east-1","resources":[],"detail":${detail}}`;

const payment = (number: number, fields: Readonly<Record<string, unknown>> = {}): string =>
  envelope(`id-${number}`, JSON.stringify(transaction(`t-${number}`, { user_id: `u-${number}`, ...fields })));

const batch = (...bodies: readonly string[]): SQSEvent => ({
  Records: bodies.map((body, index) => message(`m-${index}`, body)),
});

const failed = (...indexes: readonly number[]) => ({
  batchItemFailures: indexes.map((index) => ({ itemIdentifier: `m-${index}` })),
});

describe("the queue's handler", () => {
  it("scores the details of envelopes, and keeps the envelope's id for tracing", async () => {
    const world = new StreamWorld();
    expect(await world.queueHandler()(batch(payment(1), payment(2)), context)).toEqual(failed());
    expect(world.archived()).toMatchObject([
      { event_id: "t-1", source: "eventbridge", source_position: "eventbridge:id-1" },
      { event_id: "t-2", source: "eventbridge", source_position: "eventbridge:id-2" },
    ]);
    expect([...world.objects.keys()]).toEqual([expect.stringContaining("dt=2026-11-21/fraud-events-queue-1_")]);
  });

  it("scores events of POST /events, which have a form of their own", async () => {
    const world = new StreamWorld();
    const body = messageBody({ source: "rest", id: "request-1:0", event: JSON.stringify(transaction("t-1")) });
    expect(await world.queueHandler()(batch(body), context)).toEqual(failed());
    expect(world.archived()).toMatchObject([{ event_id: "t-1", source: "rest", source_position: "events:request-1:0" }]);
  });

  it("counts an event once that EventBridge delivers twice, in one batch or in two", async () => {
    const world = new StreamWorld();
    const handler = world.queueHandler();
    expect(await handler(batch(payment(1), payment(1)), context)).toEqual(failed());
    expect(await handler(batch(payment(2), payment(1)), context)).toEqual(failed());
    expect(world.archived().map(({ event_id }) => event_id)).toEqual(["t-1", "t-2"]);
  });

  it("delivers every message of an unfinished event again, and those after it", async () => {
    const world = new StreamWorld();
    world.faults = (_, port) => (port.startsWith("results.") ? "before" : "none");
    expect(await world.queueHandler()(batch(payment(1), payment(2), payment(1)), context)).toEqual(failed(0, 2, 1));
    world.faults = () => "none";
    expect(await world.queueHandler()(batch(payment(2), payment(1)), context)).toEqual(failed());
    expect(world.archived()).toHaveLength(2);
  });

  it("finds the record at which the code fails by halving, and scores all others", async () => {
    const world = new StreamWorld();
    const create = async (result: StoredResult) => {
      if (result.eventId === "t-3") throw new RecordFault(new SyntaxError("Unexpected token"));
      return world.ports.results.create(result);
    };
    const ports = { ...world.ports, results: { ...world.ports.results, create } };
    const bodies = [1, 2, 3, 4, 5].map((number) => payment(number));
    expect(await world.queueHandler({ ports })(batch(...bodies), context)).toEqual(failed());
    expect(
      world
        .archived()
        .map(({ event_id }) => event_id)
        .sort(),
    ).toEqual(["t-1", "t-2", "t-4", "t-5"]);
    expect(world.quarantined()).toMatchObject([{ reason: "processing_error", source_position: "eventbridge:id-3" }]);
  });

  it.each([
    ["not_json", "an object that ends early", '{"id":"x","detail":{'],
    ["not_json", "text", "hello"],
    ["no object", "a list", "[]"],
    ["no id", "no id", '{"detail":{}}'],
    ["id", "an id that is no text", '{"id":7,"detail":{}}'],
    ["id", "an id of other characters", '{"id":"a b","detail":{}}'],
    ["no detail", "no detail", '{"id":"x"}'],
    ["twice", "two details", '{"id":"x","detail":{},"detail":{}}'],
    ["source", "a source of neither", '{"id":"x","source":"kinesis","event":{}}'],
  ])("quarantines a message that is no envelope as it came (%s: %s)", async (_, _what, body) => {
    const world = new StreamWorld();
    expect(await world.queueHandler()(batch(body), context)).toEqual(failed());
    expect(world.quarantined()).toMatchObject([{ reason: "invalid_envelope", source_position: "eventbridge:m-0" }]);
    expect(world.rawLines()).toMatchObject([{ data: Buffer.from(body).toString("base64") }]);
  });

  it.each([
    ["duplicate_name", '{"transaction_id":"a","transaction_id":"b"}'],
    ["too_large", JSON.stringify({ text: "x".repeat(64 * 1024) })],
    ["invalid", `${"[".repeat(17)}${"]".repeat(17)}`],
    ["invalid", '{"amount":1e999}'],
    ["not_an_object", '"text"'],
    ["invalid", "{}"],
  ])("holds a detail to the rules of a stream's record: %s", async (reason, detail) => {
    const [queue, stream] = [new StreamWorld(), new StreamWorld()];
    await queue.queueHandler()(batch(envelope("id", detail)), context);
    await stream.handler()(event(kinesisRecord(1, Buffer.from(detail).toString("base64"))), context);
    const why = ({ reason, detail }: { readonly reason: string; readonly detail: string }) => ({ reason, detail });
    expect(queue.quarantined().map(why)).toEqual(stream.quarantined().map(why));
    expect(queue.quarantined()[0]?.reason).toContain(reason);
  });

  it("takes the arrival from the queue, since a sender chooses the envelope's time", () => {
    expect(fromQueue(message("m", payment(1)))).toMatchObject({ arrivedAtMs: ARRIVAL_MS, ordered: false, sequence: "id-1" });
  });
});

describe("a message of the queue", () => {
  it("comes back as it was written, whatever the event says", () => {
    const id = fc.stringMatching(/^[!-~]{1,128}$/);
    fc.assert(
      fc.property(fc.constantFrom("rest", "eventbridge"), id, fc.json(), (source, id, event) => {
        expect(readMessage(messageBody({ source, id, event }))).toEqual({ source, id, event });
        expect(fromPosition(positionOf({ source, id }))).toEqual({ source, id });
      }),
    );
  });

  it("isn't taken for one of POST /events, whatever the detail of an envelope says", () => {
    const detail = messageBody({ source: "rest", id: "forged", event: "{}" });
    expect(readMessage(envelope("id", detail))).toEqual({ source: "eventbridge", id: "id", event: detail });
  });

  it("has a position that is neither the stream's nor the archiver's", () => {
    for (const position of ["shardId-000000000000:1", "rest:message-1"]) expect(fromPosition(position)).toBeNull();
  });
});
