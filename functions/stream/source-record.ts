import type { KinesisStreamRecord } from "aws-lambda";

/** One record of an ordered source, whatever delivered it. */
export interface SourceRecord {
  /** `shardId-000000000000:4959…`, unique for good. */
  readonly position: string;
  readonly shard: string;
  readonly sequence: string;
  readonly arrivedAtMs: number;
  readonly partitionKey: string;
  /** Base64. */
  readonly data: string;
}

/** For the Kinesis trigger. Another trigger (S3 drop, Firehose, EventBridge) would have another function of this shape. */
export function fromKinesis({ eventID, kinesis }: KinesisStreamRecord): SourceRecord {
  return {
    position: eventID,
    shard: eventID.slice(0, eventID.indexOf(":")),
    sequence: kinesis.sequenceNumber,
    arrivedAtMs: Math.round(kinesis.approximateArrivalTimestamp * 1000),
    partitionKey: kinesis.partitionKey,
    data: kinesis.data,
  };
}
