import { describe, expect, it } from "vitest";
import { addStream, call, world } from "../messaging/helpers";

const data = (text: string) => Buffer.from(text).toString("base64");

describe("Kinesis", () => {
  it("keeps the order of a key, and reads from the start and after a sequence number until the retention ends", async () => {
    const { kinesis, advance } = world();
    addStream(kinesis, "s", 2);
    let woken = 0;
    kinesis.onRecords("s", () => woken++);
    const put = await call<{ Records: { ShardId: string; SequenceNumber: string }[] }>(kinesis, "PutRecords", {
      StreamARN: kinesis.arnOf("s"),
      Records: ["a", "b", "c"].map((text) => ({ Data: data(text), PartitionKey: "k" })),
    });
    expect(put).toMatchObject({ FailedRecordCount: 0 });
    expect(woken).toBe(1);
    const { ShardId = "", SequenceNumber = "" } = put.Records[1] ?? {};
    expect(SequenceNumber).toHaveLength(56);
    const read = (after: string) => kinesis.readShard("s", ShardId, after, 10).records.map((record) => String(record.data));
    expect(read("")).toEqual(["a", "b", "c"]);
    expect(read(SequenceNumber)).toEqual(["c"]);
    advance(24 * 3_600_000);
    expect(read("")).toEqual([]);
  });

  it("spreads keys over shards, splits and merges", async () => {
    const { kinesis } = world();
    addStream(kinesis, "s", 2);
    const put = (PartitionKey: string) => call(kinesis, "PutRecord", { StreamName: "s", Data: data(PartitionKey), PartitionKey });
    // MD5 of "a" begins with 0c, of "b" with 92.
    expect([await put("a"), await put("b")]).toMatchObject([
      { ShardId: "shardId-000000000000" },
      { ShardId: "shardId-000000000001" },
    ]);
    kinesis.store.scale("s", 4);
    expect(kinesis.store.openShards("s")).toHaveLength(4);
    kinesis.store.scale("s", 2);
    expect(kinesis.store.openShards("s").map((shard) => shard.start)).toEqual([0n, 2n ** 127n]);
    expect(kinesis.readShard("s", "shardId-000000000001", "", 1)).toMatchObject({
      closed: true,
      records: [{ partitionKey: "b" }],
    });
    expect(kinesis.shardsOf("s").at(-1)).toMatchObject({
      parent: "shardId-000000000004",
      adjacentParent: "shardId-000000000005",
    });
  });

  it("refuses what it does not know by name", async () => {
    const { kinesis } = world();
    addStream(kinesis, "s");
    const put = (more: object) => call(kinesis, "PutRecord", { StreamName: "s", Data: "", PartitionKey: "k", ...more });
    await expect(call(kinesis, "SubscribeToShard", {})).rejects.toThrow(/SubscribeToShard/);
    await expect(put({ ExplicitHashKey: "1" })).rejects.toThrow(/ExplicitHashKey/);
    await expect(put({ StreamName: "none" })).rejects.toThrow(/none not found/);
    await expect(put({ StreamARN: kinesis.arnOf("other") })).rejects.toThrow(/name different streams/);
  });
});
