/** An event is scored the same, once, whichever way it came and whatever it was wrapped in. */
import { gzipSync, zstdCompressSync } from "node:zlib";
import avsc from "avsc";
import type { FirehoseTransformationEvent, SQSEvent, SQSRecord } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { fingerprint } from "../../../functions/formats/avro/fingerprint";
import { avroSchemaOf } from "../../../functions/formats/avro/profile-schema";
import { parseSchema } from "../../../functions/formats/avro/schema";
import { PROFILES } from "../../../functions/scoring/profiles";
import { createFirehoseHandler } from "../../../functions/stream/firehose";
import { messageBody } from "../../../functions/stream/queue-message";
import { Random } from "../../../simulation/kernel/random";
import { aggregateOf } from "../../helpers/aggregate";
import { FileWorld } from "../../helpers/file-world";
import { ARRIVAL_MS, context, event, kinesisRecord } from "../../helpers/stream-world";

const { fraud } = PROFILES;

interface Transaction {
  readonly transaction_id: string;
  readonly [field: string]: string | number;
}

/** Card use of a few hundred users over ten days, in the order of its times, with bursts and journeys. */
function transactions(count: number, seed: number): Transaction[] {
  const random = new Random(seed);
  let at = ARRIVAL_MS - 10 * 86_400_000;
  return Array.from({ length: count }, (_, index) => {
    at += random.between(1, 60_000);
    return {
      transaction_id: `t-${index}`,
      user_id: `u-${random.chance(0.1) ? random.between(0, 3) : random.between(0, 300)}`,
      amount: random.between(-20, 120_000) / 100,
      timestamp: new Date(at).toISOString(),
      currency: random.pick(["USD", "USD", "EUR"]),
      category: random.pick(["grocery_pos", "travel", "gambling"]),
      country: random.pick(["US", "US", "US", "DE"]),
      latitude: random.between(300, 500) / 10,
      longitude: random.between(-900, 100) / 10,
      device_id: `d-${random.between(0, 3)}`,
    };
  });
}

const json = (one: Transaction): Buffer => Buffer.from(JSON.stringify(one));
const schema = avroSchemaOf(fraud.id, fraud.schema);
const codec = avsc.Type.forSchema(schema as avsc.Schema, { wrapUnions: false });
const absent = Object.fromEntries(schema.fields.map(({ name }) => [name, null]));
const singleObject = Buffer.from(`c301${fingerprint(parseSchema(JSON.stringify(schema)))}`, "hex");
const avro = (one: Transaction): Buffer => Buffer.concat([singleObject, codec.toBuffer({ ...absent, ...one })]);

/** All the ways into one platform. */
class Platform {
  readonly files = new FileWorld();
  readonly stream = this.files.stream;
  readonly #kinesis = this.stream.handler();
  readonly #queue = this.stream.queueHandler();
  readonly #firehose = createFirehoseHandler(this.stream.scorerArgs());
  readonly #file = this.files.handler({ rowsPerBatch: 500 });
  #sequence = 0;

