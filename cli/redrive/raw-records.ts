/** The raw bucket: quarantined records, batches that Lambda gave up, and notes of what has been redriven. */
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { KinesisStreamEvent } from "aws-lambda";
import { unpackLines } from "../../functions/shared/ndjson";
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
  readonly key: string;
  readonly modifiedMs: number;
}

export class RawStore {
  constructor(
    private readonly s3: S3Client,
    private readonly bucket: string,
  ) {}

  objects(folder: keyof typeof FOLDERS): Promise<readonly RawObject[]> {
    return this.list(FOLDERS[folder]);
  }

  /** The records of an object that have not been redriven. */
  async records({ key, modifiedMs }: RawObject): Promise<readonly RawRecord[]> {
    const body = await this.read(key);
    const records = key.startsWith(FOLDERS.quarantine) ? quarantined(key, body) : failedBatch(key, body, modifiedMs);
    const notes = await this.list(`${REDRIVEN}${key}/`);
    const lines = await Promise.all(
      notes.map(async (note) => (parseUnquoted((await this.read(note.key)).toString(), note.key) as Note).lines),
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

  private async list(prefix: string): Promise<RawObject[]> {
    const found: RawObject[] = [];
    let token: string | undefined;
    do {
      const page = await this.s3.send(
        new ListObjectsV2Command({ Bucket: this.bucket, Prefix: prefix, ...(token ? { ContinuationToken: token } : {}) }),
      );
      for (const { Key, LastModified } of page.Contents ?? [])
        found.push({ key: Key ?? "", modifiedMs: LastModified?.getTime() ?? 0 });
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return found;
  }

  private async read(key: string): Promise<Buffer> {
    const { Body } = await this.s3.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }
}

interface Note {
  /** From 0. */
  readonly lines: readonly number[];
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
