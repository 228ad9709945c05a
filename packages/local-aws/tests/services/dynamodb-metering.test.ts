/** Provisioned tables take what AWS lets them take: their units a second, five minutes of saved ones, and no more. */
import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, it } from "vitest";
import type { GraphResource, LocalContext } from "../../src/contracts";
import type { Metering, Usage } from "../../src/services/dynamodb";
import { DynamoDbService, dynamoDbBodies } from "../../src/services/dynamodb";

const TableName = "results";
const THROTTLED = "ProvisionedThroughputExceededException";
const BURST = 300;

let now: number;
let dynamodb: DynamoDbService;
let metrics: Map<string, number>;
let refusals: Usage[];

function service(metering: Metering): DynamoDbService {
  const context: LocalContext = {
    region: "us-east-1",
    accountId: "000000000000",
    endpointUrl: "",
    db: new DatabaseSync(":memory:"),
    dataDir: "",
    clock: { now: () => now },
    log: () => {},
  };
  return new DynamoDbService(context, {
    gate: { callerPermissions: () => [] },
    metering,
    metrics: (namespace, name, { TableName: table }, value) => {
      const id = `${namespace} ${name} ${table}`;
      metrics.set(id, (metrics.get(id) ?? 0) + value);
    },
    onFirstRefusal: (usage) => refusals.push(usage),
  });
}

const createTable = (target: DynamoDbService, units: { read: number; write: number } | undefined) =>
  target.tables.create({
    TableName,
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    ...(units === undefined
      ? { BillingMode: "PAY_PER_REQUEST" }
      : { ProvisionedThroughput: { ReadCapacityUnits: units.read, WriteCapacityUnits: units.write } }),
  });

const item = (id: string, bytes = 0) => ({ id: { S: id }, ...(bytes === 0 ? {} : { text: { S: "x".repeat(bytes) } }) });
const put = (id: string, bytes = 0, more: object = {}) =>
  dynamodb.call("PutItem", { TableName, Item: item(id, bytes), ReturnConsumedCapacity: "TOTAL", ...more });
const units = async (answer: Promise<Record<string, unknown>>) =>
  (((await answer).ConsumedCapacity ?? {}) as { CapacityUnits?: number }).CapacityUnits;
const written = () => metrics.get(`AWS/DynamoDB ConsumedWriteCapacityUnits ${TableName}`) ?? 0;
const consumedRead = () => metrics.get(`AWS/DynamoDB ConsumedReadCapacityUnits ${TableName}`) ?? 0;
/** Leaves so many write units. */
async function leaveWrites(count: number): Promise<void> {
  for (let used = 0; used < BURST * 5 - count; used += 100)
    await put(`filler-${used}`, Math.min(100, BURST * 5 - count - used) * 1024 - 100);
}

beforeEach(async () => {
  now = Date.UTC(2026, 10, 21);
  metrics = new Map();
  refusals = [];
  dynamodb = service("enforced");
  await createTable(dynamodb, { read: 5, write: 5 });
});

