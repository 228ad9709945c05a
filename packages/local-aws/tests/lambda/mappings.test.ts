import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MappingConfig } from "../../src/lambda/mapping";
import { functionOf, Harness, mappingOf, queueArn, until } from "./support";

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
});
afterEach(() => harness.close());

/** A handler that notes each batch it gets in its log, then runs `body` over `ns`, the payloads' numbers. */
const handler = (body: string) => `exports.handler = async (event) => {
  const ns = event.Records.map((r) => r.kinesis ? JSON.parse(Buffer.from(r.kinesis.data, "base64")).n : r.body);
  const fail = (n) => ({ itemIdentifier: event.Records[ns.indexOf(n)].kinesis.sequenceNumber });
  process.stdout.write("BATCH " + JSON.stringify(ns) + "\\n");
  ${body}
}`;

const batches = () =>
  harness.logs.filter((line) => line.startsWith("BATCH ")).map((line) => JSON.parse(line.slice(6)) as unknown);

const start = async (body: string, mapping: Partial<MappingConfig> = {}) => {
  const service = harness.service({ retryMs: 1 });
  await service.pool.put(functionOf("fn", handler(body)));
  await service.putMapping(mappingOf("fn", mapping));
  service.activate();
  return service;
};

describe("a stream mapping", () => {
  it("passes batches in order, remembers how far it got, and goes on there after a restart", async () => {
    harness.put(5);
    const first = await start("", { batchSize: 2 });
    await until(() => first.idle());
    expect(batches()).toEqual([[0, 1], [2, 3], [4]]);
    await first.end();
    harness.put(1);
    const second = await start("", { batchSize: 2 });
    await until(() => second.idle());
    expect(batches().at(-1)).toEqual([5]);
  });

  it("repeats from the lowest reported failure until it succeeds", async () => {
    harness.put(4);
    const service = await start(
      "globalThis.calls = (globalThis.calls ?? 0) + 1; return calls === 1 ? { batchItemFailures: [fail(3), fail(2)] } : { batchItemFailures: [] }",
      {
        reportsItemFailures: true,
      },
    );
    await until(() => service.idle());
    expect(batches()).toEqual([
      [0, 1, 2, 3],
      [2, 3],
    ]);
  });

  it("halves a failing batch until the bad record is alone, gives it up into S3, and delivers its neighbours", async () => {
    harness.put(4);
    const service = await start("if (ns.includes(2)) throw new Error('poison')", {
      bisectOnError: true,
      maxRetries: 1,
      onFailure: "arn:aws:s3:::data",
    });
    await until(() => service.idle());
    expect(batches()).toEqual([[0, 1, 2, 3], [0, 1], [2, 3], [2], [2], [3]]);
    const [object] = harness.objects;
    expect(object?.key).toMatch(
      /^aws\/lambda\/11111111-2222-4333-8444-555555555555\/shardId-000000000000\/2026\/01\/02\/2026-01-02T03\.04\.05-[0-9a-f-]{36}$/,
    );
    const record = JSON.parse(object?.body ?? "") as { payload: string };
    expect(record).toMatchObject({
      version: "1.0",
      requestContext: { condition: "RetryAttemptsExhausted" },
      KinesisBatchInfo: {
        shardId: "shardId-000000000000",
        startSequenceNumber: "000003",
        endSequenceNumber: "000003",
        batchSize: 1,
      },
    });
    expect(JSON.parse(record.payload)).toMatchObject({
      Records: [{ kinesis: { sequenceNumber: "000003" }, eventSource: "aws:kinesis" }],
    });
  });

  it("repeats a batch whose first record is reported as a whole, and does not halve it", async () => {
    harness.put(3);
    const service = await start(
      "globalThis.calls = (globalThis.calls ?? 0) + 1; return calls < 3 ? { batchItemFailures: [fail(ns[0])] } : {}",
      { reportsItemFailures: true, bisectOnError: true },
    );
    await until(() => service.idle());
    expect(batches()).toEqual([
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
    ]);
  });

  it("gives up records older than the maximum age without running them", async () => {
    harness.put(2);
    harness.now += 120_000;
    harness.put(1);
    const service = await start("", { maxRecordAgeSeconds: 60, onFailure: "arn:aws:s3:::data" });
    await until(() => service.idle());
    expect(batches()).toEqual([[2]]);
    expect(JSON.parse(harness.objects[0]?.body ?? "{}")).toMatchObject({
      requestContext: { condition: "RecordAgeExceeded" },
      KinesisBatchInfo: { batchSize: 2 },
    });
  });

  it("waits longer between retries and repeats a batch whose process was killed", async () => {
    harness.put(2);
    const service = await start(
      "if (!require('fs').existsSync('killed')) { require('fs').writeFileSync('killed', ''); process.kill(process.pid, 'SIGKILL'); await new Promise(() => {}) }",
    );
    await until(() => service.idle());
    expect(harness.metrics.filter(({ name, value }) => name === "Errors" && value === 1)).toHaveLength(1);
    expect(batches().at(-1)).toEqual([0, 1]);
  });

  it("keeps the order of a key while keys run side by side", async () => {
    for (let index = 0; index < 60; index += 1) harness.put(1, `key${index % 6}`);
    const service = await start("await new Promise((r) => setTimeout(r, ns[0] % 3))", { parallelizationFactor: 4, batchSize: 3 });
    await until(() => service.idle());
    const seen = batches().flat() as number[];
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, n) => n));
    expect(harness.metrics.some(({ name }) => name === "IteratorAge")).toBe(true);
    for (let key = 0; key < 6; key += 1) {
      const order = seen.filter((n) => n % 6 === key);
      expect(order).toEqual([...order].sort((a, b) => a - b));
    }
  });

  it("reads a child shard after its parent has ended", async () => {
    harness.put(2);
    harness.ended.add("shardId-000000000000");
    harness.parents["shardId-000000000001"] = ["shardId-000000000000"];
    harness.put(1, "k", "shardId-000000000001");
    const service = await start("");
    await until(() => service.idle() && batches().length === 2);
    expect(batches()).toEqual([[0, 1], [0]]);
  });

  it("is refused when the role may not read the stream or write the failed batches", async () => {
    harness.denied.add("kinesis:GetRecords");
    await expect(start("")).rejects.toThrow(/role\/fn of fn lacks kinesis:GetRecords on arn:aws:kinesis/);
    harness.denied.clear();
    harness.denied.add("s3:PutObject");
    await expect(start("", { onFailure: "arn:aws:s3:::data" })).rejects.toThrow(
      /lacks s3:PutObject on arn:aws:s3:::data\/aws\/lambda/,
    );
  });
});

