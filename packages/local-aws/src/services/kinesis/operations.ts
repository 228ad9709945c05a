import { AwsError } from "../../contracts";
import type { Input } from "../messaging/input";
import type { Operation } from "../messaging/operations";
import type { KinesisStore, NewRecord, StreamRow } from "./store";

const requestLimitBytes = 10 * 1024 * 1024;

/** What the operations need of the service. */
interface StreamPort {
  readonly store: KinesisStore;
  arnOf(name: string): string;
  /** Stream name from a name or an ARN. */
  nameOf(stream: string): string;
  /** Also wakes the stream's readers. */
  append: KinesisStore["append"];
}

export function kinesisOperations(kinesis: StreamPort): Record<string, Operation> {
  const resource = (input: Input) => kinesis.arnOf(nameIn(kinesis, input));
  const streamOf = (input: Input) => kinesis.store.stream(nameIn(kinesis, input));
  return {
    PutRecord: {
      fields: ["StreamName", "StreamARN", "Data", "PartitionKey"],
      resource,
      run: (input) => {
        const stream = streamOf(input);
        const [placed] = kinesis.append(stream.name, [entry(input, stream, kinesis.store)]);
        return { ShardId: placed?.shardId, SequenceNumber: placed?.sequenceNumber, EncryptionType: encryption(stream) };
      },
    },
    PutRecords: {
      fields: ["StreamName", "StreamARN", "Records"],
      resource,
      run: (input) => {
        const stream = streamOf(input);
        const entries = input.needChildren("Records", ["Data", "PartitionKey"]);
        if (entries.length < 1 || entries.length > 500)
          throw input.error(`Records must hold 1 to 500 records, got ${entries.length}`);
        const records = entries.map((one) => entry(one, stream, kinesis.store));
        const total = records.reduce((sum, { size }) => sum + size, 0);
        if (total > requestLimitBytes)
          throw new AwsError("InvalidArgumentException", `Records holds ${total} bytes, more than the 10 MiB of one request.`);
        const placed = kinesis.append(stream.name, records);
        return {
          FailedRecordCount: 0,
          Records: placed.map(({ sequenceNumber, shardId }) => ({ SequenceNumber: sequenceNumber, ShardId: shardId })),
          EncryptionType: encryption(stream),
        };
      },
    },
  };
}

function nameIn(kinesis: StreamPort, input: Input): string {
  const [arn, name] = [input.text("StreamARN"), input.text("StreamName")];
  const found = arn === undefined ? name : kinesis.nameOf(arn);
  if (found === undefined) throw input.error("either StreamName or StreamARN is required");
  if (arn !== undefined && arn !== kinesis.arnOf(found))
    throw new AwsError("ResourceNotFoundException", `Stream ${arn} not found: expected ${kinesis.arnOf("NAME")}.`);
  if (name !== undefined && name !== found) throw input.error(`StreamARN ${arn} and StreamName ${name} name different streams`);
  return found;
}

const encryption = ({ keyId }: StreamRow): "KMS" | "NONE" => (keyId === undefined ? "NONE" : "KMS");

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
