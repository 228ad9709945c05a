import { AwsError } from "../../contracts";
import type { Input } from "../messaging/input";
import type { Operation } from "../messaging/operations";
import type { DeliveryStream, FirehoseStore } from "./store";

// Firehose API reference, PutRecord and PutRecordBatch.
const RECORD_BYTES = 1_000 * 1024;
const BATCH_BYTES = 4 * 1024 * 1024;
const BATCH_RECORDS = 500;

/** What the operations need of the service. */
interface DeliveryPort {
  readonly store: FirehoseStore;
  arnOf(name: string): string;
  /** @returns the records' ids */
  append(stream: DeliveryStream, records: readonly Buffer[]): readonly string[];
}

export function firehoseOperations(firehose: DeliveryPort): Record<string, Operation> {
  const resource = (input: Input) => firehose.arnOf(input.needText("DeliveryStreamName"));
  const streamOf = (input: Input) => firehose.store.stream(input.needText("DeliveryStreamName"));
  return {
    PutRecord: {
      fields: ["DeliveryStreamName", "Record"],
      resource,
      run: (input) => {
        const stream = streamOf(input);
        const record = input.child("Record", ["Data"]);
        if (record === undefined) throw input.error("Record is required");
        const [RecordId] = firehose.append(stream, [dataOf(record)]);
        return { RecordId, Encrypted: stream.encrypted };
      },
    },
    PutRecordBatch: {
      fields: ["DeliveryStreamName", "Records"],
      resource,
      run: (input) => {
        const stream = streamOf(input);
        const entries = input.needChildren("Records", ["Data"]);
        if (entries.length < 1 || entries.length > BATCH_RECORDS)
          throw input.error(`Records must hold 1 to ${BATCH_RECORDS} records, got ${entries.length}`);
        const records = entries.map(dataOf);
        const bytes = records.reduce((sum, { length }) => sum + length, 0);
        if (bytes > BATCH_BYTES)
          throw new AwsError("InvalidArgumentException", `Records holds ${bytes} bytes, more than the 4 MiB of one request.`);
        const ids = firehose.append(stream, records);
        return { FailedPutCount: 0, Encrypted: stream.encrypted, RequestResponses: ids.map((RecordId) => ({ RecordId })) };
      },
    },
  };
}

function dataOf(record: Input): Buffer {
  const data = record.blob("Data");
  if (data === undefined) throw record.error("Data is required");
  if (data.length > RECORD_BYTES) throw record.error(`Data has ${data.length} bytes, more than the 1,000 KiB of one record`);
  return data;
}
