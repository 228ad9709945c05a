/**
 * EventBridge and POST /events, through their queue → fraud scores. Environment and permissions: `functions/stream/wire-scorer.ts`; besides,
 * sqs:ReceiveMessage, DeleteMessage, ChangeMessageVisibility and GetQueueAttributes on the queue, and kms:Decrypt on its key.
 */
import { createQueueHandler, type QueueHandler } from "../stream/queue";
import { wireScorer } from "../stream/wire-scorer";

export const handler: QueueHandler = createQueueHandler(wireScorer("queue-scoring"));
