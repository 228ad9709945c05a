import type { SQSClient } from "@aws-sdk/client-sqs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_BACKOFF } from "../../../functions/shared/backoff";
import { createQueueSender } from "../../../functions/shared/queue-sender";
import { sendInBatches } from "../../../functions/shared/send-in-batches";

const backoff = { ...DEFAULT_BACKOFF, attempts: 3, sleep: () => Promise.resolve() };

interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
}

/** A queue that refuses what `refuses` says, by attempt. */
function queue(refuses: (body: string, attempt: number) => boolean, isDown: (call: number) => boolean = () => false) {
  const calls: (readonly Entry[])[] = [];
  const attempts = new Map<string, number>();
  const send = async ({ input: { Entries } }: { readonly input: { readonly Entries: readonly Entry[] } }) => {
    calls.push(Entries);
    if (isDown(calls.length)) throw new Error("down");
    const Failed = Entries.filter(({ MessageBody }) => {
      const attempt = (attempts.get(MessageBody) ?? 0) + 1;
      attempts.set(MessageBody, attempt);
      return refuses(MessageBody, attempt);
    });
    return Failed.length === 0 ? {} : { Failed };
  };
  const client: SQSClient = Object.create(null, { send: { value: send } });
  return { sender: createQueueSender(client, "https://queue", backoff), calls };
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `body ${index}`);

describe("the queue's sender", () => {
  it("sends ten messages a call, and none twice", async () => {
    const { sender, calls } = queue(() => false);
    expect(await sender.send(numbered(25))).toEqual([]);
    expect(calls.map(({ length }) => length)).toEqual([10, 10, 5]);
    expect(await sender.send([])).toEqual([]);
  });

  it("keeps the sum of a call below a mebibyte", async () => {
    const { sender, calls } = queue(() => false);
    await sender.send(["é".repeat(300_000), "x".repeat(448_576), "x", "x".repeat(1_048_576)]);
    expect(calls.map((entries) => entries.length)).toEqual([2, 1, 1]);
  });

  it("sends what was refused again, and nothing else", async () => {
    const { sender, calls } = queue((body, attempt) => body === "body 3" && attempt < 3);
    expect(await sender.send(numbered(5))).toEqual([]);
    expect(calls.map((entries) => entries.map(({ Id }) => Id).join())).toEqual(["0,1,2,3,4", "3", "3"]);
  });

  it("names what is refused to the end, and what a failing call would have taken", async () => {
    expect(await queue((body) => body === "body 1").sender.send(numbered(3))).toEqual([1]);
    expect(
      await queue(
        () => false,
        () => true,
      ).sender.send(numbered(2)),
    ).toEqual([0, 1]);
  });
});

describe("sending in batches", () => {
  it("offers every entry within the limits, in order, until it is taken or the attempts end", async () => {
    const limits = { entries: 10, bytes: 100 };
    const sizes = fc.array(fc.integer({ min: 0, max: 120 }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.func(fc.integer({ min: 0, max: 5 })), async (given, failures) => {
        const offers = new Map<number, number>();
        const refused = await sendInBatches(given, limits, backoff, async (indexes) => {
          const bytes = indexes.reduce((sum, index) => sum + (given[index] ?? 0), 0);
          expect(indexes.length).toBeLessThanOrEqual(limits.entries);
          expect(bytes <= limits.bytes || indexes.length === 1).toBe(true);
          for (const index of indexes) offers.set(index, (offers.get(index) ?? 0) + 1);
          return indexes.filter((index) => (offers.get(index) ?? 0) <= failures(index));
        });
        const expected = given.flatMap((_, index) => (failures(index) >= backoff.attempts ? [index] : []));
        expect([...refused].sort((a, b) => a - b)).toEqual(expected);
        for (const [index] of given.entries()) expect(offers.get(index)).toBe(Math.min(backoff.attempts, failures(index) + 1));
      }),
    );
  });
});