describe("a queue mapping", () => {
  const fill = (count: number) => {
    for (let index = 0; index < count; index += 1) {
      harness.queue.push({
        messageId: `m${index}`,
        receiptHandle: `r${index}`,
        body: `b${index}`,
        md5OfBody: "",
        attributes: {},
        messageAttributes: {},
      });
    }
    harness.wake();
  };

  it("deletes what succeeded and leaves reported failures", async () => {
    const service = await start("return { batchItemFailures: [{ itemIdentifier: 'm1' }] }", {
      sourceArn: queueArn,
      batchSize: 3,
      reportsItemFailures: true,
    });
    fill(3);
    await until(() => service.idle() && batches().length === 1);
    expect(batches()).toEqual([["b0", "b1", "b2"]]);
    expect(harness.deleted).toEqual(["r0", "r2"]);
  });

  it("waits for its batching window, unless it is told to go on", async () => {
    const service = harness.service({ timers: { after: () => () => undefined } });
    await service.pool.put(functionOf("fn", handler("")));
    await service.putMapping(mappingOf("fn", { sourceArn: queueArn, batchSize: 10, windowSeconds: 60 }));
    service.activate();
    fill(2);
    expect(service.idle()).toBe(false);
    service.flush();
    await until(() => service.idle());
    expect(batches()).toEqual([["b0", "b1"]]);
  });

  it("deletes nothing of a failed batch", async () => {
    const service = await start("throw new Error('no')", { sourceArn: queueArn, batchSize: 2 });
    fill(2);
    await until(() => service.idle() && batches().length === 1);
    expect(harness.deleted).toEqual([]);
  });

  it("is refused when messages reappear before the function can end", async () => {
    const service = harness.service();
    await service.pool.put(functionOf("fn", handler(""), { timeoutSeconds: 90 }));
    await expect(service.putMapping(mappingOf("fn", { sourceArn: queueArn }))).rejects.toThrow(
      "Queue visibility timeout: 60 seconds is less than Function timeout: 90 seconds",
    );
  });
});

describe("a stream mapping on a full disk", () => {
  const full = () => Object.assign(new Error("no space left on device"), { code: "ENOSPC" });

  it("keeps a batch that its failure destination can't take until there is room", async () => {
    let refusals = 3;
    const put = harness.ports.putObject;
    Object.assign(harness.ports, {
      putObject: async (...object: Parameters<typeof put>) => {
        if (refusals-- > 0) throw full();
        return put(...object);
      },
    });
    harness.put(2);
    const service = await start("throw new Error('poison')", { maxRetries: 0, onFailure: "arn:aws:s3:::data" });
    await until(() => service.idle());
    expect(harness.objects).toHaveLength(1);
  });

  it("saves its checkpoint later when the disk refuses it, without running a record again", async () => {
    let refusals = 3;
    harness.db.function("take", () => {
      refusals -= 1;
      return refusals >= 0 ? 1 : 0;
    });
    const service = harness.service({ retryMs: 1 });
    await service.pool.put(functionOf("fn", handler("")));
    await service.putMapping(mappingOf("fn", { batchSize: 2 }));
    harness.db.exec(
      "CREATE TRIGGER refusing BEFORE INSERT ON lambda_checkpoints WHEN take() BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
    );
    harness.put(5);
    service.activate();
    await until(() => service.idle());
    expect(batches()).toEqual([[0, 1], [2, 3], [4]]);
    expect(harness.db.prepare("SELECT sequence FROM lambda_checkpoints").get()).toEqual({ sequence: "000005" });
  });

  it("puts a batch back that an error of the machine interrupted", async () => {
    let broken = true;
    const metric = harness.ports.metric;
    Object.assign(harness.ports, {
      metric: (...datum: Parameters<typeof metric>) => {
        if (datum[0] === "IteratorAge" && broken) {
          broken = false;
          throw new Error("broken");
        }
        metric(...datum);
      },
    });
    harness.put(3);
    const service = await start("");
    await until(() => service.idle());
    expect(batches()).toEqual([[0, 1, 2]]);
  });
});