describe("a provisioned table", () => {
  it("costs a write unit for each kilobyte begun, of the larger item before and after", async () => {
    expect(await units(put("a", 1000))).toBe(1);
    expect(await units(put("a", 1025))).toBe(2);
    expect(await units(put("a"))).toBe(2);
    const update = { TableName, Key: { id: { S: "a" } }, ReturnConsumedCapacity: "TOTAL" };
    const text = { ":t": { S: "x".repeat(3000) } };
    expect(
      await units(dynamodb.call("UpdateItem", { ...update, UpdateExpression: "SET t = :t", ExpressionAttributeValues: text })),
    ).toBe(3);
    expect(await units(dynamodb.call("DeleteItem", update))).toBe(3);
    expect(written()).toBe(1 + 2 + 2 + 3 + 3);
  });

  it("costs a failed condition what the item that is there costs, and gives that item without a read", async () => {
    await put("a", 1500);
    const condition = { ConditionExpression: "attribute_not_exists(id)", ReturnValuesOnConditionCheckFailure: "ALL_OLD" };
    await expect(put("a", 5000, condition)).rejects.toMatchObject({
      code: "ConditionalCheckFailedException",
      body: { Item: item("a", 1500) },
    });
    expect(written()).toBe(2 + 2);
    expect(consumedRead()).toBe(0);
    const missing = { TableName, Key: { id: { S: "none" } }, ConditionExpression: "attribute_exists(id)" };
    await expect(dynamodb.call("DeleteItem", missing)).rejects.toMatchObject({ code: "ConditionalCheckFailedException" });
    expect(written()).toBe(5);
  });

  it("costs nothing for a request that is refused for itself", async () => {
    await expect(dynamodb.call("PutItem", { TableName, Item: { id: { N: "1" } } })).rejects.toMatchObject({
      code: "ValidationException",
    });
    expect(written()).toBe(0);
  });

  it("costs a read unit for four kilobytes begun, half of it when eventually consistent", async () => {
    await put("a", 5000);
    const get = { TableName, ReturnConsumedCapacity: "INDEXES" };
    expect(await units(dynamodb.call("GetItem", { ...get, Key: { id: { S: "a" } }, ConsistentRead: true }))).toBe(2);
    expect(await units(dynamodb.call("GetItem", { ...get, Key: { id: { S: "a" } }, ProjectionExpression: "id" }))).toBe(1);
    expect(await units(dynamodb.call("GetItem", { ...get, Key: { id: { S: "none" } } }))).toBe(0.5);
    expect(await units(dynamodb.call("Scan", get))).toBe(1);
    expect(await dynamodb.call("GetItem", { TableName, Key: { id: { S: "a" } } })).not.toHaveProperty("ConsumedCapacity");
  });

  it("takes five minutes of saved units at once, then its units a second, and refuses the rest in AWS's words", async () => {
    await leaveWrites(2);
    await put("a");
    await put("b");
    await expect(put("c")).rejects.toMatchObject({ code: THROTTLED, status: 400 });
    await expect(put("c")).rejects.toThrow(
      "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.",
    );
    now += 1000;
    for (const id of ["c", "d", "e", "f", "g"]) await put(id);
    await expect(put("h")).rejects.toMatchObject({ code: THROTTLED });
    expect(metrics.get(`AWS/DynamoDB WriteThrottleEvents ${TableName}`)).toBe(3);
    expect(refusals).toMatchObject([{ table: TableName, kind: "Write", unitsPerSecond: 5 }]);
    now += 3_600_000;
    await leaveWrites(0);
    await expect(put("i")).rejects.toMatchObject({ code: THROTTLED });
  });

  it("lets a request through that no second could pay for, and is in debt afterwards", async () => {
    await leaveWrites(0);
    now += 1000;
    await put("a", 20 * 1024);
    now += 3000;
    await expect(put("b")).rejects.toMatchObject({ code: THROTTLED });
    now += 1500;
    await put("b");
  });

  it("leaves the keys of a batch unprocessed that it has no units for, and refuses when that is all", async () => {
    const Keys = ["a", "b", "c"].map((id) => ({ id: { S: id } }));
    const reads = { RequestItems: { [TableName]: { Keys, ConsistentRead: true } } };
    for (let left = BURST * 5; left > 2; left -= 3) await dynamodb.call("BatchGetItem", reads).catch(() => {});
    const all = {
      RequestItems: {
        [TableName]: { Keys: Array.from({ length: 8 }, (_, n) => ({ id: { S: `k${n}` } })), ConsistentRead: true },
      },
    };
    now += 1000;
    const partial = await dynamodb.call("BatchGetItem", all);
    expect(partial).toMatchObject({
      UnprocessedKeys: {
        [TableName]: { ConsistentRead: true, Keys: [{ id: { S: "k5" } }, { id: { S: "k6" } }, { id: { S: "k7" } }] },
      },
    });
    await expect(dynamodb.call("BatchGetItem", reads)).rejects.toMatchObject({ code: THROTTLED });
  });

  it("has other units after an update, and none after a change to on demand", async () => {
    await leaveWrites(0);
    await dynamodb.tables.update({ TableName, ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 50 } });
    now += 1000;
    for (let count = 0; count < 50; count++) await put("a");
    await expect(put("a")).rejects.toMatchObject({ code: THROTTLED });
    await dynamodb.tables.update({ TableName, BillingMode: "PAY_PER_REQUEST" });
    for (let count = 0; count < 100; count++) await put("a");
  });
});

