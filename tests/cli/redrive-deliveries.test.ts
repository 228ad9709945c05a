/** What a delivery stream gave up, and how it goes back. */
import { gzipSync } from "node:zlib";
import { FirehoseClient, type PutRecordBatchCommandInput } from "@aws-sdk/client-firehose";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { deliverRecords } from "../../cli/redrive/deliver-records";
import type { Put } from "../../cli/redrive/put-records";
import { type RawRecord, RawStore } from "../../cli/redrive/raw-records";

const KEY = "failed/processing-failed/dt=2026-11-21/fraud-1-2026-11-21-12-00-00-x";
const line = (data: string) =>
  JSON.stringify({
    attemptsMade: 4,
    arrivalTimestamp: 1_000,
    errorCode: "Lambda.FunctionError",
    errorMessage: "",
    attemptEndingTimestamp: 2_000,
    rawData: Buffer.from(data).toString("base64"),
    lambdaArn: "",
  });

/** A raw bucket and a data bucket in memory. */
function storeWith(body: Buffer, deliveriesBucket?: string): RawStore {
  const objects = new Map([[`data/${KEY}`, body]]);
  const send = async (command: unknown): Promise<unknown> => {
    if (command instanceof ListObjectsV2Command) {
      const { Bucket, Prefix = "" } = command.input;
      const keys = [...objects.keys()].filter((key) => key.startsWith(`${Bucket}/${Prefix}`));
      return { Contents: keys.map((key) => ({ Key: key.slice(`${Bucket}/`.length), LastModified: new Date(3_000) })) };
    }
    if (command instanceof PutObjectCommand)
      objects.set(`${command.input.Bucket}/${command.input.Key}`, Buffer.from(String(command.input.Body)));
    if (command instanceof GetObjectCommand) {
      const found = objects.get(`${command.input.Bucket}/${command.input.Key}`);
      return { Body: { transformToByteArray: async () => found } };
    }
    return {};
  };
  return new RawStore(Object.assign(new S3Client({ region: "us-east-1" }), { send }), "raw", deliveriesBucket);
}

describe("records that a delivery stream gave up", () => {
  it("are found beside the failed batches, compressed or not, and offered until they are noted as redriven", async () => {
    const text = `${line("one")}\n${line("two")}\n`;
    for (const body of [Buffer.from(text), gzipSync(text)]) {
      const store = storeWith(body, "data");
      const [object] = await store.objects("failures");
      if (object === undefined) throw new Error("no object");
      expect(object).toMatchObject({ bucket: "data", key: KEY });
      const records = await store.records(object);
      expect(records).toMatchObject([
        { source: "firehose", position: `${KEY}:1`, reason: "Lambda.FunctionError", arrivedAtMs: 2_000 },
        { position: `${KEY}:2` },
      ]);
      expect(records.map(({ data }) => Buffer.from(data).toString())).toEqual(["one", "two"]);
      await store.noteRedriven(KEY, records.slice(0, 1), "run");
      expect((await store.records(object)).map(({ line: index }) => index)).toEqual([1]);
      expect(await store.objects("quarantine")).toEqual([]);
    }
  });

  it("are none without a delivery stream", async () => {
    expect(await storeWith(Buffer.from("")).objects("failures")).toEqual([]);
  });
});

describe("putting records into the delivery stream again", () => {
  const records = ["a", "b", "c"].map(
    (text, index): RawRecord => ({
      key: KEY,
      line: index,
      position: `${KEY}:${index + 1}`,
      source: "firehose",
      partitionKey: "redrive",
      reason: "Lambda.FunctionError",
      arrivedAtMs: 0,
      data: Buffer.from(text),
    }),
  );
  const clientThat = (refuses: (data: string, call: number) => boolean) => {
    let calls = 0;
    const send = async ({ input }: { readonly input: PutRecordBatchCommandInput }): Promise<unknown> => {
      calls++;
      return {
        RequestResponses: (input.Records ?? []).map(({ Data = new Uint8Array() }) => {
          const text = Buffer.from(Data).toString();
          return refuses(text, calls)
            ? { ErrorCode: "ServiceUnavailableException", ErrorMessage: "slow down" }
            : { RecordId: text };
        }),
      };
    };
    return Object.assign(new FirehoseClient({ region: "us-east-1" }), { send });
  };

  it("offers what was refused again", async () => {
    const put: Put[] = [];
    const pauses: number[] = [];
    const client = clientThat((text, call) => text === "b" && call < 3);
    await deliverRecords(
      client,
      "d",
      records,
      async (ms) => pauses.push(ms),
      (one) => put.push(one),
    );
    expect(put.map(({ position }) => position)).toEqual(["firehose:d:a", "firehose:d:c", "firehose:d:b"]);
    expect(pauses).toEqual([200, 400]);
  });

  it("gives up what is refused eight times", async () => {
    const put: Put[] = [];
    const run = deliverRecords(
      clientThat((text) => text === "b"),
      "d",
      records,
      async () => {},
      (one) => put.push(one),
    );
    await expect(run).rejects.toThrow("The delivery stream refused 1 records 8 times: slow down");
    expect(put).toHaveLength(2);
  });
});
