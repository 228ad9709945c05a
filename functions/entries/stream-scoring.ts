/**
 * Kinesis → fraud scores. Environment and permissions: `functions/stream/wire-scorer.ts`; besides, to read its stream,
 * kinesis:DescribeStream, DescribeStreamSummary, GetRecords, GetShardIterator, ListShards and SubscribeToShard on the stream,
 * kinesis:ListStreams on *, and kms:Decrypt on the stream's key.
 */
import { createStreamHandler, type StreamHandler } from "../stream/handler";
import { wireScorer } from "../stream/wire-scorer";

export const handler: StreamHandler = createStreamHandler(wireScorer("stream-scoring"));
