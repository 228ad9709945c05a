import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RecordFault } from "../../../functions/stream/record-fault";
import { createRecordScorer, type RecordScorer } from "../../../functions/stream/score-records";
import { fileId, resultKey } from "../../../functions/stream-files/types";
import { type Crash, event, FileWorld } from "../../helpers/file-world";
import { ARRIVAL_MS, transaction } from "../../helpers/stream-world";
import { TAKE_HOME } from "../files/samples";

const DAYS = 4000 * 86_400_000;
const at = (index: number) => new Date(ARRIVAL_MS - 3_600_000 + index * 60_000).toISOString();
const row = (index: number, id = `t${index}`, amount: string | number = 25) => `${id},u${index % 3},${amount},${at(index)}`;
/** Twelve rows: ten events, one of them twice, and a row with a field too many. */
const CSV = [
  "transaction_id,user_id,amount,timestamp",
  ...Array.from({ length: 10 }, (_, index) => row(index)),
  row(4),
  `${row(11)},x`,
].join("\n");
const COUNTS = { rows: 12, scored: 10, duplicates: 1, quarantined: { unreadable_row: 1 } };

const archivedIds = (world: FileWorld) =>
  world.stream
    .archived()
    .map(({ event_id }) => event_id)
    .sort();
const onlyResult = (world: FileWorld) => {
  const [result, ...others] = world.results.values();
  expect(others).toEqual([]);
  return result;
};
const IDS = Array.from({ length: 10 }, (_, index) => `t${index}`).sort();

