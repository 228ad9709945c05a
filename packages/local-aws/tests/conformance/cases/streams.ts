import {
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListShardsCommand,
  ListStreamsCommand,
  PutRecordCommand,
  PutRecordsCommand,
} from "@aws-sdk/client-kinesis";
import type { Case } from "../sides";

const ShardId = "shardId-000000000000";

export const streams: readonly Case[] = [
  {
    name: "records come back in their order, from the start and after a sequence number",
    run: async ({ given, kinesis }) => {
      const StreamName = "orders";
      await given.stream(StreamName);
      const first = await kinesis.send(new PutRecordCommand({ StreamName, PartitionKey: "a", Data: Buffer.from("one") }));
      const Records = ["two", "three"].map((text) => ({ PartitionKey: text, Data: Buffer.from(text) }));
      await kinesis.send(new PutRecordsCommand({ StreamName, Records }));
      for (const how of [
        { ShardIteratorType: "TRIM_HORIZON" },
        { ShardIteratorType: "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber: first.SequenceNumber },
        { ShardIteratorType: "AT_SEQUENCE_NUMBER", StartingSequenceNumber: first.SequenceNumber },
        { ShardIteratorType: "LATEST" },
      ] as const) {
        const { ShardIterator } = await kinesis.send(new GetShardIteratorCommand({ StreamName, ShardId, ...how }));
        await kinesis.send(new GetRecordsCommand({ ShardIterator, Limit: 2 }));
      }
    },
  },
  {
    name: "a stream tells its shards and itself",
    run: async ({ given, kinesis }) => {
      const StreamName = "shards";
      await given.stream(StreamName);
      await kinesis.send(new ListShardsCommand({ StreamName }));
      await kinesis.send(new DescribeStreamSummaryCommand({ StreamName }));
      await kinesis.send(new ListStreamsCommand({}));
    },
  },
  {
    name: "what is no stream, no shard and no iterator is refused",
    run: async ({ given, kinesis, refused }) => {
      const StreamName = "strict-stream";
      await given.stream(StreamName);
      const Data = Buffer.from("x");
      await refused(kinesis.send(new PutRecordCommand({ StreamName: "none", PartitionKey: "a", Data })));
      await refused(kinesis.send(new PutRecordsCommand({ StreamName: "none", Records: [{ PartitionKey: "a", Data }] })));
      await refused(kinesis.send(new DescribeStreamSummaryCommand({ StreamName: "none" })));
      await refused(kinesis.send(new ListShardsCommand({ StreamName: "none" })));
      await refused(
        kinesis.send(
          new GetShardIteratorCommand({ StreamName, ShardId: "shardId-000000000009", ShardIteratorType: "TRIM_HORIZON" }),
        ),
      );
      await refused(
        kinesis.send(new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: "AFTER_SEQUENCE_NUMBER" })),
      );
      await refused(kinesis.send(new GetRecordsCommand({ ShardIterator: "none" })));
      await refused(kinesis.send(new PutRecordCommand({ StreamName, PartitionKey: "", Data })));
      await refused(kinesis.send(new PutRecordCommand({ StreamName, PartitionKey: "k".repeat(257), Data })));
      await refused(kinesis.send(new PutRecordsCommand({ StreamName, Records: [] })));
      await refused(
        kinesis.send(
          new PutRecordsCommand({ StreamName, Records: Array.from({ length: 501 }, () => ({ PartitionKey: "a", Data })) }),
        ),
      );
    },
  },
];
