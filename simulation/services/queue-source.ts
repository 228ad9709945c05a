/** Lambda's event source mapping of a queue, with ReportBatchItemFailures: messages of a failed invocation return when their time is up. */
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import type { Scheduler } from "../kernel/scheduler";
import type { Queue } from "./sqs";

export interface QueueSourceSettings {
  readonly batchSize: number;
  readonly windowMs: number;
  readonly concurrency: number;
}

export interface QueueSourcePorts {
  /** Undefined: the invocation failed, timed out or crashed. */
  readonly invoke: (event: SQSEvent) => Promise<SQSBatchResponse | undefined>;
  /** Whether a message is not deleted although it is done: it is delivered again. */
  readonly repeats: () => boolean;
}

export class QueueSource {
  #running = 0;

  constructor(
    private readonly queue: () => Queue,
    private readonly settings: QueueSourceSettings,
    private readonly ports: QueueSourcePorts,
    private readonly scheduler: Scheduler,
  ) {}

  wake(): void {
    if (this.#running >= this.settings.concurrency) return;
    this.#running++;
    void this.#poll().then(() => {
      this.#running--;
    });
  }

  async #poll(): Promise<void> {
    for (;;) {
      await this.scheduler.sleep(this.settings.windowMs);
      const messages = this.queue().take(this.settings.batchSize);
      if (messages.length === 0) return;
      const Records = messages.map(({ id, body, handle, sentAtMs, receives }) => ({
        messageId: id,
        receiptHandle: handle,
        body,
        attributes: {
          ApproximateReceiveCount: String(receives),
          SentTimestamp: String(sentAtMs),
          SenderId: "events",
          ApproximateFirstReceiveTimestamp: String(sentAtMs),
        },
        messageAttributes: {},
        md5OfBody: "",
        eventSource: "aws:sqs",
        eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${this.queue().settings.name}`,
        awsRegion: "us-east-1",
      }));
      const response = await this.ports.invoke({ Records });
      if (response === undefined) continue;
      const failed = new Set(response.batchItemFailures?.map(({ itemIdentifier }) => itemIdentifier));
      for (const { messageId, receiptHandle } of Records) {
        if (!failed.has(messageId) && !this.ports.repeats()) this.queue().remove(receiptHandle);
      }
    }
  }
}
