/** The loader's ports with the AWS SDK: SQS, S3 and the embedded metric format. */
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { Metrics } from "../shared/metrics";
import type { LoaderMetrics, ManifestStore, Queue, QueueMessage } from "./ports";

/** Entries of one SQS batch call, and messages of one receive. */
const SQS_BATCH = 10;

export function createQueue(sqs: SQSClient, queueUrl: string): Queue {
  return {
    async receive() {
      const answer = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: SQS_BATCH,
          // A long poll asks every server of the queue; without waiting, messages that are there may be missed.
          WaitTimeSeconds: 1,
          MessageSystemAttributeNames: ["ApproximateReceiveCount"],
        }),
      );
      return (answer.Messages ?? []).map((message) => ({
        body: message.Body ?? "",
        receiptHandle: message.ReceiptHandle ?? "",
        messageId: message.MessageId ?? "",
        receiveCount: Number(message.Attributes?.ApproximateReceiveCount ?? 1),
      }));
    },
    async remove(messages) {
      for (const batch of batches(messages)) {
        const answer = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: batch.map(entryOf) }));
        const [failed] = answer.Failed ?? [];
        // A message that is left in the queue comes again, and then the ledger knows its objects.
        if (failed !== undefined)
          throw new Error(`SQS did not delete ${answer.Failed?.length} messages: ${failed.Code} ${failed.Message ?? ""}.`);
      }
    },
    async release(messages, seconds) {
      for (const batch of batches(messages)) {
        const entries = batch.map((message, index) => ({ ...entryOf(message, index), VisibilityTimeout: seconds }));
        await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries: entries }));
      }
    },
    async size() {
      const { Attributes: counts = {} } = await sqs.send(
        new GetQueueAttributesCommand({
          QueueUrl: queueUrl,
          AttributeNames: [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
          ],
        }),
      );
      return Object.values(counts).reduce((sum, count) => sum + Number(count), 0);
    },
  };
}

export function createManifestStore(s3: S3Client, bucket: string): ManifestStore {
  return {
    async write(name, content) {
      const key = `manifests/${name}`;
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: content, ContentType: "application/json" }));
      return `s3://${bucket}/${key}`;
    },
  };
}

export function createLoaderMetrics(metrics: Metrics): LoaderMetrics {
  return {
    run(values) {
      metrics.add("RowsLoaded", "Count", values.rows);
      metrics.add("RowsInserted", "Count", values.inserted);
      metrics.add("RowsUpdated", "Count", values.updated);
      metrics.add("RowsDuplicate", "Count", values.duplicates);
      metrics.add("ObjectsLoaded", "Count", values.objects);
      metrics.add("ObjectsFailed", "Count", values.failed);
      metrics.add("MessagesPending", "Count", values.pending);
      metrics.add("LoadDuration", "Milliseconds", values.durationMilliseconds);
      if (values.freshnessLagSeconds !== undefined) metrics.add("FreshnessLag", "Seconds", values.freshnessLagSeconds);
      metrics.flush();
    },
  };
}

function entryOf(message: QueueMessage, index: number): { readonly Id: string; readonly ReceiptHandle: string } {
  return { Id: String(index), ReceiptHandle: message.receiptHandle };
}

function batches<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / SQS_BATCH) }, (_, index) =>
    items.slice(index * SQS_BATCH, (index + 1) * SQS_BATCH),
  );
}
