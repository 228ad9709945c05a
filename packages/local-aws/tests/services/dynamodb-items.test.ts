/** Items on SQLite under dynalite's actions: order, pages, all or nothing, and a disk that refuses. */
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { isDiskError } from "../../src/disk";
import { DynamoEngine } from "../../src/services/dynamodb/engine";

const TableName = "visits";
let db: DatabaseSync;
let engine: DynamoEngine;

beforeEach(async () => {
  db = new DatabaseSync(":memory:");
  engine = new DynamoEngine(db, { region: "us-east-1", accountId: "000000000000" });
  const attributes = { user: "S", at: "N", place: "S" };
  await engine.run("CreateTable", {
    TableName,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: Object.entries(attributes).map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
    KeySchema: [
      { AttributeName: "user", KeyType: "HASH" },
      { AttributeName: "at", KeyType: "RANGE" },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: "by-place",
        KeySchema: [{ AttributeName: "place", KeyType: "HASH" }],
        Projection: { ProjectionType: "ALL" },
      },
    ],
  });
  while ((await status()) !== "ACTIVE") await new Promise((resolve) => setImmediate(resolve));
});

const status = async () =>
  ((await engine.run("DescribeTable", { TableName })).Table as { readonly TableStatus: string }).TableStatus;

const put = (user: string, at: number, place = "home") =>
  engine.run("PutItem", { TableName, Item: { user: { S: user }, at: { N: String(at) }, place: { S: place } } });

const query = (input: Readonly<Record<string, unknown>>) => engine.run("Query", { TableName, ...input });
const ofUser = (user: string) => ({
  KeyConditionExpression: "#u = :u",
  ExpressionAttributeNames: { "#u": "user" },
  ExpressionAttributeValues: { ":u": { S: user } },
});
const ofPlace = (place: string) => ({
  IndexName: "by-place",
  KeyConditionExpression: "place = :p",
  ExpressionAttributeValues: { ":p": { S: place } },
});
const times = (output: Readonly<Record<string, unknown>>) =>
  (output.Items as { readonly at: { readonly N: string } }[]).map(({ at }) => Number(at.N));
const rows = () => Number(db.prepare("SELECT count(*) AS n FROM dynamodb_items WHERE space <> 'table'").get()?.n);

describe("items on SQLite", () => {
  it("come in the order of their sort key, both ways and page by page", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: -1_000_000, max: 1_000_000 }), { maxLength: 250 }),
        fc.integer({ min: 1, max: 120 }),
        fc.boolean(),
        fc.uuid(),
        async (values, Limit, forward, user) => {
          for (const value of values) await put(user, value);
          const seen: number[] = [];
          let ExclusiveStartKey: unknown;
          do {
            const start = ExclusiveStartKey === undefined ? {} : { ExclusiveStartKey };
            const page = await query({ ...ofUser(user), Limit, ScanIndexForward: forward, ...start });
            seen.push(...times(page));
            ExclusiveStartKey = page.LastEvaluatedKey;
          } while (ExclusiveStartKey !== undefined);
          expect(seen).toEqual([...values].sort((a, b) => (forward ? a - b : b - a)));
        },
      ),
      { numRuns: 15 },
    );
  });

  it("are scanned whole, over as many pages of the store as there are", async () => {
    for (let index = 0; index < 350; index += 1) await put(`u${index}`, index);
    const scanned = times(await engine.run("Scan", { TableName }));
    expect([...scanned].sort((a, b) => a - b)).toEqual(Array.from({ length: 350 }, (_, index) => index));
  });

  it("move within an index with the attribute that it is over", async () => {
    await put("a", 1, "home");
    await put("a", 1, "work");
    expect(times(await query(ofPlace("home")))).toEqual([]);
    expect(times(await query(ofPlace("work")))).toEqual([1]);
  });

  it("change with their copies in the indexes, or not at all", async () => {
    await put("a", 1, "home");
    db.exec(
      "CREATE TRIGGER refusing BEFORE UPDATE ON dynamodb_items WHEN NEW.space LIKE 'item-%' BEGIN SELECT RAISE(ABORT, 'refused'); END",
    );
    await expect(put("a", 1, "work")).rejects.toThrow("refused");
    expect(times(await query(ofPlace("home")))).toEqual([1]);
    expect(times(await query(ofPlace("work")))).toEqual([]);
  });

  it("go with their table, indexes included", async () => {
    await put("a", 1);
    expect(rows()).toBe(2);
    await engine.run("DeleteTable", { TableName });
    expect(rows()).toBe(0);
  });

  it("are refused by a full disk as a fault of the service, and taken when there is room again", async () => {
    await put("a", 1, "home");
    const { page_count: pages } = db.prepare("PRAGMA page_count").get() ?? {};
    db.exec(`PRAGMA max_page_count = ${Number(pages)}`);
    const large = { user: { S: "b" }, at: { N: "2" }, place: { S: "home" }, text: { S: "x".repeat(300_000) } };
    const error = await engine.run("PutItem", { TableName, Item: large }).catch((thrown: unknown) => thrown);
    expect(isDiskError(error)).toBe(true);
    expect(times(await query(ofPlace("home")))).toEqual([1]);
    db.exec("PRAGMA max_page_count = 1000000");
    await put("b", 2, "home");
    expect(times(await query(ofPlace("home"))).sort()).toEqual([1, 2]);
  });
});
