/** The raw bucket: quarantined records, batches that Lambda gave up, and notes of what has been redriven. Beside it, what a delivery stream gave up. */
import { gunzipSync } from "node:zlib";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { KinesisStreamEvent } from "aws-lambda";
import { unpackLines } from "../../functions/shared/ndjson";
import { FAILED_DELIVERIES } from "../../functions/shared/object-keys";
import type { RawLine } from "../../functions/shared/quarantine";
import { parseUnquoted } from "./failure";

/** One record of the raw bucket. */
export interface RawRecord {
  readonly key: string;
  /** From 0. */
  readonly line: number;
  readonly position: string;
  readonly source: RawLine["source"];
  readonly partitionKey: string;
  readonly reason: string;
  readonly arrivedAtMs: number;
  readonly data: Uint8Array;
}

const FOLDERS = { quarantine: "quarantine/", failures: "aws/lambda/" } as const;
const REDRIVEN = "redriven/";
/** Of whatever has no key of its own; any will do. */
const NO_KEY = "redrive";

export interface RawObject {
  readonly bucket: string;
  readonly key: string;
  readonly modifiedMs: number;
}

export class RawStore {
  constructor(
    private readonly s3: S3Client,
    private readonly bucket: string,
    /** Of what a delivery stream gave up; undefined without one. */
    private readonly deliveriesBucket?: string,
  ) {}

  async objects(folder: keyof typeof FOLDERS): Promise<readonly RawObject[]> {
    const found = await this.list(this.bucket, FOLDERS[folder]);
    if (folder === "quarantine" || this.deliveriesBucket === undefined) return found;
    return [...found, ...(await this.list(this.deliveriesBucket, FAILED_DELIVERIES))];
  }

  /** The records of an object that have not been redriven. */
  async records({ bucket, key, modifiedMs }: RawObject): Promise<readonly RawRecord[]> {
    const body = await this.read(bucket, key);
    const records = recordsIn(key, body, modifiedMs);
    const notes = await this.list(this.bucket, `${REDRIVEN}${key}/`);
    const lines = await Promise.all(
      notes.map(async (note) => (parseUnquoted((await this.read(this.bucket, note.key)).toString(), note.key) as Note).lines),
    );
    const done = new Set(lines.flat());
    return records.filter(({ line }) => !done.has(line));
  }

  /** Notes that records of one object have been redriven; they are not offered again. */
  async noteRedriven(key: string, records: readonly RawRecord[], runId: string): Promise<void> {
    const note: Note = { lines: records.map(({ line }) => line) };
    const Key = `${REDRIVEN}${key}/${runId}.json`;
    await this.s3.send(new PutObjectCommand({ Bucket: this.bucket, Key, Body: JSON.stringify(note) }));
  }

  private async list(bucket: string, prefix: string): Promise<RawObject[]> {
    const found: RawObject[] = [];
    let token: string | undefined;
    do {
      const page = await this.s3.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...(token ? { ContinuationToken: token } : {}) }),
      );
      for (const { Key, LastModified } of page.Contents ?? [])
        found.push({ bucket, key: Key ?? "", modifiedMs: LastModified?.getTime() ?? 0 });
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return found;
  }

  private async read(bucket: string, key: string): Promise<Buffer> {
    const { Body } = await this.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }
}

interface Note {
  /** From 0. */
  readonly lines: readonly number[];
}

function recordsIn(key: string, body: Buffer, modifiedMs: number): RawRecord[] {
  if (key.startsWith(FOLDERS.quarantine)) return quarantined(key, body);
  return key.startsWith(FAILED_DELIVERIES) ? failedDeliveries(key, body) : failedBatch(key, body, modifiedMs);
}

function quarantined(key: string, body: Buffer): RawRecord[] {
  return unpackLines(key, body).map((text, line) => {
    const { position, source, partition_key, arrived_at, reason, data } = parseUnquoted(
      text,
      `Line ${line + 1} of ${key}`,
    ) as RawLine;
    return {
      key,
      line,
      position,
      source,
      partitionKey: partition_key ?? NO_KEY,
      reason,
      arrivedAtMs: Date.parse(arrived_at),
      data: Buffer.from(data, "base64"),
    };
  });
}

/** Lambda keeps the invocation's whole event in `payload`, as text: "Retain discarded batch records for a Kinesis event source". */
interface FailedBatch {
  readonly requestContext?: { readonly condition?: string };
  readonly payload: string;
}

function failedBatch(key: string, body: Buffer, modifiedMs: number): RawRecord[] {
  const { requestContext, payload } = parseUnquoted(body.toString(), key) as FailedBatch;
  const { Records } = parseUnquoted(payload, `The payload of ${key}`) as KinesisStreamEvent;
  return Records.map(({ eventID, kinesis }, line) => ({
    key,
    line,
    position: eventID,
    source: "kinesis",
    partitionKey: kinesis.partitionKey,
    reason: requestContext?.condition ?? "Unknown",
    // When Lambda gave it up: that is what an incident has a time for.
    arrivedAtMs: modifiedMs,
    data: Buffer.from(kinesis.data, "base64"),
  }));
}

/** One line of "Handle failure in data transformation", Data Firehose Developer Guide. */
interface FailedDelivery {
  readonly errorCode: string;
  readonly attemptEndingTimestamp: number | string;
  readonly rawData: string;
}

const GZIP_MAGIC = 0x1f;

function failedDeliveries(key: string, body: Buffer): RawRecord[] {
  // Whether Firehose compresses errors as it does data isn't documented.
  const text = (body[0] === GZIP_MAGIC ? gunzipSync(body) : body).toString();
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((one, line) => {
    const { errorCode, attemptEndingTimestamp, rawData } = parseUnquoted(one, `Line ${line + 1} of ${key}`) as FailedDelivery;
    return {
      key,
      line,
      position: `${key}:${line + 1}`,
      source: "firehose",
      partitionKey: NO_KEY,
      reason: errorCode,
      arrivedAtMs: Number(attemptEndingTimestamp),
      data: Buffer.from(rawData, "base64"),
    };
  });
}
