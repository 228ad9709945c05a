import type { FirehoseTransformationEvent, FirehoseTransformationResult } from "aws-lambda";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PROFILES } from "../../../functions/scoring/profiles";
import { createFirehoseHandler, type FirehoseHandler } from "../../../functions/stream/firehose";
import { RecordFault } from "../../../functions/stream/record-fault";
import { ARRIVAL_MS, context, encode, event, kinesisRecord, StreamWorld, transaction } from "../../helpers/stream-world";

const recordId = (number: number): string =>
  `4958335403156088821410004329663235129661046325138109${String(number).padStart(10, "0")}`;

const delivery = (first: number, ...data: readonly string[]): FirehoseTransformationEvent => ({
  invocationId: "invocation-1",
  deliveryStreamArn: "arn:aws:firehose:us-east-1:000000000000:deliverystream/fraud",
  region: "us-east-1",
  records: data.map((one, index) => ({
    recordId: recordId(first + index),
    approximateArrivalTimestamp: ARRIVAL_MS,
    data: one,
  })),
});

const transactions = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => encode(transaction(`t-${from + index}`, { user_id: `u-${from + index}` })));

const results = ({ records }: FirehoseTransformationResult): string[] => records.map(({ result }) => result);

/** The events of an answer's lines, by id. */
const linesOf = ({ records }: FirehoseTransformationResult): { readonly event_id: string }[] =>
  records.flatMap(({ data }) =>
    data === undefined ? [] : [JSON.parse(Buffer.from(data, "base64").toString()) as { event_id: string }],
  );
const idsOf = (answer: FirehoseTransformationResult): string[] => linesOf(answer).map(({ event_id }) => event_id);

const firehose = (world: StreamWorld, overrides = {}): FirehoseHandler => createFirehoseHandler(world.scorerArgs(overrides));
const archivedLines = (world: StreamWorld): string[] => world.archived().map(({ event_id }) => event_id);