describe("a file under incoming/", () => {
  it("is scored, and ends with a result and an event of the same content", async () => {
    const world = new FileWorld();
    const file = world.put("incoming/2026/export.csv", CSV);
    await world.run();
    expect(world.results.get(resultKey(file))).toEqual({
      profile: "fraud",
      key: "incoming/2026/export.csv",
      version_id: "v1",
      etag: file.etag,
      file_id: fileId(file),
      status: "scored",
      problem: null,
      format: 'CSV, UTF-8, delimiter ,, quote ", header in the first line',
      preset: null,
      ...COUNTS,
      finished_at: "2026-11-21T12:00:01.000Z",
    });
    expect(world.published).toEqual([onlyResult(world)]);
    expect(resultKey(file)).toBe(`results/2026/export.csv.${fileId(file)}.json`);
    expect(archivedIds(world)).toEqual(IDS);
    expect(world.stream.archived()[0]).toMatchObject({ source: "s3", source_position: `s3:${fileId(file)}:1` });
    expect(world.stream.quarantined()).toMatchObject([
      { reason: "unreadable_row", source: "s3", source_position: `s3:${fileId(file)}:12` },
    ]);
    expect(Buffer.from(world.stream.rawLines()[0]?.data ?? "", "base64").toString()).toBe(`${row(11)},x`);
  });

  it("gives the events of other triggers: one that came before is a duplicate", async () => {
    const world = new FileWorld();
    world.put("incoming/a.ndjson", `${JSON.stringify(transaction("t0"))}\n${JSON.stringify(transaction("t1"))}\n`);
    await world.run();
    world.put("incoming/b.json", JSON.stringify([transaction("t1"), transaction("t2")]));
    await world.run();
    expect([...world.results.values()].map(({ scored, duplicates }) => [scored, duplicates])).toEqual([
      [2, 0],
      [1, 1],
    ]);
  });

  it("has the refusals of the scoring path for rows of JSON that can't be read, and the rows as they came", async () => {
    const world = new FileWorld();
    const lines = [JSON.stringify(transaction("t0")), "not json", "[1]", '{"amount":1,"amount":2}'];
    world.put("incoming/a.ndjson", lines.join("\n"));
    await world.run();
    expect(onlyResult(world)).toMatchObject({
      rows: 4,
      scored: 1,
      quarantined: { not_json: 1, not_an_object: 1, duplicate_name: 1 },
    });
    expect(world.stream.rawLines().map(({ data }) => Buffer.from(data, "base64").toString())).toEqual(lines.slice(1));
  });

  it("of a known data set needs no options, compressed or not, and another file takes them from its metadata", async () => {
    const world = new FileWorld();
    const handler = world.handler({}, { maxAgeMs: 2 * DAYS });
    world.put("incoming/purchases.csv.gz", gzipSync(TAKE_HOME));
    await world.run(handler);
    expect(onlyResult(world)).toMatchObject({ preset: "take-home", rows: 2, scored: 2, format: expect.stringContaining("gzip") });
    world.put("incoming/odd.txt", "w;wer;was\n1.2.2026;u;1,5\n", {
      id: "row",
      time: "w as D.M.YYYY",
      map: "user_id=wer,amount=was",
      preset: "none",
    });
    await world.run(handler);
    expect(world.stream.archived().at(-1)).toMatchObject({ amount: 1.5, occurred_at: "2026-02-01T00:00:00.000Z" });
  });

  it.each([
    ["fields are missing", "a,b\nx,y\n", {}, /Needed: transaction_id[\s\S]*--id row/],
    ["it is of another format", "PK\u0003\u0004", {}, /ZIP or Excel/],
    ["its metadata is wrong", CSV, { format: "xlsx" }, /format: expected csv/],
    ["no row can be read", "x\ny\n", { format: "ndjson" }, /no row that can be read/],
  ])("is refused when %s", async (_, content, metadata, problem) => {
    const world = new FileWorld();
    world.put("incoming/bad", content, metadata);
    await world.run();
    expect(onlyResult(world)).toMatchObject({ status: "refused", rows: 0, problem: expect.stringMatching(problem) });
    expect(world.published).toHaveLength(1);
  });

  it("whose first readable row lies behind the sample is read nevertheless", async () => {
    const world = new FileWorld();
    world.put("incoming/late.ndjson", `${"x\n".repeat(40_000)}${JSON.stringify(transaction("t0"))}\n`);
    await world.run(world.handler({ rowsPerBatch: 5000 }));
    expect(onlyResult(world)).toMatchObject({ status: "scored", rows: 40_001, scored: 1, quarantined: { not_json: 40_000 } });
  }, 30_000);

  it("that is damaged is scored up to the damage", async () => {
    const world = new FileWorld();
    const body = Array.from({ length: 20_000 }, (_, index) => `{"no":${(index * 7919) % 104729}}`).join("\n");
    const packed = gzipSync(`${JSON.stringify(transaction("t0"))}\n${body}`);
    world.put("incoming/cut.ndjson.gz", packed.subarray(0, packed.length - 2000));
    await world.run(world.handler({ rowsPerBatch: 2000 }));
    expect(onlyResult(world)).toMatchObject({ status: "damaged", scored: 1, problem: expect.stringContaining("cut off") });
  }, 30_000);

  it("without a row but its header is refused, and an object that is gone is replaced", async () => {
    const world = new FileWorld();
    const file = world.put("incoming/gone.csv", CSV);
    world.objects.clear();
    await world.run();
    expect(world.results.get(resultKey(file))).toMatchObject({ status: "replaced", rows: 0 });
    world.put("incoming/empty.csv", "transaction_id,user_id,amount,timestamp\n");
    await world.run();
    expect(world.published.at(-1)).toMatchObject({ status: "refused", rows: 0 });
  });

  it("delivered twice is scored once, and a file that replaces it is another one", async () => {
    const world = new FileWorld();
    const file = world.put("incoming/daily.csv", CSV);
    world.notify(file);
    await world.run();
    world.notify(file);
    await world.run();
    expect([world.results.size, world.published.length]).toEqual([1, 1]);
    world.put("incoming/daily.csv", CSV, {}, "v2");
    world.put("incoming/daily.csv", `${CSV}\n${row(20)}`, {}, "v3");
    await world.run();
    expect([...world.results.values()].map(({ scored, duplicates }) => [scored, duplicates])).toEqual([
      [10, 1],
      [0, 11],
      [1, 11],
    ]);
    expect(archivedIds(world)).toEqual([...IDS, "t20"].sort());
  });

  it("in a bucket without versions is known by its content", () => {
    const file = { key: "incoming/a", version: null, etag: "1" };
    expect(fileId(file)).not.toBe(fileId({ ...file, etag: "2" }));
    expect(fileId(file)).not.toBe(fileId({ ...file, key: "incoming/b" }));
    expect(resultKey({ ...file, key: `incoming/${"ü".repeat(500)}` })).toBe(
      `results/${fileId({ ...file, key: `incoming/${"ü".repeat(500)}` })}.json`,
    );
  });
});

