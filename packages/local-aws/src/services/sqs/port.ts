import type { Input } from "../messaging/input";
import type { Message, QueueRow, SqsStore } from "./store";

/** What the operations need of the service. */
export interface QueuePort {
  readonly store: SqsStore;
  readonly now: () => number;
  arnOf(name: string): string;
  urlOf(name: string): string;
  /** Queue name from an ARN or a URL. */
  nameOf(arnOrUrl: string): string;
  receive(queueArn: string, limit: number, visibilitySeconds?: number): readonly Message[];
  /** Wakes receivers that wait for a message. */
  wake(name: string): void;
  /** Resolves when a message may have arrived, or at `untilMs`. */
  waitForMessage(name: string, untilMs: number): Promise<void>;
}

/** The queue that a request names. Throws QueueDoesNotExist. */
export function queueOf(sqs: QueuePort, input: Input): QueueRow {
  return sqs.store.queue(sqs.nameOf(input.needText("QueueUrl")));
}

/** ARN of the queue that a request names, whether it exists or not. */
export function queueArnOf(sqs: QueuePort): (input: Input) => string {
  return (input) => sqs.arnOf(sqs.nameOf(input.needText("QueueUrl")));
}
