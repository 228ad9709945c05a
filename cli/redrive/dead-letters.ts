/** Dead-letter queues: each message is sent back, then deleted, so that a crash in between repeats it; whatever takes it takes it twice. */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { failureText } from "./failure";
import type { Candidate } from "./selection";

export interface Tally {
  readonly queue: string;
  readonly found: number;
  readonly redriven: number;
  /** Messages that stay, by why. */
  readonly failed: Readonly<Record<string, number>>;
  /** Why not all messages were looked at. */
  readonly stopped?: string;
}

/** Sends one message back. @throws Error when it can't be; the message stays */
export type SendBack = (message: Message) => Promise<void>;

/** Seconds that a message stays hidden from the next receive; a run of the loader may take fifteen minutes. */
const HIDDEN_SECONDS = 920;

export async function redriveQueue(
  sqs: SQSClient,
  { name, url }: { readonly name: string; readonly url: string },
  takes: (candidate: Candidate) => boolean,
  sendBack: SendBack | null,
  progress: (messages: number) => void,
): Promise<Tally> {
  const kept: Message[] = [];
  const failed: Record<string, number> = {};
  let [found, redriven] = [0, 0];
  let stopped: string | undefined;
  try {
    for (let batch = await receive(sqs, url); batch.length > 0; batch = await receive(sqs, url)) {
      for (const message of batch) {
        if (!takes(candidateOf(message))) {
          kept.push(message);
          continue;
        }
        found++;
        if (sendBack === null) {
          kept.push(message);
          continue;
        }
        try {
          await sendBack(message);
          await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message.ReceiptHandle }));
          redriven++;
        } catch (error) {
          const why = failureText(error);
          failed[why] = (failed[why] ?? 0) + 1;
          kept.push(message);
        }
        progress(found);
      }
    }
  } catch (error) {
    stopped = failureText(error);
  }
  try {
    await release(sqs, url, kept);
  } catch (error) {
    stopped ??= failureText(error);
  }
  return { queue: name, found, redriven, failed, ...(stopped === undefined ? {} : { stopped }) };
}

async function receive(sqs: SQSClient, url: string): Promise<readonly Message[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: 10,
      VisibilityTimeout: HIDDEN_SECONDS,
      // Waiting asks all servers of the queue, so an empty answer means an empty queue.
      WaitTimeSeconds: 1,
      MessageAttributeNames: ["All"],
      MessageSystemAttributeNames: ["SentTimestamp"],
    }),
  );
  return Messages;
}

/** Makes messages visible again. */
async function release(sqs: SQSClient, url: string, messages: readonly Message[]): Promise<void> {
  for (let start = 0; start < messages.length; start += 10) {
    const Entries = messages
      .slice(start, start + 10)
      .map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout: 0 }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries }));
  }
}

const candidateOf = ({ Attributes, MessageAttributes }: Message): Candidate => ({
  reason: MessageAttributes?.ERROR_CODE?.StringValue ?? "MaxReceivesExceeded",
  arrivedAtMs: Number(Attributes?.SentTimestamp ?? 0),
});
