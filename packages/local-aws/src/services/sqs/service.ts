/** SQS on SQLite: the service and the in-process calls that event source mappings and deliveries use. */
import type { AwsService, DeliverOptions, LocalContext, Part, Permission } from "../../contracts";
import { serviceOf } from "../messaging/operations";
import { ticker } from "../messaging/ticker";
import type { ServiceGate } from "../service-gate";
import { parseRedrive } from "./attributes";
import { type QueuePort, sqsOperations } from "./operations";
import { type Message, type MessageAttributes, type QueueRow, type Redrive, SqsStore } from "./store";

/** Receives a metric value; wired to the CloudWatch service. */
export type MetricSink = (
  namespace: string,
  name: string,
  dimensions: Readonly<Record<string, string>>,
  value: number,
  unit: string,
) => void;

export class SqsService implements AwsService, QueuePort {
  readonly name = "sqs";
  readonly store: SqsStore;
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];
  private readonly listeners = new Map<string, Set<() => void>>();

  readonly now = (): number => this.context.clock.now();

  constructor(
    private readonly context: LocalContext,
    private readonly gate: ServiceGate,
    private readonly metrics: MetricSink = () => undefined,
  ) {
    this.store = new SqsStore(context.db, this.now);
    const service = serviceOf({
      name: this.name,
      iamPrefix: "sqs",
      validationCode: "InvalidParameterValue",
      jsonVersion: "1.0",
      operations: sqsOperations(this),
      keyUse: (action, queueArn) => this.keyUse(action, queueArn),
    });
    this.permissions = service.permissions;
    this.handle = service.handle;
  }

  /** Expires messages and reports queue depth and age to CloudWatch every 10 s. */
  part(): Part {
    return ticker("SQS housekeeping", 10_000, () => this.tick(), this.context.log);
  }

  /** One round of {@link part}. */
  tick(): void {
    for (const queue of this.store.queues()) {
      this.store.expire(queue);
      const counts = this.store.counts(queue.name);
      const dimensions = { QueueName: queue.name };
      const age = counts.oldestMs === undefined ? 0 : Math.max(0, (this.now() - counts.oldestMs) / 1000);
      this.metrics("AWS/SQS", "ApproximateNumberOfMessagesVisible", dimensions, counts.visible, "Count");
      this.metrics("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", dimensions, counts.inFlight, "Count");
      this.metrics("AWS/SQS", "ApproximateNumberOfMessagesDelayed", dimensions, counts.delayed, "Count");
      this.metrics("AWS/SQS", "ApproximateAgeOfOldestMessage", dimensions, age, "Seconds");
    }
  }

  arnOf(name: string): string {
    return `arn:aws:sqs:${this.context.region}:${this.context.accountId}:${name}`;
  }

  urlOf(name: string): string {
    return `${this.context.endpointUrl}/${this.context.accountId}/${name}`;
  }

  /** Queue name from an ARN or a URL. */
  nameOf(arnOrUrl: string): string {
    return arnOrUrl.slice(Math.max(arnOrUrl.lastIndexOf("/"), arnOrUrl.lastIndexOf(":")) + 1);
  }

  /** What the caller of an IAM action (`SendMessage`) needs of the queue's key. */
  keyUse(action: string, queueArn: string): readonly Permission[] {
    const keyId = this.store.findQueue(this.nameOf(queueArn))?.attributes.KmsMasterKeyId;
    return this.gate.callerPermissions(`sqs:${action}`, queueArn, keyId);
  }

  /** Sends from inside the runtime. With a service principal, the policies of the queue and its key must allow it. */
  deliver(queueArn: string, body: string, options: DeliverOptions & { readonly attributes?: MessageAttributes } = {}): void {
    const queue = this.store.queue(this.nameOf(queueArn));
    if (options.servicePrincipal !== undefined) {
      this.gate.require({
        service: options.servicePrincipal,
        target: "queue",
        targetArn: this.arnOf(queue.name),
        sourceArn: options.sourceArn ?? "",
        policy: queue.attributes.Policy,
        keyId: queue.attributes.KmsMasterKeyId,
      });
    }
    this.store.send(queue, {
      body,
      attributes: options.attributes ?? {},
      senderId: options.servicePrincipal ?? "local",
    });
    this.wake(queue.name);
  }

  /** Takes up to `limit` messages (an event source mapping may take more than the API's 10). */
  receive(queueArn: string, limit: number, hiddenSeconds?: number): readonly Message[] {
    const queue = this.store.queue(this.nameOf(queueArn));
    const redrive = this.redriveOf(queue);
    const { messages, moved } = this.store.receive(queue, limit, redrive, hiddenSeconds);
    if (moved && redrive !== undefined) this.wake(redrive.deadLetterQueue);
    return messages;
  }

  deleteMessages(queueArn: string, receiptHandles: readonly string[]): void {
    const name = this.nameOf(queueArn);
    for (const handle of receiptHandles) this.store.deleteMessage(name, handle);
  }

  /** Makes received messages visible at once; those that are gone or visible already are left alone. */
  releaseMessages(queueArn: string, receiptHandles: readonly string[]): void {
    const name = this.nameOf(queueArn);
    for (const handle of receiptHandles) this.store.release(name, handle);
  }

  /** Calls `listener` when a message may have become available; returns a function that stops it. */
  onMessages(queueArn: string, listener: () => void): () => void {
    const name = this.nameOf(queueArn);
    const set = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, set.add(listener));
    return () => set.delete(listener);
  }

  wake(name: string): void {
    for (const listener of this.listeners.get(name) ?? []) listener();
  }

  /** Waits for a send, for a hidden message to appear, or for `untilMs`. */
  waitForMessage(name: string, untilMs: number): Promise<void> {
    const now = this.now();
    const next = Math.min(untilMs, this.store.nextVisibleMs(name) ?? untilMs);
    return new Promise((resolve) => {
      const stop = this.onMessages(name, () => done());
      const timer = setTimeout(() => done(), Math.max(1, next - now));
      // A long poll must not keep a stopping runtime alive.
      timer.unref();
      const done = () => {
        clearTimeout(timer);
        stop();
        resolve();
      };
    });
  }

  private redriveOf(queue: QueueRow): Redrive | undefined {
    const policy = queue.attributes.RedrivePolicy;
    if (policy === undefined) return undefined;
    const { deadLetterTargetArn, maxReceiveCount } = parseRedrive(policy);
    return { deadLetterQueue: this.nameOf(deadLetterTargetArn), maxReceiveCount, sourceArn: this.arnOf(queue.name) };
  }
}
