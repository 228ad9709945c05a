import { describe, expect, it } from "vitest";
import { addStream, call, world } from "../messaging/helpers";

const data = (text: string) => Buffer.from(text).toString("base64");

describe("Kinesis", () => {
  it("keeps the order of a key and reads with every iterator type", async () => {
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
    const [first, second] = put.Records;
    expect(first?.SequenceNumber).toHaveLength(56);
    advance(1000);
    const read = async (type: string, extra: object = {}) => {
      const { ShardIterator } = await call(kinesis, "GetShardIterator", {
        StreamName: "s",
        ShardId: first?.ShardId,
        ShardIteratorType: type,
        ...extra,
      });
      const answer = await call<{ Records: { Data: string }[] }>(kinesis, "GetRecords", { ShardIterator });
      return answer.Records.map((record) => Buffer.from(record.Data, "base64").toString());
    };
    expect(await read("TRIM_HORIZON")).toEqual(["a", "b", "c"]);
    expect(await read("LATEST")).toEqual([]);
    expect(await read("AT_SEQUENCE_NUMBER", { StartingSequenceNumber: second?.SequenceNumber })).toEqual(["b", "c"]);
    expect(await read("AFTER_SEQUENCE_NUMBER", { StartingSequenceNumber: second?.SequenceNumber })).toEqual(["c"]);
    expect(await read("AT_TIMESTAMP", { Timestamp: Date.UTC(2026, 0, 15, 12, 0, 1) / 1000 })).toEqual([]);
    expect(kinesis.readShard("s", first?.ShardId ?? "", first?.SequenceNumber ?? "", 1)).toMatchObject({
      closed: false,
      records: [{ partitionKey: "k" }],
    });
    advance(24 * 3_600_000);
    expect(await read("TRIM_HORIZON")).toEqual([]);
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
    const { Shards } = await call<{ Shards: Record<string, unknown>[] }>(kinesis, "ListShards", { StreamName: "s" });
    expect(Shards.at(-1)).toMatchObject({ ParentShardId: "shardId-000000000004", AdjacentParentShardId: "shardId-000000000005" });
    const summary = await call<{ StreamDescriptionSummary: object }>(kinesis, "DescribeStreamSummary", { StreamName: "s" });
    expect(summary.StreamDescriptionSummary).toMatchObject({ StreamStatus: "ACTIVE", OpenShardCount: 2, EncryptionType: "NONE" });
    expect(await call(kinesis, "ListStreams", {})).toMatchObject({ StreamNames: ["s"], HasMoreStreams: false });
  });

  it("leads a reader from a closed shard to its children", async () => {
    const { kinesis } = world();
    addStream(kinesis, "s");
    kinesis.store.scale("s", 2);
    const { ShardIterator } = await call(kinesis, "GetShardIterator", {
      StreamName: "s",
      ShardId: "shardId-000000000000",
      ShardIteratorType: "TRIM_HORIZON",
    });
    const answer = await call<Record<string, unknown>>(kinesis, "GetRecords", { ShardIterator });
    expect(answer).not.toHaveProperty("NextShardIterator");
    expect(answer.ChildShards).toMatchObject([
      { ShardId: "shardId-000000000001", ParentShards: ["shardId-000000000000"] },
      { ShardId: "shardId-000000000002", ParentShards: ["shardId-000000000000"] },
    ]);
  });

  it("refuses what it does not know by name", async () => {
    const { kinesis } = world();
    addStream(kinesis, "s");
    const put = (more: object) => call(kinesis, "PutRecord", { StreamName: "s", Data: "", PartitionKey: "k", ...more });
    await expect(call(kinesis, "SubscribeToShard", {})).rejects.toThrow(/SubscribeToShard/);
    await expect(put({ ExplicitHashKey: "1" })).rejects.toThrow(/ExplicitHashKey/);
    await expect(put({ StreamName: "none" })).rejects.toThrow(/none not found/);
    await expect(call(kinesis, "GetRecords", { ShardIterator: "mine" })).rejects.toThrow(
      /not one that GetShardIterator returned/,
    );
  });
});
