/** An event source mapping over a queue: receives, invokes, deletes messages that succeeded; the rest becomes visible again by itself. */
import { messageOf } from "@risk/program-graph";
import { batchOutcome, fitting, type Poller, type PollerOptions } from "./mapping";
import { Persistence } from "./persistence";
import type { QueueMessage } from "./ports";

/** Lambda starts with five; two cores are busy with fewer. */
const defaultConcurrency = 3;

const READ_RETRY_MS = 1000;

export class QueuePoller implements Poller {
  private readonly running = new Set<Promise<void>>();
  private readonly persistence: Persistence;
  private stopListening: (() => void) | undefined;
  private cancelWindow: (() => void) | undefined;
  private cancelWake: (() => void) | undefined;
  private gathered: QueueMessage[] = [];
  private closed = false;

  constructor(private readonly options: PollerOptions) {
    this.persistence = new Persistence(options.timers, options.context.log);
  }

  start(): void {
    const { ports, mapping } = this.options;
    this.stopListening = ports.queues.onMessages(mapping.sourceArn, () => this.wake());
    this.wake();
  }

  /** Never throws: who sends a message isn't told that its receivers can't work. */
  private wake(): void {
    const { mapping, context } = this.options;
    try {
      this.receive();
    } catch (error) {
      context.log(`${mapping.functionName}: its queue can't be read: ${messageOf(error)}; trying again.`);
      this.wakeAfter(READ_RETRY_MS);
    }
  }

  private receive(): void {
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
        // Hidden messages, of an earlier run too, appear without anybody sending them.
        const next = ports.queues.nextVisibleMs(mapping.sourceArn);
        if (next !== undefined) this.wakeAfter(Math.max(1, next - this.options.context.clock.now()));
        return;
      }
    }
  }

  private wakeAfter(ms: number): void {
    this.cancelWake?.();
    this.cancelWake = this.options.timers.after(ms, () => this.wake());
  }

  flush(): void {
    this.cancelWindow?.();
    this.cancelWindow = undefined;
    if (this.gathered.length === 0 || this.closed) return;
    const batch = this.gathered;
    this.gathered = [];
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
    const { mapping, ports } = this.options;
    const title = `Queue of ${mapping.functionName}`;
    let failed = new Set(records.map(({ messageId }) => messageId));
    try {
      const result = await this.options.invoke(JSON.stringify({ Records: records }));
      const outcome = batchOutcome(result, mapping.reportsItemFailures, failed);
      if (outcome.kind === "ok") failed = new Set();
      if (outcome.kind === "some") failed = new Set(outcome.ids);
    } finally {
      const handlesOf = (isFailed: boolean) =>
        records.filter(({ messageId }) => failed.has(messageId) === isFailed).map(({ receiptHandle }) => receiptHandle);
      await this.persistence.run(title, () => ports.queues.delete(mapping.sourceArn, handlesOf(false)));
      // What the end of the platform cut off needn't wait for its visibility timeout at the next start.
      if (this.closed) await this.persistence.run(title, () => ports.queues.release(mapping.sourceArn, handlesOf(true)));
    }
  }

  idle(): boolean {
    return this.running.size === 0 && this.gathered.length === 0;
  }

  async end(): Promise<void> {
    const { mapping, ports } = this.options;
    this.closed = true;
    this.stopListening?.();
    this.cancelWindow?.();
    this.cancelWake?.();
    this.persistence.end();
    const unused = this.gathered.splice(0).map(({ receiptHandle }) => receiptHandle);
    await this.persistence.run(`Queue of ${mapping.functionName}`, () => ports.queues.release(mapping.sourceArn, unused));
    await Promise.all(this.running);
  }
}
