/** Puts raw records into the delivery stream again. */
import { type FirehoseClient, PutRecordBatchCommand } from "@aws-sdk/client-firehose";
import { firehosePosition } from "../../functions/stream/source-position";
import { RedriveFailure } from "./failure";
import { batches, type Put } from "./put-records";
import type { RawRecord } from "./raw-records";

const MAX_ATTEMPTS = 8;
/** PutRecordBatch takes 500 records, like PutRecords, of 4 MiB together. */
const MAX_BYTES = 4_000_000;

/**
 * @param onPut takes each record that the delivery stream took. AWS doesn't promise that its answer's id is the one that the transformation
 * gets; if it isn't, only the results table tells what became of the record
 * @throws RedriveFailure if the delivery stream keeps refusing; then some records may have been put, and all are put again by the next redrive
 */
export async function deliverRecords(
  firehose: FirehoseClient,
  streamName: string,
  records: readonly RawRecord[],
  pause: (milliseconds: number) => Promise<unknown>,
  onPut: (put: Put) => void,
): Promise<void> {
  for (const batch of batches(records, MAX_BYTES)) {
    let open = batch;
    for (let attempt = 1; open.length > 0; attempt++) {
      const command = new PutRecordBatchCommand({
        DeliveryStreamName: streamName,
        Records: open.map(({ data }) => ({ Data: data })),
      });
      const { RequestResponses = [] } = await firehose.send(command);
      const refused: RawRecord[] = [];
      for (const [index, record] of open.entries()) {
        const { RecordId } = RequestResponses[index] ?? {};
        if (RecordId === undefined) refused.push(record);
        else onPut({ record, position: firehosePosition(streamName, RecordId) });
      }
      if (refused.length > 0 && attempt === MAX_ATTEMPTS)
        throw new RedriveFailure(
          `The delivery stream refused ${refused.length} records ${MAX_ATTEMPTS} times: ${RequestResponses.find((one) => one.ErrorCode)?.ErrorMessage}`,
        );
      open = refused;
      if (open.length > 0) await pause(Math.min(5_000, 100 * 2 ** attempt));
    }
  }
}
