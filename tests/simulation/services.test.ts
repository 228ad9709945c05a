/** Where a simulated service could differ from AWS's without any history showing it. */
import type { KinesisStreamBatchResponse } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { Random } from "../../simulation/kernel/random";
import { Scheduler } from "../../simulation/kernel/scheduler";
import { holds } from "../../simulation/services/expressions";
import { Stream } from "../../simulation/services/kinesis";
import { Queue } from "../../simulation/services/sqs";
import { StreamSource, type StreamSourceSettings } from "../../simulation/services/stream-source";

describe("conditions", () => {
  const holdsFor = (expression: string, item: Record<string, { S: string } | { N: string }> | undefined): boolean =>
    holds({ expression, names: { "#ttl": "ttl" }, values: { ":s": { S: "b" }, ":n": { N: "10" } } }, item);

  it.each([
    ["attribute_not_exists(id)", undefined, true],
    ["attribute_not_exists(id)", { id: { S: "a" } }, false],
    ["attribute_not_exists(id) OR seq < :s", { id: { S: "a" }, seq: { S: "a" } }, true],
    ["attribute_not_exists(id) OR seq < :s", { id: { S: "a" }, seq: { S: "b" } }, false],
    ["#ttl < :n", { ttl: { N: "9" } }, true],
    ["#ttl < :n", { ttl: { N: "10" } }, false],
    ["#ttl < :n", {}, false],
    ["#ttl < :s", { ttl: { N: "9" } }, false],
    [
      "attribute_not_exists(id) OR #ttl < :n OR (attribute_not_exists(x) AND lease < :n)",
      { id: { S: "a" }, lease: { N: "1" } },
      true,
    ],
    [
      "attribute_not_exists(id) OR (attribute_not_exists(x) AND lease < :n)",
      { id: { S: "a" }, x: { S: "" }, lease: { N: "1" } },
      false,
    ],
  ])("%s of %j: %s", (expression, item, expected) => {
    expect(holdsFor(expression, item)).toBe(expected);
  });

  it("that are not modelled are refused", () => {
    expect(() => holdsFor("begins_with(id, :s)", { id: { S: "a" } })).toThrow("doesn't know the expression");
  });
});

/** Runs records 0 … count-1 through the mapping; `answer` gets the numbers of a batch. */
async function deliver(
  count: number,
  settings: Partial<StreamSourceSettings>,
  answer: (batch: readonly number[], attempt: number) => readonly number[] | undefined,
) {
  const scheduler = new Scheduler(0);
  const batches: (readonly number[])[] = [];
  const givenUp: number[] = [];
  const numberOf = (data: string): number => Number(Buffer.from(data, "base64").toString());
  const stream = new Stream(
    1,
    () => scheduler.now(),
    (shard) => source.wake(shard),
  );
  const source: StreamSource = new StreamSource(
    stream,
    { batchSize: 4, windowMs: 1, maxRetries: -1, maxAgeMs: 3_600_000, ...settings },
    {
      invoke: async ({ Records }): Promise<KinesisStreamBatchResponse | undefined> => {
        const batch = Records.map(({ kinesis }) => numberOf(kinesis.data));
        batches.push(batch);
        const failed = answer(batch, batches.length);
        return (
          failed && {
            batchItemFailures: failed.map((one) => ({
              itemIdentifier: Records[batch.indexOf(one)]?.kinesis.sequenceNumber ?? "?",
            })),
          }
        );
      },
      giveUp: (records) => givenUp.push(...records.map(({ data }) => Number(data.toString()))),
      repeats: () => false,
    },
    scheduler,
    new Random(1),
  );
  for (let index = 0; index < count; index++) stream.put("key", Buffer.from(String(index)));
  await scheduler.run(86_400_000);
  return { batches, givenUp, isDrained: source.isDrained };
}

describe("the event source mapping", () => {
  it("delivers the rest again from the lowest reported record", async () => {
    const { batches } = await deliver(4, {}, (_, attempt) => (attempt === 1 ? [3, 1] : []));
    expect(batches).toEqual([
      [0, 1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it("delivers the whole batch again for a number that isn't in it", async () => {
    const { batches } = await deliver(2, {}, (_, attempt) => (attempt === 1 ? [9] : []));
    expect(batches).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  it("halves a batch whose invocation fails until the record is alone, and goes on in order", async () => {
    const { batches, givenUp, isDrained } = await deliver(5, { maxRetries: 1 }, (batch) => (batch.includes(2) ? undefined : []));
    expect(batches).toEqual([[0, 1, 2, 3], [0, 1], [2, 3], [2], [2], [3], [4]]);
    expect([givenUp, isDrained]).toEqual([[2], true]);
  });

  it("gives up records that are too old", async () => {
    const { givenUp } = await deliver(2, { maxAgeMs: 5_000 }, (batch) => [batch[0] ?? 0]);
    expect(givenUp).toEqual([0, 1]);
  });
});

describe("a queue", () => {
  it("hides what was received, and gives it to the dead-letter queue after the last receive", async () => {
    const scheduler = new Scheduler(0);
    const dead = new Queue({ name: "dead", visibilitySeconds: 10, maxReceives: 2 }, scheduler, () => {});
    const queue = new Queue({ name: "q", visibilitySeconds: 10, maxReceives: 2 }, scheduler, () => {}, dead);
    queue.send("text");
    const [first] = queue.take(10);
    expect([first?.receives, queue.take(10).length]).toEqual([1, 0]);
    await scheduler.run(60_000);
    const outdated = first?.handle ?? "";
    expect(queue.take(10)[0]?.receives).toBe(2);
    // The handle is that of an earlier delivery.
    queue.remove(`${outdated.replace(/#\d+$/, "#1")}`);
    expect(queue.size).toBe(1);
    await scheduler.run(120_000);
    expect([queue.take(10).length, queue.size, dead.take(10)[0]?.body]).toEqual([0, 0, "text"]);
  });
});
