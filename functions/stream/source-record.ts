import type { KinesisStreamRecord } from "aws-lambda";

/** One record of an ordered source, whatever delivered it. */
export interface SourceRecord {
  /** `shardId-000000000000:4959…`, unique for ever. */
  readonly position: string;
  readonly shard: string;
  readonly sequence: string;
  readonly arrivedAtMs: number;
  /** Base64. */
  readonly data: string;
}

/** The Kinesis trigger. Another one (S3 drop, Firehose, EventBridge) is another function of this shape. */
export function fromKinesis({ eventID, kinesis }: KinesisStreamRecord): SourceRecord {
  return {
    position: eventID,
    shard: eventID.slice(0, eventID.indexOf(":")),
    sequence: kinesis.sequenceNumber,
    arrivedAtMs: Math.round(kinesis.approximateArrivalTimestamp * 1000),
    data: kinesis.data,
  };
}
