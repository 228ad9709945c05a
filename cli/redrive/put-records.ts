/** Puts raw records into the stream again, in order and under their own partition keys. */
import { type KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { RedriveFailure } from "./failure";
import type { RawRecord } from "./raw-records";

/** https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html */
const MAX_RECORDS = 500;
const MAX_BYTES = 4_500_000;
const MAX_ATTEMPTS = 8;

export interface Put {
  readonly record: RawRecord;
  /** Of the new record. */
  readonly position: string;
}

/**
 * @param onPut takes each record that the stream took
 * @throws RedriveFailure if the stream keeps refusing; then some records may have been put, and all are put again by the next redrive
 */
export async function putRecords(
  kinesis: KinesisClient,
  streamName: string,
  records: readonly RawRecord[],
  pause: (milliseconds: number) => Promise<unknown>,
  onPut: (put: Put) => void,
): Promise<void> {
  for (const batch of batches(records)) {
    let open = batch;
    for (let attempt = 1; open.length > 0; attempt++) {
      const entries = open.map(({ partitionKey, data }) => ({ PartitionKey: partitionKey, Data: data }));
      const { Records = [] } = await kinesis.send(new PutRecordsCommand({ StreamName: streamName, Records: entries }));
      const refused: RawRecord[] = [];
      for (const [index, record] of open.entries()) {
        const { ShardId, SequenceNumber } = Records[index] ?? {};
        if (SequenceNumber === undefined) refused.push(record);
        else onPut({ record, position: `${ShardId}:${SequenceNumber}` });
      }
      if (refused.length > 0 && attempt === MAX_ATTEMPTS)
        throw new RedriveFailure(
          `The stream refused ${refused.length} records ${MAX_ATTEMPTS} times: ${Records.find((one) => one.ErrorCode)?.ErrorMessage}`,
        );
      open = refused;
      if (open.length > 0) await pause(Math.min(5_000, 100 * 2 ** attempt));
    }
  }
}

/** As few requests as the limits allow. */
export function batches(records: readonly RawRecord[], maxBytes = MAX_BYTES): RawRecord[][] {
  const made: RawRecord[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const record of records) {
    const size = record.data.byteLength + Buffer.byteLength(record.partitionKey);
    const last = made.at(-1);
    if (last === undefined || last.length === MAX_RECORDS || bytes + size > maxBytes) {
      made.push([record]);
      bytes = size;
    } else {
      last.push(record);
      bytes += size;
    }
  }
  return made;
}
