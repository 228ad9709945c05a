import { PutRecordCommand, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import type { Case } from "../sides";

export const streams: readonly Case[] = [
  {
    name: "records are put one by one and in batches",
    run: async ({ given, kinesis }) => {
      const StreamName = "orders";
      await given.stream(StreamName);
      await kinesis.send(new PutRecordCommand({ StreamName, PartitionKey: "a", Data: Buffer.from("one") }));
      const Records = ["two", "three"].map((text) => ({ PartitionKey: text, Data: Buffer.from(text) }));
      await kinesis.send(new PutRecordsCommand({ StreamName, Records }));
    },
  },
  {
    name: "what is no stream and no record is refused",
    run: async ({ given, kinesis, refused }) => {
      const StreamName = "strict-stream";
      await given.stream(StreamName);
      const Data = Buffer.from("x");
      await refused(kinesis.send(new PutRecordCommand({ StreamName: "none", PartitionKey: "a", Data })));
      await refused(kinesis.send(new PutRecordsCommand({ StreamName: "none", Records: [{ PartitionKey: "a", Data }] })));
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
