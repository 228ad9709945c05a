import type { KinesisStreamRecord } from "aws-lambda";
import type { EventSource } from "../shared/archive-line";
import { decodeBase64 } from "./decode";

/** One record of a source, whatever delivered it. Each trigger has one function that makes these of what it delivers. */
export interface SourceRecord {
  readonly source: EventSource;
  /** `shardId-000000000000:4959…`, `eventbridge:` and the envelope's id, or `firehose:<stream>:<record>`: unique for good, the same at every delivery. */
  readonly position: string;
  /** The shard, queue or file that it came from; part of the names of archive objects. */
  readonly origin: string;
  /** Its number within the origin. */
  readonly sequence: string;
  /** Whether every delivery has the origin's records in the same order: then two sequence numbers name all that lies between them. */
  readonly ordered: boolean;
  readonly arrivedAtMs: number;
  /** Null where the source has none. */
  readonly partitionKey: string | null;
  /** The event's bytes; as it arrived, if there is a fault. */
  readonly bytes: Uint8Array;
  /** Why no event could be got out of what arrived. */
  readonly fault: RecordProblem | null;
}

/** Why a record goes to quarantine. */
export interface RecordProblem {
  /** A code. */
  readonly reason: string;
  /** Sentences about expectations that quote nothing of the record. */
  readonly detail: string;
}

export function fromKinesis({ eventID, kinesis }: KinesisStreamRecord): SourceRecord {
  const bytes = decodeBase64(kinesis.data);
  return {
    source: "kinesis",
    position: eventID,
    origin: eventID.slice(0, eventID.indexOf(":")),
    sequence: kinesis.sequenceNumber,
    ordered: true,
    arrivedAtMs: Math.round(kinesis.approximateArrivalTimestamp * 1000),
    partitionKey: kinesis.partitionKey,
    // What isn't base64 is no record of Kinesis; then the text is what arrived.
    bytes: bytes ?? Buffer.from(String(kinesis.data)),
    fault: bytes === null ? NOT_BASE64 : null,
  };
}

export const NOT_BASE64: RecordProblem = { reason: "not_base64", detail: "Expected padded base64, got other text." };