it("a table on demand, and any table without metering, take what comes", async () => {
  for (const [metering, table] of [
    ["enforced", undefined],
    ["off", { read: 1, write: 1 }],
  ] as const) {
    dynamodb = service(metering);
    await createTable(dynamodb, table);
    for (let count = 0; count < 400; count++) await put("a");
  }
  expect(metrics.size).toBe(0);
});

it("a table that is only observed takes all, and tells how far it would have fallen behind", async () => {
  dynamodb = service("observed");
  await createTable(dynamodb, { read: 5, write: 5 });
  await leaveWrites(0);
  for (let count = 0; count < 100; count++) await put("a");
  const write = dynamodb.meter.usage().find(({ kind }) => kind === "Write");
  expect(write).toMatchObject({ unitsPerSecond: 5, consumed: 1600, refused: 100, secondsBehind: 20 });
});

describe("the bodies of a table", () => {
  const resource = (type: string, inputs: Record<string, unknown>, ignoreChanges: string[] = []): GraphResource => ({
    ...{ urn: type, type, name: "t", parent: undefined, id: "t", dependsOn: [], protect: false, secretInputs: [] },
    ...{ inputs, state: { name: "kept" }, ignoreChanges },
  });
  const table = { hashKey: "id", attributes: [{ name: "id", type: "S" }] };
  const writeUnits = () =>
    dynamodb.meter.usage().find(({ table: name, kind }) => name === "kept" && kind === "Write")?.unitsPerSecond;
  const bodyOf = (type: string) => dynamoDbBodies(dynamodb).find((body) => body.type === type)!;

  it("change billing mode and units of one that is there, but not units whose changes the program ignores", async () => {
    const { create } = bodyOf("aws:dynamodb/table:Table");
    const apply = (inputs: object, ignore: string[] = []) =>
      create!(resource("aws:dynamodb/table:Table", { ...table, ...inputs }, ignore));
    await apply({ billingMode: "PROVISIONED", readCapacity: 1, writeCapacity: 2 });
    expect(writeUnits()).toBe(2);
    await apply({ billingMode: "PROVISIONED", readCapacity: 1, writeCapacity: 9 }, ["readCapacity", "writeCapacity"]);
    expect(writeUnits()).toBe(2);
    await apply({ billingMode: "PROVISIONED", readCapacity: 1, writeCapacity: 9 });
    expect(writeUnits()).toBe(9);
    await apply({ billingMode: "PAY_PER_REQUEST" });
    expect(writeUnits()).toBeUndefined();
    await apply({ billingMode: "PROVISIONED", readCapacity: 1, writeCapacity: 3 });
    expect(writeUnits()).toBe(3);
  });

  it("bring its units within the limits of its scaling", async () => {
    const { create } = bodyOf("aws:dynamodb/table:Table");
    await create!(
      resource("aws:dynamodb/table:Table", { ...table, billingMode: "PROVISIONED", readCapacity: 1, writeCapacity: 2 }),
    );
    const scale = (minCapacity: number, maxCapacity: number, resourceId = "table/kept") =>
      bodyOf("aws:appautoscaling/target:Target").create!(
        resource("aws:appautoscaling/target:Target", {
          ...{ serviceNamespace: "dynamodb", resourceId, scalableDimension: "dynamodb:table:WriteCapacityUnits" },
          ...{ minCapacity, maxCapacity },
        }),
      );
    await scale(7, 20);
    expect(writeUnits()).toBe(7);
    await scale(1, 4);
    expect(writeUnits()).toBe(4);
    await expect(scale(1, 4, "service/cluster/name")).rejects.toThrow("expected a DynamoDB table's read or write units");
  });
});
