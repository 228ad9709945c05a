/** Transformation of a delivery stream → fraud scores. Environment and permissions: `functions/stream/wire-scorer.ts`. */
import { createFirehoseHandler, type FirehoseHandler } from "../stream/firehose";
import { wireScorer } from "../stream/wire-scorer";

export const handler: FirehoseHandler = createFirehoseHandler(wireScorer("firehose-scoring"));
