/** A standard queue: visibility timeouts, receive counts, redrive to the dead-letter queue. */
import type {
  ChangeMessageVisibilityBatchCommandInput,
  DeleteMessageBatchCommandInput,
  DeleteMessageCommandInput,
  Message,
  ReceiveMessageCommandInput,
  SendMessageBatchCommandInput,
  SendMessageCommandInput,
} from "@aws-sdk/client-sqs";
import type { Endpoint } from "../clients";
import type { Scheduler } from "../kernel/scheduler";
import { serviceError } from "../kernel/service-errors";

interface QueuedMessage {
  readonly id: string;
  readonly body: string;
  readonly sentAtMs: number;
  visibleAtMs: number;
  receives: number;
  handle: string;
}

export interface QueueSettings {
  readonly name: string;
  readonly visibilitySeconds: number;
  readonly maxReceives: number;
}

/** Passes each call on to the queue of its URL, which is the queue's name. */
export const byUrl = (queues: readonly Queue[]): Endpoint => ({
  handle(action, input) {
    const { QueueUrl: url } = input as ReceiveMessageCommandInput;
    const found = queues.find(({ settings }) => settings.name === url);
    if (found === undefined) throw serviceError("QueueDoesNotExist", 400, `No queue ${url}.`);
    return found.handle(action, input);
  },
});

/** A message that was ever sent. */
export interface SentMessage {
  readonly body: string;
  readonly sentAtMs: number;
}

export class Queue {
  /** Everything that was ever sent to it. */
  readonly sent: SentMessage[] = [];
  readonly #messages = new Map<string, QueuedMessage>();

  constructor(
    readonly settings: QueueSettings,
    private readonly scheduler: Scheduler,
    /** Called when a message may have become visible. */
    private readonly onVisible: () => void,
    /** Its dead-letter queue. */
    readonly dead?: Queue,
  ) {}

  get size(): number {
    return this.#messages.size;
  }

  bodies(): readonly string[] {
    return [...this.#messages.values()].map(({ body }) => body);
  }

  send(body: string): void {
    const now = this.scheduler.now();
    this.sent.push({ body, sentAtMs: now });
    const id = `${this.settings.name}-${this.sent.length}`;
    this.#messages.set(id, { id, body, sentAtMs: now, visibleAtMs: now, receives: 0, handle: "" });
    this.onVisible();
  }

  /** Up to `max` visible messages; those that have been received too often go to the dead-letter queue. */
  take(max: number, hiddenSeconds = this.settings.visibilitySeconds): readonly QueuedMessage[] {
    const now = this.scheduler.now();
    const taken: QueuedMessage[] = [];
    for (const message of this.#messages.values()) {
      if (taken.length >= max) break;
      if (message.visibleAtMs > now) continue;
      if (this.dead !== undefined && message.receives >= this.settings.maxReceives) {
        this.#messages.delete(message.id);
        this.dead.send(message.body);
        continue;
      }
      message.receives++;
      message.handle = `${message.id}#${message.receives}`;
      this.hide(message, hiddenSeconds);
      taken.push(message);
    }
    return taken;
  }

  hide(message: QueuedMessage, seconds: number): void {
    message.visibleAtMs = this.scheduler.now() + seconds * 1000;
    this.scheduler.after(seconds * 1000, this.onVisible);
  }

  /** An outdated handle deletes nothing: the message was delivered again in between. */
  remove(handle: string): void {
    const id = handle.slice(0, handle.indexOf("#"));
    if (this.#messages.get(id)?.handle === handle) this.#messages.delete(id);
  }

  handle(action: string, input: object): object {
    switch (action) {
      case "ReceiveMessage": {
        const { MaxNumberOfMessages: max = 1, VisibilityTimeout: seconds } = input as ReceiveMessageCommandInput;
        return { Messages: this.take(max, seconds).map(described) };
      }
      case "SendMessage": {
        this.send((input as SendMessageCommandInput).MessageBody ?? "");
        return {};
      }
      case "SendMessageBatch": {
        const { Entries: entries = [] } = input as SendMessageBatchCommandInput;
        for (const { MessageBody: body = "" } of entries) this.send(body);
        return { Successful: entries, Failed: [] };
      }
      case "DeleteMessage": {
        this.remove((input as DeleteMessageCommandInput).ReceiptHandle ?? "");
        return {};
      }
      case "DeleteMessageBatch": {
        const { Entries: entries = [] } = input as DeleteMessageBatchCommandInput;
        for (const { ReceiptHandle: handle = "" } of entries) this.remove(handle);
        return { Successful: entries, Failed: [] };
      }
      case "ChangeMessageVisibilityBatch": {
        for (const entry of (input as ChangeMessageVisibilityBatchCommandInput).Entries ?? []) this.#release(entry);
        return {};
      }
      case "GetQueueAttributes":
        return { Attributes: this.#counts() };
      default:
        throw new Error(`The simulated SQS doesn't know ${action}; add it to simulation/services/sqs.ts.`);
    }
  }

  #release({
    ReceiptHandle: handle = "",
    VisibilityTimeout: seconds = 0,
  }: {
    ReceiptHandle?: string | undefined;
    VisibilityTimeout?: number | undefined;
  }): void {
    const message = this.#messages.get(handle.slice(0, handle.indexOf("#")));
    if (message?.handle === handle) this.hide(message, seconds);
  }

  #counts(): Record<string, string> {
    const now = this.scheduler.now();
    const visible = [...this.#messages.values()].filter(({ visibleAtMs }) => visibleAtMs <= now).length;
    return {
      ApproximateNumberOfMessages: String(visible),
      ApproximateNumberOfMessagesNotVisible: String(this.#messages.size - visible),
      ApproximateNumberOfMessagesDelayed: "0",
    };
  }
}

function described({ id, body, handle, receives, sentAtMs }: QueuedMessage): Message {
  return {
    MessageId: id,
    Body: body,
    ReceiptHandle: handle,
    Attributes: { ApproximateReceiveCount: String(receives), SentTimestamp: String(sentAtMs) },
  };
}
