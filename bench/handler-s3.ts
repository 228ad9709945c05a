/**
 * `handler.s3`: a CSV file of 40,000 rows in the columns of PaySim through the function for files, from S3's notification to the result, with
 * the readers, the detection and the mapping that it has on AWS; only `send` of the SDK clients and the file's bytes are stubbed.
 */
import type { SQSEvent, SQSRecord } from "aws-lambda";
import { buildValidators } from "../build/validators";
import type { FileResult } from "../functions/stream-files/types";
import type { Bench } from "./types";

const ROWS = 40_000;
const ROUNDS = 7;
const CHUNK = 8 * 1024 * 1024;

const HEADER =
  "step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,newbalanceDest,isFraud,isFlaggedFraud";

function paysim(round: number): Buffer {
  const rows = Array.from({ length: ROWS }, (_, index) => {
    const amount = (((index * 7919) % 100_000) / 100).toFixed(2);
    const step = 1 + Math.floor((index * 700) / ROWS);
    return `${step},PAYMENT,${amount},C${(index * 7 + round) % 20_000},${amount},0.0,M${index % 500},0.0,0.0,0,0`;
  });
  return Buffer.from([HEADER, ...rows].join("\n"));
}

function notification(key: string, size: number): SQSEvent {
  const s3 = { bucket: { name: "bench" }, object: { key, size, eTag: "etag", versionId: key } };
  const body = JSON.stringify({ Records: [{ eventName: "ObjectCreated:Put", s3 }] });
  // The handler reads no more of a message.
  return { Records: [{ messageId: key, body } as SQSRecord] };
}

async function* chunksOf(bytes: Buffer, offset: number): AsyncGenerator<Uint8Array> {
  for (let at = offset; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
}

async function run(): Promise<Awaited<ReturnType<Bench["run"]>>> {
  buildValidators();
  process.env.AWS_REGION ??= "us-east-1";
  const { createBenchScorer } = await import("./stream-stubs.js");
  const { createRecordScorer } = await import("../functions/stream/score-records.js");
  const { createFileHandler } = await import("../functions/stream-files/handler.js");
  const { args } = createBenchScorer(() => {});
  const results: FileResult[] = [];
  let file: Buffer = Buffer.alloc(0);
  const handler = createFileHandler({
    ...args,
    score: createRecordScorer(args),
    files: { facts: async () => ({ modifiedAtMs: Date.now(), metadata: {} }), bytes: (_, offset) => chunksOf(file, offset) },
    journal: { checkpoint: async () => null, writeCheckpoint: async () => {}, writeResult: async () => {} },
    continuation: { send: async () => {} },
    announcements: { publish: async (result) => void results.push(result) },
    rowsPerBatch: 1000,
    reserveMs: 1000,
    checkpointEveryMs: 30_000,
  });
  const context = { awsRequestId: "bench", getRemainingTimeInMillis: () => 900_000 };
  const seconds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    file = paysim(round);
    const start = performance.now();
    await handler(notification(`incoming/${round}.csv`, file.length), context);
    seconds.push((performance.now() - start) / 1000);
    if (results.at(-1)?.scored !== ROWS) throw new Error("The benchmark's file was not scored; run the tests of stream-files.");
  }
  // The first round warms up.
  const median = seconds.slice(1).sort((a, b) => a - b)[Math.floor((ROUNDS - 1) / 2)] ?? Number.NaN;
  const megabytes = file.length / 1e6;
  return {
    ours: ROWS / median,
    peers: {},
    note: `median of ${ROUNDS - 1} files of ${ROWS} rows (${megabytes.toFixed(1)} MB): ${(megabytes / median).toFixed(1)} MB/s; SDK clients stubbed at send`,
  };
}

export const bench: Bench = { id: "handler.s3", unit: "records/s", better: "higher", requirements: [{ atLeast: 1000 }], run };
