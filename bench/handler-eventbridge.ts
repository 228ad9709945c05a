/**
 * `handler.eventbridge`: the ordinary traffic of `handler.stream` as 1,000 messages of the event queue, each with EventBridge's envelope,
 * through the queue's handler. Both handlers take turns, so that the note can say how much the envelopes cost.
 */
import type { KinesisStreamEvent, SQSEvent } from "aws-lambda";
import { buildValidators } from "../build/validators";
import { createQueueHandler } from "../functions/stream/queue";
import { batch, RECORDS, seeded, TRAFFIC } from "./stream-batches";
import type { Bench } from "./types";

const ROUNDS = 60;
const WARM_UP = 30;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** The same transactions as events of a bus. */
function queued({ Records }: KinesisStreamEvent): SQSEvent {
  return {
    Records: Records.map(({ kinesis }) => {
      const { sequenceNumber: id, approximateArrivalTimestamp: seconds, data } = kinesis;
      const time = new Date(seconds * 1000).toISOString();
      const detail = Buffer.from(data, "base64").toString();
      return {
        messageId: id,
        receiptHandle: id,
        body:
          `{"version":"0","id":"${id}","detail-type":"Payment","source":"fraud.events","account":"000000000000",` +
          `"time":"${time}","region":"us-east-1","resources":[],"detail":${detail}}`,
        attributes: {
          ApproximateReceiveCount: "1",
          SentTimestamp: String(seconds * 1000),
          SenderId: "bench",
          ApproximateFirstReceiveTimestamp: String(seconds * 1000),
        },
        messageAttributes: {},
        md5OfBody: "",
        eventSource: "aws:sqs",
        eventSourceARN: "arn:aws:sqs:us-east-1:000000000000:bench",
        awsRegion: "us-east-1",
      };
    }),
  };
}

async function run(): Promise<Awaited<ReturnType<Bench["run"]>>> {
  buildValidators();
  process.env.AWS_REGION ??= "us-east-1";
  const { createBenchHandler, createBenchScorer } = await import("./stream-stubs.js");
  const [queue, stream] = [createQueueHandler(createBenchScorer(() => {}).args), createBenchHandler(() => {}).handler];
  const times = { queue: [] as number[], stream: [] as number[] };
  const random = seeded(1);
  const context = { awsRequestId: "bench", getRemainingTimeInMillis: () => 60_000 };
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const records = batch(round, random, TRAFFIC.ordinary);
    const messages = queued(records);
    const started = performance.now();
    const { batchItemFailures } = await queue(messages, context);
    const between = performance.now();
    await stream(records, context);
    if (batchItemFailures.length > 0) throw new Error("The benchmark's batch failed; run the tests of the queue.");
    if (round < WARM_UP) continue;
    times.queue.push(between - started);
    times.stream.push(performance.now() - between);
  }
  const rate = (all: readonly number[]): number => RECORDS / (median(all) / 1000);
  return {
    ours: rate(times.queue),
    peers: {},
    note: `medians of ${ROUNDS} batches of ${RECORDS} messages, SDK clients stubbed at send; the stream's handler in turn: ${Math.round(rate(times.stream))} records/s`,
  };
}

export const bench: Bench = { id: "handler.eventbridge", unit: "records/s", better: "higher", run };
