/** A disk that takes no more: the services answer with faults of their own, keep what they have, and go on when there is room. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DiskWatch, namingDisk } from "../../src/disk";
import { type SmallPlatform, smallPlatform } from "./small-platform";

const disk = vi.hoisted(() => ({ full: false }));
const noSpace = () => Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  return {
    ...real,
    writeFile: async (...[file, data, options]: Parameters<typeof real.writeFile>) => {
      if (!disk.full) return real.writeFile(file, data, options);
      await real.writeFile(file, "the first part", options);
      throw noSpace();
    },
  };
});
vi.mock("node:fs", async (original) => {
  const real = await original<typeof import("node:fs")>();
  return {
    ...real,
    writeFileSync: (...input: Parameters<typeof real.writeFileSync>) => {
      if (disk.full) throw noSpace();
      real.writeFileSync(...input);
    },
  };
});

let platform: SmallPlatform;
beforeEach(async () => {
  platform = await smallPlatform();
});
afterEach(async () => {
  disk.full = false;
  vi.useRealTimers();
  await platform.end();
});

/** No page can be added to the database. */
function fill(): void {
  const pages = Number(platform.context.db.prepare("PRAGMA page_count").get()?.page_count);
  platform.context.db.exec(`PRAGMA max_page_count = ${pages}`);
}
const makeRoom = () => platform.context.db.exec("PRAGMA max_page_count = 1000000");

const text = "x".repeat(100_000);

describe("a full disk", () => {
  it("is a server error of DynamoDB, and no item is half written", async () => {
    const client = new DynamoDBClient(platform.client());
    await platform.dynamodb.tables.create({
      TableName: "items",
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    });
    const put = new PutItemCommand({ TableName: "items", Item: { id: { S: "1" }, text: { S: text } } });
    fill();
    await expect(client.send(put)).rejects.toMatchObject({ name: "InternalServerError", $metadata: { httpStatusCode: 500 } });
    const get = new GetItemCommand({ TableName: "items", Key: { id: { S: "1" } } });
    expect((await client.send(get)).Item).toBeUndefined();
    makeRoom();
    await client.send(put);
    expect((await client.send(get)).Item?.text?.S).toBe(text);
  });

  it("is unavailability of any other service", async () => {
    const client = new SSMClient(platform.client());
    const put = new PutParameterCommand({ Name: "/p", Type: "String", Value: text.slice(0, 4096) });
    fill();
    await expect(client.send(put)).rejects.toMatchObject({
      name: "ServiceUnavailable",
      message: expect.stringContaining("disk"),
      $metadata: { httpStatusCode: 503 },
    });
    makeRoom();
    await client.send(put);
  });

  it("leaves no part of an object behind, and the old object in place", async () => {
    const client = new S3Client({ ...platform.client(), forcePathStyle: true });
    const object = { Bucket: "data", Key: "k" };
    platform.s3.store.createBucket("data");
    await client.send(new PutObjectCommand({ ...object, Body: "old" }));
    disk.full = true;
    await expect(client.send(new PutObjectCommand({ ...object, Body: "new" }))).rejects.toMatchObject({
      name: "ServiceUnavailable",
      $metadata: { httpStatusCode: 503 },
    });
    disk.full = false;
    expect(readdirSync(join(platform.context.dataDir, "s3"))).toHaveLength(1);
    expect(await (await client.send(new GetObjectCommand(object))).Body?.transformToString()).toBe("old");
  });

  it("is reported once with the folder, and again when it takes writes", () => {
    vi.useFakeTimers();
    const folder = mkdtempSync(join(tmpdir(), "disk-"));
    const lines: string[] = [];
    const watch = new DiskWatch(folder, (line) => lines.push(line));
    disk.full = true;
    expect([watch.report(noSpace()), watch.report(noSpace()), watch.report(new Error("other"))]).toEqual([true, true, false]);
    vi.advanceTimersByTime(3000);
    expect(lines).toEqual([expect.stringContaining(`The disk of ${folder} refuses writes`)]);
    disk.full = false;
    vi.advanceTimersByTime(1000);
    expect(lines.slice(1)).toEqual([`The disk of ${folder} takes writes again.`]);
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  it("is named when it stops a start, whatever it stopped", () => {
    const failed = new Error("aws:s3/bucket:Bucket (data): no space left", { cause: noSpace() });
    expect(String(namingDisk(failed, "/data/dev"))).toBe(
      "Error: The disk of /data/dev refuses writes; free some space and start again. aws:s3/bucket:Bucket (data): no space left",
    );
    const other = new Error("other");
    expect(namingDisk(other, "/data/dev")).toBe(other);
  });
});