describe("Firehose transformation", () => {
  it("answers each record with the archive line that the Kinesis trigger would write, and archives nothing itself", async () => {
    const data = transactions(3);
    const world = new StreamWorld();
    const answer = await firehose(world)(delivery(1, ...data), context);
    expect(answer.records.map((record) => record.recordId)).toEqual([recordId(1), recordId(2), recordId(3)]);
    expect(results(answer)).toEqual(["Ok", "Ok", "Ok"]);
    expect(
      answer.records.every((record) =>
        Buffer.from(record.data ?? "", "base64")
          .toString()
          .endsWith("}\n"),
      ),
    ).toBe(true);
    expect([...world.objects.keys()]).toEqual([]);

    const streamed = new StreamWorld();
    await streamed.handler()(event(...data.map((one, index) => kinesisRecord(index + 1, one))), context);
    const withoutSource = ({ source: _source, source_position: _position, ...rest }: object & Record<string, unknown>) => rest;
    expect(linesOf(answer).map(withoutSource)).toEqual(streamed.archived().map((line) => withoutSource({ ...line })));
    expect(linesOf(answer)[0]).toMatchObject({ source: "firehose", source_position: `firehose:fraud:${recordId(1)}` });
  });

  it("answers the same when Firehose repeats the invocation, and counts nothing twice", async () => {
    const world = new StreamWorld();
    const data = [encode(transaction("t-1")), encode(transaction("t-2"))];
    const first = await firehose(world)(delivery(1, ...data), context);
    const states = structuredClone(world.states);
    expect(await firehose(world)(delivery(1, ...data), context)).toEqual(first);
    expect(world.states).toEqual(states);
  });

  it("answers with the first decision when Firehose gives a repeated record another id", async () => {
    const world = new StreamWorld();
    const [data = ""] = transactions(1);
    const first = await firehose(world)(delivery(1, data), context);
    const again = await firehose(world)(delivery(100, data), context);
    expect(linesOf(again)).toEqual(linesOf(first));
    expect(world.results.size).toBe(1);
  });

  it("drops a duplicate of an event of the same delivery, and of one that another trigger archived", async () => {
    const world = new StreamWorld();
    const [known = "", fresh = ""] = transactions(2);
    await world.handler()(event(kinesisRecord(1, known)), context);
    const answer = await firehose(world)(delivery(1, known, fresh, fresh), context);
    expect(results(answer)).toEqual(["Dropped", "Ok", "Dropped"]);
    expect(idsOf(answer)).toEqual(["t-1"]);
  });

  it("drops what is in quarantine, which keeps the whole record", async () => {
    const world = new StreamWorld();
    const answer = await firehose(world)(delivery(1, "%%%", encode({}), ...transactions(1)), context);
    expect(results(answer)).toEqual(["Dropped", "Dropped", "Ok"]);
    expect(world.quarantined().map(({ reason, source }) => [reason, source])).toEqual([
      ["not_base64", "firehose"],
      ["invalid", "firehose"],
    ]);
    expect(world.rawLines()[1]).toMatchObject({ position: `firehose:fraud:${recordId(2)}`, data: encode({}) });
  });

  it("keeps the partition key of a stream that feeds the delivery stream", async () => {
    const world = new StreamWorld();
    const { records, ...rest } = delivery(1, encode({}));
    const kinesisRecordMetadata = {
      shardId: "shardId-000000000000",
      partitionKey: "u-1",
      approximateArrivalTimestamp: ARRIVAL_MS,
      sequenceNumber: "1",
      subsequenceNumber: "0",
    };
    await firehose(world)({ ...rest, records: records.map((record) => ({ ...record, kinesisRecordMetadata })) }, context);
    expect(world.rawLines()).toMatchObject([{ partition_key: "u-1" }]);
  });

  it("brings an event to the archive by another trigger when its answer was lost", async () => {
    const world = new StreamWorld();
    const [data = ""] = transactions(1);
    await firehose(world)(delivery(1, data), context);
    await world.handler()(event(kinesisRecord(1, data)), context);
    expect(world.archived()).toMatchObject([{ event_id: "t-0", source: "firehose" }]);
    // From now on it is known to be archived.
    expect(results(await firehose(world)(delivery(2, data), context))).toEqual(["Dropped"]);
    await world.handler()(event(kinesisRecord(2, data)), context);
    expect(archivedLines(world)).toEqual(["t-0"]);
  });

  it("archives the events itself that the answer has no room for, and never answers with more than the limit", async () => {
    const data = transactions(40);
    const sizes = await firehose(new StreamWorld())(delivery(1, ...data), context);
    const whole = JSON.stringify(sizes).length;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 4_000, max: whole + 1_000 }), async (limit) => {
        const world = new StreamWorld();
        const handler = createFirehoseHandler(world.scorerArgs(), limit);
        const answer = await handler(delivery(1, ...data), context);
        expect(JSON.stringify(answer).length).toBeLessThanOrEqual(limit);
        expect([...idsOf(answer), ...archivedLines(world)].sort()).toEqual(data.map((_, index) => `t-${index}`).sort());
        const again = await handler(delivery(1, ...data), context);
        expect(idsOf(again)).toEqual(idsOf(answer));
        expect(archivedLines(world)).toHaveLength(40 - idsOf(answer).length);
      }),
      { numRuns: 25 },
    );
  });

  it("copies alerts beside the archive, also when an earlier attempt finished others", async () => {
    const world = new StreamWorld();
    const risky = (id: string) =>
      encode(transaction(id, { user_id: id, amount: 20_000, location_mismatch: 1, velocity_flag: 1 }));
    const answer = await firehose(world)(delivery(1, ...transactions(1), risky("r-1"), risky("r-2")), context);
    expect(results(answer)).toEqual(["Ok", "Ok", "Ok"]);
    expect(world.archived("high-risk").map(({ event_id }) => event_id)).toEqual(["r-1", "r-2"]);
    expect(world.published).toHaveLength(2);
  });

  it("fails the invocation when no record could be finished, so that Firehose repeats it", async () => {
    const world = new StreamWorld();
    world.faults = () => "before";
    await expect(firehose(world)(delivery(1, ...transactions(2)), context)).rejects.toMatchObject({ code: "nothing_finished" });
    world.faults = () => "none";
    expect(results(await firehose(world)(delivery(1, ...transactions(2)), context))).toEqual(["Ok", "Ok"]);
  });

  it("answers ProcessingFailed for the records that it has no time for", async () => {
    const world = new StreamWorld();
    const [, second = ""] = transactions(2);
    world.ports.results.create = async (result) => {
      if (result.eventId === "t-1") throw new Error("no answer");
      world.results.set(result.eventId, result);
      return "created";
    };
    const answer = await firehose(world)(delivery(1, ...transactions(2)), context);
    expect(results(answer)).toEqual(["Ok", "ProcessingFailed"]);
    expect(answer.records[1]).toEqual({ recordId: recordId(2), result: "ProcessingFailed" });
    expect(second).not.toBe("");
  });

  it("finds the record that makes the code fail, quarantines it alone and answers its neighbours", async () => {
    const world = new StreamWorld();
    const profile = {
      ...PROFILES.fraud,
      columns: (...args: Parameters<typeof PROFILES.fraud.columns>) => {
        if (JSON.stringify(args[0]).includes("t-3")) throw new RecordFault(new Error("unexpected"));
        return PROFILES.fraud.columns(...args);
      },
    };
    const answer = await firehose(world, { profile })(delivery(1, ...transactions(7)), context);
    expect(results(answer)).toEqual(["Ok", "Ok", "Ok", "Dropped", "Ok", "Ok", "Ok"]);
    expect(world.quarantined()).toHaveLength(1);
  });

  it("answers nothing for no records", async () => {
    expect(await firehose(new StreamWorld())(delivery(1), context)).toEqual({ records: [] });
  });

  it("loses no event and counts none twice, whatever fails and however often Firehose tries", async () => {
    const run = async (failing: readonly number[], ids: readonly number[]): Promise<void> => {
      const world = new StreamWorld();
      world.faults = (call) => (failing.includes(call) ? "after" : "none");
      const data = ids.map((id) => encode(transaction(`t-${id}`, { user_id: `u-${id % 3}` })));
      const handler = firehose(world);
      let answer: FirehoseTransformationResult | undefined;
      for (let attempt = 0; attempt < 4 && answer === undefined; attempt++) {
        answer = await handler(delivery(1, ...data), context).catch(() => undefined);
      }
      world.faults = () => "none";
      // A redrive of what went to the error prefix.
      const left = data.filter((_, index) => (answer?.records[index]?.result ?? "ProcessingFailed") === "ProcessingFailed");
      const redriven = await handler(delivery(1000, ...left), context);
      const delivered = [...(answer === undefined ? [] : idsOf(answer)), ...idsOf(redriven), ...archivedLines(world)];
      expect(new Set(delivered)).toEqual(new Set(ids.map((id) => `t-${id}`)));
      expect(world.results.size).toBe(new Set(ids).size);
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 6 }),
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 12 }),
        run,
      ),
      { numRuns: 60 },
    );
  });
});