  async kinesis(records: readonly Buffer[]): Promise<void> {
    const batch = records.map((data) => kinesisRecord(++this.#sequence, data.toString("base64")));
    expect(await this.#kinesis(event(...batch), context)).toEqual({ batchItemFailures: [] });
  }

  async queue(bodies: readonly string[]): Promise<void> {
    const Records = bodies.map((body) => ({
      messageId: `m-${++this.#sequence}`,
      body,
      attributes: { SentTimestamp: String(ARRIVAL_MS) },
      eventSourceARN: "arn:aws:sqs:us-east-1:000000000000:fraud-events",
    }));
    expect(await this.#queue({ Records: Records as unknown[] as SQSRecord[] } as SQSEvent, context)).toEqual({
      batchItemFailures: [],
    });
  }

  async firehose(records: readonly Buffer[]): Promise<void> {
    const delivery: FirehoseTransformationEvent = {
      invocationId: "one",
      deliveryStreamArn: "arn:aws:firehose:us-east-1:000000000000:deliverystream/fraud",
      region: "us-east-1",
      records: records.map((data) => ({
        recordId: String(++this.#sequence),
        approximateArrivalTimestamp: ARRIVAL_MS,
        data: data.toString("base64"),
      })),
    };
    const answer = await this.#firehose(delivery, context);
    expect(new Set(answer.records.map(({ result }) => result))).toEqual(new Set(["Ok"]));
  }

  async file(name: string, content: string | Buffer): Promise<void> {
    this.files.put(`incoming/${++this.#sequence}-${name}`, content, { preset: "none" }, `v${this.#sequence}`);
    await this.files.run(this.#file);
  }
}

const envelope = (one: Transaction): string =>
  JSON.stringify({ version: "0", id: `e-${one.transaction_id}`, source: "shop", "detail-type": "Paid", detail: one });
const rest = (one: Transaction): string =>
  messageBody({ source: "rest", id: `r-${one.transaction_id}`, event: JSON.stringify(one) });
const csv = (batch: readonly Transaction[]): string => {
  const names = Object.keys(batch[0] ?? {});
  return [names, ...batch.map((one) => names.map((name) => one[name]))].map((cells) => cells.join(";")).join("\n");
};

type Way = (platform: Platform, batch: readonly Transaction[]) => Promise<void>;
const WAYS: Readonly<Record<string, Way>> = {
  "JSON through Kinesis": (platform, batch) => platform.kinesis(batch.map(json)),
  "gzip through Kinesis": (platform, batch) => platform.kinesis(batch.map((one) => gzipSync(json(one)))),
  "aggregates of Zstandard through Kinesis": (platform, batch) =>
    platform.kinesis([
      aggregateOf(
        "key",
        batch.map((one) => zstdCompressSync(json(one))),
      ),
    ]),
  "Avro through Kinesis": (platform, batch) => platform.kinesis(batch.map(avro)),
  EventBridge: (platform, batch) => platform.queue(batch.map(envelope)),
  "POST /events": (platform, batch) => platform.queue(batch.map(rest)),
  "Data Firehose": (platform, batch) => platform.firehose(batch.map(json)),
  "Avro through Data Firehose": (platform, batch) => platform.firehose(batch.map(avro)),
  "a file of NDJSON": (platform, batch) => platform.file("a.ndjson.gz", gzipSync(batch.map(json).join("\n"))),
  "a file of JSON": (platform, batch) => platform.file("a.json", JSON.stringify(batch)),
  "a file of CSV": (platform, batch) => platform.file("a.csv", csv(batch)),
};

async function deliver(all: readonly Transaction[], size: () => number, way: () => Way): Promise<Platform> {
  const platform = new Platform();
  for (let start = 0, count = 0; start < all.length; start += count) {
    count = size();
    await way()(platform, all.slice(start, start + count));
  }
  return platform;
}

/** What was decided about each event, from which features. */
const decisionsOf = ({ stream }: Platform) =>
  new Map(
    [...stream.results.values()].map(({ eventId, decision, featureList, inputHash }) => [
      eventId,
      { decision, featureList, inputHash },
    ]),
  );
const statesOf = ({ stream }: Platform) => new Map([...stream.states].map(([user, { state }]) => [user, state]));

const random = new Random(7);
const SOME = transactions(1_500, 1);
const MANY = transactions(20_000, 2);

describe("events that come in order", () => {
  const streamed = deliver(
    SOME,
    () => 500,
    () => WAYS["JSON through Kinesis"]!,
  );

  it.each(Object.entries(WAYS))("have the decisions and counts of a stream of JSON: %s", async (_, way) => {
    const expected = await streamed;
    const platform = await deliver(
      SOME,
      () => 300,
      () => way,
    );
    expect(platform.stream.quarantined()).toEqual([]);
    expect(decisionsOf(platform)).toEqual(decisionsOf(expected));
    expect(statesOf(platform)).toEqual(statesOf(expected));
  });

  it("have them as well when 20,000 are split at random among all ways", async () => {
    const ways = Object.values(WAYS);
    const [expected, mixed] = [
      await deliver(
        MANY,
        () => 500,
        () => WAYS["JSON through Kinesis"]!,
      ),
      await deliver(
        MANY,
        () => random.between(1, 120),
        () => ways[random.between(0, ways.length - 1)]!,
      ),
    ];
    const decisions = decisionsOf(expected);
    expect(decisions.size).toBe(MANY.length);
    expect(decisionsOf(mixed)).toEqual(decisions);
    expect(statesOf(mixed)).toEqual(statesOf(expected));
  }, 120_000);
});
