/**
 * A record in Glue's wire format → the JSON value that the schema check gets: header, schema look-up, resolution against the platform's
 * schema, bounds. The peers decode the same bytes without the header, by the writer's schema alone; `JSON.parse` gets the same events as text.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { avroSchemaOf } from "../functions/formats/avro/profile-schema";
import { createWriterSchemas } from "../functions/formats/avro/writer-schemas";
import { createRecordFormats } from "../functions/formats/decode";
import { FRAUD_SCHEMA } from "../functions/scoring/profiles/fraud/schema";
import { systemClock } from "../functions/shared/clock";
import type { Bench, BenchResult } from "./types";

const RECORDS = 2_000;
const WARM_UP = 20;
const ROUNDS = 60;
const VERSION = "5d0c5d8a-93a8-4e4b-9b8f-0c3a1f7e2d11";
const HEADER = Buffer.from(`0300${VERSION.replaceAll("-", "")}`, "hex");

/** What is used of both peers. */
interface Codec {
  toBuffer(value: unknown): Buffer;
  fromBuffer(bytes: Buffer): unknown;
}

/** What an ordinary producer writes: its own fields, in its own order. */
const WRITER = {
  type: "record",
  name: "Payment",
  fields: [
    { name: "transaction_id", type: "string" },
    { name: "user_id", type: "string" },
    { name: "timestamp", type: "string" },
    { name: "amount", type: "double" },
    { name: "currency", type: "string" },
    { name: "category", type: "string" },
    { name: "country", type: "string" },
    { name: "device_id", type: "string" },
    { name: "latitude", type: "double" },
    { name: "longitude", type: "double" },
    { name: "card_present", type: "boolean" },
  ],
} as const;

const payment = (index: number) => ({
  transaction_id: `bench-${index}-5d0c5d8a93a84e4b`,
  user_id: `user-${index % 500}`,
  timestamp: "2026-03-01T12:00:00Z",
  amount: 10 + (index % 97) / 4,
  currency: "USD",
  category: "groceries",
  country: "US",
  device_id: `device-${index % 500}`,
  latitude: 40.71 + index / 1e4,
  longitude: -74.01,
  card_present: index % 2 === 0,
});

async function run(): Promise<BenchResult> {
  const peerRequire = createRequire(join(process.cwd(), "bench", "peers", "package.json"));
  const avroJs: Codec = (peerRequire("avro-js") as { parse(schema: unknown): Codec }).parse(WRITER);
  const avsc: Codec = (peerRequire("avsc") as { Type: { forSchema(schema: unknown): Codec } }).Type.forSchema(WRITER);

  const events = Array.from({ length: RECORDS }, (_, index) => payment(index));
  const data = events.map((event) => avsc.toBuffer(event));
  const records = data.map((bytes) => Buffer.concat([HEADER, bytes]));
  const texts = events.map((event) => Buffer.from(JSON.stringify(event)));
  const schemas = createWriterSchemas({
    reader: JSON.stringify(avroSchemaOf("fraud", FRAUD_SCHEMA)),
    registry: { schema: async () => JSON.stringify(WRITER), versions: async () => [] },
    clock: systemClock,
  });
  const decode = await createRecordFormats(schemas).decoderFor(records);
  for (const [index, record] of records.entries()) {
    const decoded = decode(record);
    const value = decoded.ok ? (decoded.value as Readonly<Record<string, unknown>>) : {};
    for (const [name, member] of Object.entries(events[index] ?? {})) {
      if (value[name] !== member) throw new Error(`Record ${index} isn't read as it was written: ${name}.`);
    }
  }

  const contestants: Readonly<Record<string, readonly [readonly Buffer[], (bytes: Buffer) => unknown]>> = {
    ours: [records, decode],
    "avro-js": [data, (bytes) => avroJs.fromBuffer(bytes)],
    avsc: [data, (bytes) => avsc.fromBuffer(bytes)],
    "JSON.parse": [texts, (bytes) => JSON.parse(bytes.toString("latin1")) as unknown],
  };
  const rates: Record<string, number[]> = {};
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const [name, [all, contestant]] of Object.entries(contestants)) {
      const start = performance.now();
      for (const bytes of all) contestant(bytes);
      const rate = (all.length / (performance.now() - start)) * 1000;
      if (round >= WARM_UP) rates[name] = [...(rates[name] ?? []), rate];
    }
  }
  const { ours = 0, ...peers } = Object.fromEntries(Object.entries(rates).map(([name, all]) => [name, median(all)]));
  const bytes = Math.round(data.reduce((sum, { length }) => sum + length, 0) / data.length);
  const note = `records/s, median of ${ROUNDS} rounds; ${bytes} bytes a record, eleven fields; ours with header, resolution to ${Object.keys(FRAUD_SCHEMA.properties ?? {}).length} fields and bounds`;
  return { ours, peers, note };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

export const bench: Bench = { id: "avro.decode", unit: "records/s", better: "higher", run };
