import { RedshiftDataClient } from "@aws-sdk/client-redshift-data";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { describe, expect, it } from "vitest";
import { createLoaderMetrics, createManifestStore, createQueue } from "../../../functions/loader/adapters";
import { createDataApi } from "../../../functions/loader/data-api";
import { createMetrics } from "../../../functions/shared/metrics";

interface Middleware {
  readonly middlewareStack: { add(middleware: unknown, options: { readonly step: "initialize" }): void };
}

/** Answers every command of a client from a function, before anything is sent. */
function answered<T>(
  client: T & Middleware,
  answer: (command: string, input: Record<string, unknown>) => Record<string, unknown>,
): T {
  const middleware =
    (_next: unknown, context: { readonly commandName: string }) => async (args: { readonly input: Record<string, unknown> }) => ({
      output: { $metadata: {}, ...answer(context.commandName, args.input) },
      response: {},
    });
  client.middlewareStack.add(middleware, { step: "initialize" });
  return client;
}

const settings = { region: "us-east-1", credentials: { accessKeyId: "a", secretAccessKey: "b" } };
const message = (index: number) => ({ body: "{}", messageId: `m${index}`, receiptHandle: `r${index}`, receiveCount: 1 });

describe("createQueue", () => {
  it("reads, removes and releases in batches of ten, and counts every kind of message", async () => {
    const sent: [string, Record<string, unknown>][] = [];
    const queue = createQueue(
      answered(new SQSClient(settings), (command, input) => {
        sent.push([command, input]);
        if (command === "ReceiveMessageCommand") {
          return {
            Messages: [{ Body: "x", ReceiptHandle: "r", MessageId: "m", Attributes: { ApproximateReceiveCount: "3" } }, {}],
          };
        }
        return { Attributes: { ApproximateNumberOfMessages: "2", ApproximateNumberOfMessagesNotVisible: "3" } };
      }),
      "https://queue",
    );
    expect(await queue.receive()).toEqual([
      { body: "x", receiptHandle: "r", messageId: "m", receiveCount: 3 },
      { body: "", receiptHandle: "", messageId: "", receiveCount: 1 },
    ]);
    const messages = Array.from({ length: 11 }, (_, index) => message(index));
    await queue.remove(messages);
    await queue.release(messages.slice(0, 1), 30);
    expect(await queue.size()).toBe(5);
    expect(sent.map(([command]) => command)).toEqual([
      "ReceiveMessageCommand",
      "DeleteMessageBatchCommand",
      "DeleteMessageBatchCommand",
      "ChangeMessageVisibilityBatchCommand",
      "GetQueueAttributesCommand",
    ]);
    expect(sent[3]?.[1].Entries).toEqual([{ Id: "0", ReceiptHandle: "r0", VisibilityTimeout: 30 }]);
  });

  it("says when a message was not deleted, and reads an empty queue", async () => {
    const failing = createQueue(
      answered(new SQSClient(settings), () => ({ Failed: [{ Id: "0", Code: "InternalError" }] })),
      "https://queue",
    );
    await expect(failing.remove([message(0)])).rejects.toThrow(/did not delete 1 messages: InternalError/);
    const empty = createQueue(
      answered(new SQSClient(settings), () => ({})),
      "https://queue",
    );
    expect(await empty.receive()).toEqual([]);
    expect(await empty.size()).toBe(0);
  });
});

describe("createManifestStore", () => {
  it("writes under manifests/ and returns the URL", async () => {
    const keys: unknown[] = [];
    const client = answered(new S3Client(settings), (_, input) => {
      keys.push(input.Key);
      return {};
    });
    expect(await createManifestStore(client, "data").write("x.manifest", "{}")).toBe("s3://data/manifests/x.manifest");
    expect(keys).toEqual(["manifests/x.manifest"]);
  });
});

describe("createLoaderMetrics", () => {
  it.each([
    [undefined, false],
    [12, true],
  ])("emits the lag if there is one: %s", (freshnessLagSeconds, expected) => {
    const lines: string[] = [];
    const metrics = createMetrics("RiskWarehouse", {}, { now: () => 0 }, (line) => lines.push(line));
    const totals = {
      loads: 1,
      objects: 2,
      rows: 3,
      inserted: 3,
      updated: 0,
      duplicates: 0,
      alreadyLoaded: 0,
      failed: 0,
      pending: 0,
    };
    createLoaderMetrics(metrics).run({ ...totals, freshnessLagSeconds, durationMilliseconds: 5 });
    expect(JSON.parse(lines[0] ?? "{}")).toMatchObject({ RowsLoaded: 3, ObjectsLoaded: 2, LoadDuration: 5 });
    expect(lines[0]?.includes("FreshnessLag")).toBe(expected);
  });
});

describe("createDataApi", () => {
  const api = (answer: Record<string, unknown>, inputs: Record<string, unknown>[] = [], secretArn?: string) =>
    createDataApi(
      answered(new RedshiftDataClient(settings), (_, input) => {
        inputs.push(input);
        return answer;
      }),
      { workgroupName: "w", database: "d", secretArn },
    );

  it("names the workgroup, the database and the token", async () => {
    const inputs: Record<string, unknown>[] = [];
    const client = api({ Id: "i" }, inputs, "arn:secret");
    expect(await client.execute({ sql: "SELECT 1", name: "n", token: "t" })).toBe("i");
    expect(await client.batch({ sqls: ["A", "B"], name: "n", token: "t" })).toBe("i");
    await client.cancel("i");
    const where = { WorkgroupName: "w", Database: "d", SecretArn: "arn:secret", StatementName: "n", ClientToken: "t" };
    expect(inputs).toEqual([{ ...where, Sql: "SELECT 1" }, { ...where, Sqls: ["A", "B"] }, { Id: "i" }]);
  });

  it("reads states and fields, and refuses unknown ones", async () => {
    const described = await api({ Status: "FAILED", Error: "e", SubStatements: [{ Id: "i:1", Error: "e" }] }).describe("i");
    expect(described).toEqual({ status: "FAILED", error: "e", subStatements: [{ id: "i:1", status: "", error: "e" }] });
    expect((await api({ Status: "STARTED" }).describe("i")).subStatements).toEqual([]);
    await expect(api({ Status: "ODD" }).describe("i")).rejects.toThrow(/status ODD/);
    await expect(api({}).execute({ sql: "", name: "", token: "" })).rejects.toThrow(/returned no id/);
    const Records = [
      [{ isNull: true }, { longValue: 1 }, { doubleValue: 1.5 }, { booleanValue: false }, { stringValue: "x" }, {}],
    ];
    expect(await api({ ColumnMetadata: [{ name: "a" }, {}], Records, NextToken: "n" }).result("i", "t")).toEqual({
      columns: ["a", ""],
      rows: [[null, "1", "1.5", "false", "x", null]],
      nextToken: "n",
    });
    expect(await api({}).result("i", undefined)).toEqual({ columns: [], rows: [], nextToken: undefined });
  });
});
