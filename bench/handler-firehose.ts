/**
 * `handler.firehose`: the batches of `handler.stream` as a delivery stream hands them to its transformation, with the same stubs. The answer
 * holds the archive lines, so nothing is compressed or put; what it has no room for is archived as a stream's batch is.
 */
import type { FirehoseTransformationEvent, KinesisStreamEvent } from "aws-lambda";
import { buildValidators } from "../build/validators";
import { batch, RECORDS, seeded, TRAFFIC } from "./stream-batches";
import type { Bench } from "./types";

const ROUNDS = 60;
const WARM_UP = 30;
/** Records of one invocation: 0.2 MB, the processor's smallest buffer, of such transactions. */
const PER_INVOCATION = 500;

const deliveriesOf = ({ Records }: KinesisStreamEvent): FirehoseTransformationEvent[] =>
  Array.from({ length: RECORDS / PER_INVOCATION }, (_, index) => ({
    invocationId: `bench-${index}`,
    deliveryStreamArn: "arn:aws:firehose:us-east-1:000000000000:deliverystream/bench",
    region: "us-east-1",
    records: Records.slice(index * PER_INVOCATION, (index + 1) * PER_INVOCATION).map(({ kinesis }) => ({
      recordId: kinesis.sequenceNumber,
      approximateArrivalTimestamp: kinesis.approximateArrivalTimestamp * 1000,
      data: kinesis.data,
    })),
  }));

async function run(): Promise<Awaited<ReturnType<Bench["run"]>>> {
  buildValidators();
  process.env.AWS_REGION ??= "us-east-1";
  const { createBenchHandler } = await import("./stream-stubs.js");
  const { firehose } = createBenchHandler(() => undefined);
  const context = { awsRequestId: "bench", getRemainingTimeInMillis: () => 60_000 };
  const random = seeded(1);
  const times: number[] = [];
  let answerBytes = 0;
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const deliveries = deliveriesOf(batch(round, random, TRAFFIC.ordinary));
    const start = performance.now();
    for (const delivery of deliveries) {
      const { records } = await firehose(delivery, context);
      if (records.some(({ result }) => result !== "Ok")) throw new Error("The benchmark's batch failed; run the Firehose tests.");
      answerBytes = Math.max(
        answerBytes,
        records.reduce((sum, { data = "" }) => sum + data.length, 0),
      );
    }
    if (round >= WARM_UP) times.push(performance.now() - start);
  }
  const median = times.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
  return {
    ours: RECORDS / (median / 1000),
    peers: {},
    note: `median of ${ROUNDS} times ${RECORDS} records in invocations of ${PER_INVOCATION}, SDK clients stubbed at send; lines of an answer: at most ${(answerBytes / 1e6).toFixed(1)} MB`,
  };
}

export const bench: Bench = { id: "handler.firehose", unit: "records/s", better: "higher", run };
