import { AwsError } from "../../contracts";
import type { Input } from "../messaging/input";
import type { Operation } from "../messaging/operations";
import { encryption, type NewRecord, type StreamRow } from "./rows";
import type { KinesisStore } from "./store";
import { type Streams, streamFields } from "./streams";

const requestLimitBytes = 10 * 1024 * 1024;

/** Actions that append records; `append` also wakes the stream's readers. */
export function writing(streams: Streams, append: KinesisStore["append"]): Record<string, Operation> {
  return {
    PutRecord: {
      fields: [...streamFields, "Data", "PartitionKey"],
      resource: streams.resource,
      run: (input) => {
        const stream = streams.of(input);
        const [placed] = append(stream.name, [entry(input, stream, streams.store)]);
        return { ShardId: placed?.shardId, SequenceNumber: placed?.sequenceNumber, EncryptionType: encryption(stream) };
      },
    },
    PutRecords: {
      fields: [...streamFields, "Records"],
      resource: streams.resource,
      run: (input) => {
        const stream = streams.of(input);
        const entries = input.needChildren("Records", ["Data", "PartitionKey"]);
        if (entries.length < 1 || entries.length > 500)
          throw input.error(`Records must hold 1 to 500 records, got ${entries.length}`);
        const records = entries.map((one) => entry(one, stream, streams.store));
        const total = records.reduce((sum, { size }) => sum + size, 0);
        if (total > requestLimitBytes)
          throw new AwsError("InvalidArgumentException", `Records holds ${total} bytes, more than the 10 MiB of one request.`);
        const placed = append(stream.name, records);
        return {
          FailedRecordCount: 0,
          Records: placed.map(({ sequenceNumber, shardId }) => ({ SequenceNumber: sequenceNumber, ShardId: shardId })),
          EncryptionType: encryption(stream),
        };
      },
    },
  };
}

function entry(input: Input, stream: StreamRow, store: KinesisStore): NewRecord & { readonly size: number } {
  const partitionKey = input.needText("PartitionKey");
  const data = input.blob("Data");
  if (data === undefined) throw input.error("Data is required");
  if (partitionKey.length < 1 || [...partitionKey].length > 256) throw input.error("PartitionKey must have 1 to 256 characters");
  const size = data.length + Buffer.byteLength(partitionKey);
  if (size > stream.maxRecordKib * 1024) {
    throw input.error(
      `Data and PartitionKey have ${size} bytes, more than the stream's MaxRecordSizeInKiB ${stream.maxRecordKib}`,
    );
  }
  return { partitionKey, shard: store.shardFor(stream.name, partitionKey), data, size };
}
