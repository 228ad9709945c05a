/** One stream with records in every format, put by unmodified clients. */
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import {
  GetSchemaByDefinitionCommand,
  GetSchemaVersionCommand,
  GlueClient,
  RegisterSchemaVersionCommand,
} from "@aws-sdk/client-glue";
import { PutRecordsCommand } from "@aws-sdk/client-kinesis";
import avsc from "avsc";
import { afterAll, beforeAll, expect, it } from "vitest";
import { fingerprint } from "../../functions/formats/avro/fingerprint";
import { parseSchema } from "../../functions/formats/avro/schema";
import { aggregateOf } from "../helpers/aggregate";
import { connection, lines, rawRecords, scan, settled, startWorld, transactions, until, type World } from "./support";

let world: World;
let glue: GlueClient;
beforeAll(async () => {
  world = await startWorld();
  glue = new GlueClient(connection(world));
}, 180_000);
afterAll(async () => {
  glue?.destroy();
  await world?.stop();
});

const header = (versionId: string, compression = 0) => Buffer.from(`030${compression}${versionId.replaceAll("-", "")}`, "hex");
const codec = (schema: string) => avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema, { wrapUnions: false });

it("scores records of every format in one stream alike, and sets aside only what can't be read", async () => {
  const RegistryName = world.names.schemaRegistry ?? "";
  const SchemaId = { RegistryName, SchemaName: "Transaction" };
  const latest = await glue.send(new GetSchemaVersionCommand({ SchemaId, SchemaVersionNumber: { LatestVersion: true } }));
  const { SchemaDefinition: platform = "" } = latest;
  const { SchemaVersionId: known = "" } = await glue.send(
    new GetSchemaByDefinitionCommand({ SchemaId, SchemaDefinition: platform }),
  );
  // A producer adds a field of its own.
  const newer = JSON.parse(platform) as { fields: object[] };
  newer.fields.unshift({ name: "terminal", type: ["null", "string"], default: null });
  const own = JSON.stringify(newer);
  const registered = await glue.send(new RegisterSchemaVersionCommand({ SchemaId, SchemaDefinition: own }));
  expect([registered.VersionNumber, registered.Status]).toEqual([2, "AVAILABLE"]);

  const events = transactions("formats", 9, 1);
  const json = events.map((event) => Buffer.from(JSON.stringify(event)));
  const absent = Object.fromEntries((JSON.parse(own) as { fields: { name: string }[] }).fields.map(({ name }) => [name, null]));
  const avro = (schema: string, index: number) => codec(schema).toBuffer({ ...absent, ...events[index] });
  const print = Buffer.from(`c301${fingerprint(parseSchema(platform))}`, "hex");
  const ownPrint = Buffer.from(`c301${fingerprint(parseSchema(own))}`, "hex");
  const unknown = header("00000000-0000-4000-8000-000000000000");
  const records = [
    json[0]!,
    gzipSync(json[1]!),
    zstdCompressSync(json[2]!),
    aggregateOf("formats-user-0", [json[3]!, gzipSync(json[4]!), Buffer.from("no JSON")]),
    Buffer.concat([header(known), avro(platform, 5)]),
    Buffer.concat([header(registered.SchemaVersionId ?? "", 5), deflateSync(avro(own, 6))]),
    Buffer.concat([print, avro(platform, 7)]),
    Buffer.concat([ownPrint, avro(own, 8)]),
    Buffer.concat([unknown, avro(platform, 0)]),
  ];
  const Records = records.map((Data) => ({ Data, PartitionKey: "formats-user-0" }));
  const put = await world.clients.kinesis.send(new PutRecordsCommand({ StreamName: world.names.streamName, Records }));
  expect(put.FailedRecordCount).toBe(0);

  await until("nine transactions are scored", async () => (await scan(world, world.names.resultsTable)).length === 9, 120_000);
  await settled(world, 60_000);
  const archived = await lines(world, "archive/fraud/");
  const byId = new Map(archived.map((line) => [line.event_id, line]));
  expect([...byId.keys()].sort()).toEqual(events.map(({ transaction_id }) => transaction_id));
  // The counts of the same events sent as JSON.
  const counts = events.map(
    ({ transaction_id }) => (byId.get(transaction_id) as { features: { count_1h: number } }).features.count_1h,
  );
  expect(counts).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const quarantined = await lines(world, "quarantine/fraud/");
  expect(quarantined.map(({ reason }) => reason).sort()).toEqual(["not_json", "unknown_schema"]);
  expect((await rawRecords(world)).map(({ text }) => text)).toContain("no JSON");
}, 240_000);
