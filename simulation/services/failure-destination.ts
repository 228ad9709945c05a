/** What Lambda writes to a failure destination in S3 ("Retain discarded batch records for a Kinesis event source", Lambda developer guide). */
import type { StreamRecord } from "./kinesis";
import { described } from "./stream-source";

export function failedBatch(records: readonly StreamRecord[], condition: string, number: number) {
  const [first] = records;
  const body = {
    requestContext: { condition },
    version: "1.0",
    KinesisBatchInfo: { shardId: first?.shardId, startSequenceNumber: first?.sequence, batchSize: records.length },
    payload: JSON.stringify({ Records: records.map(described) }),
  };
  return { key: `aws/lambda/mapping/${first?.shardId}/${number}`, body: Buffer.from(JSON.stringify(body)) };
}
