/** An event source mapping over a queue: receives, invokes, deletes messages that succeeded; the rest becomes visible again by itself. */
import { batchOutcome, fitting, type Poller, type PollerOptions } from "./mapping";
import type { QueueMessage } from "./ports";

/** Lambda starts with five; two cores are busy with fewer. */
const defaultConcurrency = 3;

export class QueuePoller implements Poller {
  private readonly running = new Set<Promise<void>>();
  private stopListening: (() => void) | undefined;
  private cancelWindow: (() => void) | undefined;
  private readonly cancels = new Set<() => void>();
  private gathered: QueueMessage[] = [];
  private closed = false;

  constructor(private readonly options: PollerOptions) {}

  start(): void {
    const { ports, mapping } = this.options;
    this.stopListening = ports.queues.onMessages(mapping.sourceArn, () => this.wake());
    this.wake();
  }

  private wake(): void {
    const { ports, mapping, timers } = this.options;
    const concurrency = mapping.maximumConcurrency ?? defaultConcurrency;
    while (!this.closed && this.running.size < concurrency) {
      const wanted = mapping.batchSize - this.gathered.length;
      // ReceiveMessage returns at most ten at a time.
      const messages = ports.queues.receive(mapping.sourceArn, Math.min(10, wanted));
      this.gathered.push(...messages);
      if (this.gathered.length >= mapping.batchSize) this.flush();
      else if (messages.length === 0) {
        if (this.gathered.length > 0 && this.cancelWindow === undefined) {
          this.cancelWindow = timers.after(mapping.windowSeconds * 1000, () => this.flush());
        }
        return;
      }
    }
  }

  flush(): void {
    this.cancelWindow?.();
    this.cancelWindow = undefined;
    const batch = this.gathered;
    this.gathered = [];
    if (batch.length === 0 || this.closed) return;
    const run = this.process(batch)
      .catch((error: unknown) =>
        this.options.context.log(`${this.options.mapping.functionName}: a batch of its queue failed: ${String(error)}`),
      )
      .finally(() => {
        this.running.delete(run);
        this.wake();
      });
    this.running.add(run);
  }

  private async process(messages: readonly QueueMessage[]): Promise<void> {
    const { mapping, context } = this.options;
    const records = messages.map((message) => ({
      messageId: message.messageId,
      receiptHandle: message.receiptHandle,
      body: message.body,
      attributes: message.attributes,
      messageAttributes: message.messageAttributes,
      md5OfBody: message.md5OfBody,
      eventSource: "aws:sqs",
      eventSourceARN: mapping.sourceArn,
      awsRegion: context.region,
    }));
    for (let from = 0; from < records.length; ) {
      const count = fitting(records.slice(from).map((record) => Buffer.byteLength(JSON.stringify(record))));
      await this.invoke(records.slice(from, from + count));
      from += count;
    }
  }

  private async invoke(records: readonly { messageId: string; receiptHandle: string }[]): Promise<void> {
    const { mapping, ports, timers } = this.options;
    let failed = new Set(records.map(({ messageId }) => messageId));
    try {
      const result = await this.options.invoke(JSON.stringify({ Records: records }));
      const outcome = batchOutcome(result, mapping.reportsItemFailures, failed);
      if (outcome.kind === "ok") failed = new Set();
      if (outcome.kind === "some") failed = new Set(outcome.ids);
    } finally {
      const done = records.filter(({ messageId }) => !failed.has(messageId));
      ports.queues.delete(
        mapping.sourceArn,
        done.map(({ receiptHandle }) => receiptHandle),
      );
      if (failed.size > 0 && !this.closed) {
        const cancel = timers.after(ports.queues.visibilityTimeoutSeconds(mapping.sourceArn) * 1000 + 50, () => {
          this.cancels.delete(cancel);
          this.wake();
        });
        this.cancels.add(cancel);
      }
    }
  }

  idle(): boolean {
    return this.running.size === 0 && this.gathered.length === 0;
  }

  async end(): Promise<void> {
    this.closed = true;
    this.stopListening?.();
    this.cancelWindow?.();
    for (const cancel of this.cancels) cancel();
    await Promise.all(this.running);
  }
}
