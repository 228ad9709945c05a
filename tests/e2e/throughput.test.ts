/** A table that is slower than its stream: records wait, and none is lost, given up or counted twice. */
import { PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { lines, scan, settled, startWorld, transactions, type World } from "./support";

let world: World;
beforeAll(async () => {
  world = await startWorld({ metering: "enforced" });
}, 60_000);
afterAll(() => world?.stop());

it("stores a burst beyond the table's units late, but completely and once", async () => {
  const { names, clients, platform } = world;
  const table = names.resultsTable;
  const meter = platform.services.dynamodb.meter;
  const bodies = transactions("burst", 120, 17);
  // No burst credit, and 20 units a second, which auto scaling may reach: this takes seconds, not minutes.
  await platform.services.dynamodb.tables.update({
    TableName: table,
    ProvisionedThroughput: { ReadCapacityUnits: 20, WriteCapacityUnits: 20 },
  });
  const writes = () => meter.usage().find((usage) => usage.table === table && usage.kind === "Write");
  const saved = 5 * 300;
  meter.take(table, "Write", saved);
  meter.spend(table, "Write", saved);
  const Records = bodies.map((body) => ({ PartitionKey: body.user_id, Data: Buffer.from(JSON.stringify(body)) }));
  await clients.kinesis.send(new PutRecordsCommand({ StreamName: names.streamName, Records }));
  await settled(world, 60_000);
  expect(writes()?.refused).toBeGreaterThan(0);
  // A retried write that was refused for lack of units is free; one that finds its own result is not.
  expect((writes()?.consumed ?? 0) - saved).toBeLessThan(bodies.length * 1.5);
  const ids = bodies.map(({ transaction_id }) => transaction_id).sort();
  // Directly from the store, because a scan through the endpoint would consume units.
  const archived = (await lines(world, "archive/fraud/")).map((line) => String(line.event_id)).sort();
  expect(archived).toEqual(ids);
  expect(await lines(world, "aws/lambda/")).toEqual([]);
  expect(await lines(world, "quarantine/")).toEqual([]);
  await platform.services.dynamodb.tables.update({ TableName: table, BillingMode: "PAY_PER_REQUEST" });
  const items = await scan(world, table);
  expect(items.map(({ transaction_id }) => transaction_id?.S).sort()).toEqual(ids);
}, 120_000);