describe("a file that takes longer than an invocation", () => {
  /** Time for some batches only. */
  const hurried = (batches: number) => {
    let asked = 0;
    // The scorer asks too; only the question before a batch is about the reserve.
    return { awsRequestId: "r", getRemainingTimeInMillis: () => (asked++ < batches ? 600_000 : 30_000) };
  };

  it("goes on from its checkpoint as another message, and reads only the rest", async () => {
    const world = new FileWorld();
    world.put("incoming/long.csv", CSV);
    const score = async (records: readonly unknown[]) => ({
      done: records.length,
      fault: null,
      counts: { scored: records.length, duplicates: 0, quarantined: {} },
    });
    const handler = world.handler({ score });
    let deliveries = 0;
    for (let message = world.queue.shift(); message !== undefined; message = world.queue.shift()) {
      deliveries++;
      expect(await handler(event(message.body), hurried(1))).toEqual({ batchItemFailures: [] });
    }
    expect(deliveries).toBe(4);
    expect(onlyResult(world)).toMatchObject({ status: "scored", rows: 12, scored: 12 });
    const lines = CSV.split("\n");
    const behind = (rows: number) => lines.slice(0, rows + 1).join("\n").length + 1;
    // The first invocation looks at the file before it reads it.
    expect(world.offsets).toEqual([0, 0, behind(3), behind(6), behind(9)]);
  });

  it("goes on after a pause when the tables are throttled, and comes to the dead letters when nothing gets done", async () => {
    const world = new FileWorld();
    world.put("incoming/slow.csv", CSV);
    let batches = 0;
    const some = { scored: 3, duplicates: 0, quarantined: {} };
    const score = async () => (batches++ === 0 ? { done: 3, fault: null, counts: some } : { done: 1, fault: null, counts: some });
    const first = world.queue.shift();
    expect(await world.handler({ score })(event(first?.body ?? ""), hurried(99))).toEqual({ batchItemFailures: [] });
    expect(world.queue).toEqual([{ body: expect.stringContaining('"continue"'), delaySeconds: 30 }]);
    expect(await world.handler({ score })(event(world.queue[0]?.body ?? ""), hurried(99))).toEqual({
      batchItemFailures: [{ itemIdentifier: "m0" }],
    });
  });
});

describe("exactly once", () => {
  it("whatever fails, and wherever an invocation ends: every event is archived once, and the counts are the same", async () => {
    const plan = fc.array(fc.tuple(fc.integer({ min: 0, max: 120 }), fc.constantFrom("before", "after")), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(plan, fc.boolean(), fc.integer({ min: 40, max: 400 }), async (crashes, gzip, patience) => {
        const world = new FileWorld();
        world.put("incoming/a.csv", gzip ? gzipSync(CSV) : CSV);
        world.crash = (call) => (crashes.find(([number]) => number === call)?.[1] ?? null) as ReturnType<Crash>;
        let left = patience;
        const context = {
          awsRequestId: "r",
          getRemainingTimeInMillis: () => (left-- % 40 > 8 ? 600_000 : 70_000 + (left % 2) * -20_000),
        };
        await world.run(world.handler(), context);
        expect(archivedIds(world)).toEqual(IDS);
        expect(onlyResult(world)).toMatchObject({ status: "scored", ...COUNTS });
        expect(world.published.length).toBeGreaterThan(0);
        expect(world.stream.quarantined()).toHaveLength(1);
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  it("a row that makes the code fail goes to quarantine alone", async () => {
    const world = new FileWorld();
    world.put("incoming/a.csv", CSV);
    const score = createRecordScorer(world.stream.scorerArgs());
    const failing: RecordScorer = async (records, context) => {
      if (!records.some(({ sequence }) => sequence === "5")) return score(records, context);
      const alone = records.length === 1;
      const quarantined = alone ? { processing_error: 1 } : {};
      const fault = alone ? null : new RecordFault(new Error("unexpected"));
      return { done: alone ? 1 : 0, fault, counts: { scored: 0, duplicates: 0, quarantined } };
    };
    await world.run(world.handler({ score: failing, rowsPerBatch: 7 }));
    expect(onlyResult(world)).toMatchObject({
      rows: 12,
      scored: 10,
      duplicates: 0,
      quarantined: { processing_error: 1, unreadable_row: 1 },
    });
    // The other row of the same event is scored in its place.
    expect(archivedIds(world)).toEqual(IDS);
  });
});

describe("messages", () => {
  it("of S3's test do nothing, and others that can't be read come to the dead letters", async () => {
    const world = new FileWorld();
    const handler = world.handler();
    const bodies = [
      JSON.stringify({ Event: "s3:TestEvent" }),
      "{}",
      "no",
      '{"continue":{"key":1}}',
      '{"continue":{"key":"a","etag":"b"}}',
    ];
    expect(await handler(event(...bodies), { awsRequestId: "r", getRemainingTimeInMillis: () => 600_000 })).toEqual({
      batchItemFailures: ["m1", "m2", "m3"].map((itemIdentifier) => ({ itemIdentifier })),
    });
    // The rest of a file that is gone, in a bucket without versions.
    expect([...world.results.values()]).toMatchObject([{ key: "a", version_id: null, status: "replaced" }]);
  });
});
