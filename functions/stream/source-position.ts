import type { EventSource } from "../shared/archive-line";
import { fromPosition } from "./queue-message";

const FIREHOSE = "firehose:";

/** Position of a record of a delivery stream. */
export const firehosePosition = (stream: string, recordId: string): string => `${FIREHOSE}${stream}:${recordId}`;

/** Which source a position is of. Those of Kinesis begin with the shard. */
export function sourceOfPosition(position: string): EventSource {
  if (position.startsWith(FIREHOSE)) return "firehose";
  return fromPosition(position)?.source ?? "kinesis";
}
