import { createHash } from "node:crypto";
import { AwsError, type Principal } from "../../contracts";
import type { Input } from "../messaging/input";
import type { Operation } from "../messaging/operations";
import { settableAttributes } from "./attributes";
import type { Message, QueueRow, SqsStore } from "./store";

/** What the operations need of the service. */
export interface QueuePort {
  readonly store: SqsStore;
  readonly now: () => number;
  arnOf(name: string): string;
  /** Queue name from an ARN or a URL. */
  nameOf(arnOrUrl: string): string;
  /** `hiddenSeconds`: until the messages show again; by default the queue's own. */
  receive(queueArn: string, limit: number, hiddenSeconds?: number): readonly Message[];
  /** Wakes receivers that wait for a message. */
  wake(name: string): void;
  /** Resolves when a message may have arrived, or at `untilMs`. */
  waitForMessage(name: string, untilMs: number): Promise<void>;
}

export function sqsOperations(sqs: QueuePort): Record<string, Operation> {
  const nameIn = (input: Input) => sqs.nameOf(input.needText("QueueUrl"));
  const queueOf = (input: Input) => sqs.store.queue(nameIn(input));
  const resource = (input: Input) => sqs.arnOf(nameIn(input));
  return {
    GetQueueAttributes: {
      fields: ["QueueUrl", "AttributeNames"],
      resource,
      run: (input) => getAttributes(sqs, queueOf(input), input),
    },
    SendMessage: {
      fields: ["QueueUrl", "MessageBody"],
      resource,
      run: (input, { principal }) => send(sqs, queueOf(input), input, principal),
    },
    SendMessageBatch: {
      fields: ["QueueUrl", "Entries"],
      resource,
      iamAction: "SendMessage",
      run: (input, { principal }) => sendBatch(sqs, queueOf(input), input, principal),
    },
    ReceiveMessage: {
      fields: [
        "QueueUrl",
        "MessageAttributeNames",
        "MessageSystemAttributeNames",
        "MaxNumberOfMessages",
        "VisibilityTimeout",
        "WaitTimeSeconds",
      ],
      resource,
      run: (input) => receive(sqs, queueOf(input), input),
    },
    DeleteMessage: {
      fields: ["QueueUrl", "ReceiptHandle"],
      resource,
      run: (input) => remove(sqs, queueOf(input), input),
    },
    DeleteMessageBatch: {
      fields: ["QueueUrl", "Entries"],
      resource,
      iamAction: "DeleteMessage",
      run: (input) => {
        const queue = queueOf(input);
        return eachEntry(batch(input, ["ReceiptHandle"]), (entry) => remove(sqs, queue, entry));
      },
    },
    ChangeMessageVisibilityBatch: {
      fields: ["QueueUrl", "Entries"],
      resource,
      iamAction: "ChangeMessageVisibility",
      run: (input) => {
        const queue = queueOf(input);
        return eachEntry(batch(input, ["ReceiptHandle", "VisibilityTimeout"]), (entry) => hide(sqs, queue, entry));
      },
    },
  };
}

function getAttributes(sqs: QueuePort, queue: QueueRow, input: Input): object {
  sqs.store.expire(queue);
  const counts = sqs.store.counts(queue.name);
  const all: Readonly<Record<string, string>> = {
    ...queue.attributes,
    QueueArn: sqs.arnOf(queue.name),
    CreatedTimestamp: String(Math.floor(queue.createdMs / 1000)),
    LastModifiedTimestamp: String(Math.floor(queue.modifiedMs / 1000)),
    ApproximateNumberOfMessages: String(counts.visible),
    ApproximateNumberOfMessagesNotVisible: String(counts.inFlight),
    ApproximateNumberOfMessagesDelayed: String(counts.delayed),
  };
  const names = input.texts("AttributeNames") ?? [];
  const known = ["All", ...new Set([...settableAttributes, ...Object.keys(all)])];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new AwsError("InvalidAttributeName", `Unknown Attribute ${unknown}. Known: ${known.join(", ")}.`);
  return { Attributes: chosen(all, names) };
}

/** The members whose names are among the chosen ones; undefined when none is. */
function chosen<T>(all: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> | undefined {
  const shown = Object.entries(all).filter(([name]) => names.includes("All") || names.includes(name));
  return shown.length === 0 ? undefined : Object.fromEntries(shown);
}

function batch(input: Input, fields: readonly string[]): readonly Input[] {
  const entries = input.needChildren("Entries", ["Id", ...fields]);
  if (entries.length === 0) throw new AwsError("EmptyBatchRequest", "Entries must hold at least one entry.");
  if (entries.length > 10) throw new AwsError("TooManyEntriesInBatchRequest", `Entries holds ${entries.length}, more than 10.`);
  const ids = entries.map((entry) => entry.needText("Id"));
  if (new Set(ids).size < ids.length) throw new AwsError("BatchEntryIdsNotDistinct", "Entries must have distinct Ids.");
  const wrong = ids.find((id) => !/^[A-Za-z0-9_-]{1,80}$/.test(id));
  if (wrong !== undefined) throw new AwsError("InvalidBatchEntryId", `Id ${wrong} must be 1 to 80 of a-z A-Z 0-9 _ -.`);
  return entries;
}

/** @param run what an entry's success tells besides its id */
function eachEntry(entries: readonly Input[], run: (entry: Input) => object | undefined): object {
  const Successful: object[] = [];
  const Failed: object[] = [];
  for (const entry of entries) {
    const Id = entry.needText("Id");
    try {
      Successful.push({ Id, ...run(entry) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Failed.push({ Id, SenderFault: error.status < 500, Code: error.code, Message: error.message });
    }
  }
  return { Successful, ...(Failed.length > 0 ? { Failed } : {}) };
}

/** The sum of all bodies may be as large as one message may be at most ("SendMessageBatch", API reference). */
const BATCH_BYTES = 1_048_576;

function sendBatch(sqs: QueuePort, queue: QueueRow, input: Input, principal: Principal): object {
  const entries = batch(input, ["MessageBody"]);
  const bytes = entries.reduce((sum, entry) => sum + Buffer.byteLength(entry.text("MessageBody") ?? ""), 0);
  if (bytes > BATCH_BYTES)
    throw new AwsError(
      "BatchRequestTooLong",
      `Batch requests cannot be longer than ${BATCH_BYTES} bytes. You have sent ${bytes} bytes.`,
    );
  return eachEntry(entries, (entry) => send(sqs, queue, entry, principal));
}

function send(sqs: QueuePort, queue: QueueRow, input: Input, principal: Principal): object {
  const body = input.needText("MessageBody");
  if (body.length === 0) throw new AwsError("MissingParameter", "MessageBody must not be empty.");
  if (!isCarried(body)) throw new AwsError("InvalidMessageContents", "MessageBody holds characters that SQS does not allow.");
  const [size, limit] = [Buffer.byteLength(body), Number(queue.attributes.MaximumMessageSize)];
  if (size > limit) throw input.error(`MessageBody has ${size} bytes, more than the queue's MaximumMessageSize ${limit}`);
  const senderId = principal.kind === "role" ? principal.roleName : "owner";
  const MessageId = sqs.store.send(queue, { body, attributes: {}, senderId });
  sqs.wake(queue.name);
  return { MessageId, MD5OfMessageBody: md5(body) };
}

/** The characters that SQS accepts (SendMessage reference). */
function isCarried(body: string): boolean {
  return [...body].every((character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20) return code === 0x9 || code === 0xa || code === 0xd;
    return !(code >= 0xd800 && code <= 0xdfff) && code !== 0xfffe && code !== 0xffff;
  });
}

async function receive(sqs: QueuePort, queue: QueueRow, input: Input): Promise<object> {
  const limit = input.integer("MaxNumberOfMessages", 1, 10) ?? 1;
  const wait = input.integer("WaitTimeSeconds", 0, 20) ?? Number(queue.attributes.ReceiveMessageWaitTimeSeconds);
  const until = sqs.now() + wait * 1000;
  const hiddenSeconds = input.integer("VisibilityTimeout", 0, 43_200);
  let messages = sqs.receive(sqs.arnOf(queue.name), limit, hiddenSeconds);
  while (messages.length === 0 && sqs.now() < until) {
    await sqs.waitForMessage(queue.name, until);
    messages = sqs.receive(sqs.arnOf(queue.name), limit, hiddenSeconds);
  }
  if (messages.length === 0) return {};
  const names = input.texts("MessageSystemAttributeNames") ?? [];
  const ownNames = input.texts("MessageAttributeNames") ?? [];
  const Messages = messages.map((message) => ({
    MessageId: message.messageId,
    ReceiptHandle: message.receiptHandle,
    MD5OfBody: md5(message.body),
    Body: message.body,
    Attributes: chosen(systemAttributes(message), names),
    MessageAttributes: chosen(message.attributes, ownNames),
  }));
  return { Messages };
}

export function md5(text: string): string {
  return createHash("md5").update(text, "utf8").digest("hex");
}

/** System attributes of a message as the API and Lambda events name them. */
export function systemAttributes(message: Message): Record<string, string> {
  return {
    SenderId: message.senderId,
    SentTimestamp: String(message.sentMs),
    ApproximateReceiveCount: String(message.receiveCount),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedMs),
    ...(message.deadLetterSourceArn === undefined ? {} : { DeadLetterQueueSourceArn: message.deadLetterSourceArn }),
  };
}

function remove(sqs: QueuePort, queue: QueueRow, input: Input): undefined {
  if (!sqs.store.deleteMessage(queue.name, input.needText("ReceiptHandle")))
    throw new AwsError("ReceiptHandleIsInvalid", "ReceiptHandle is not one that ReceiveMessage of this queue returned.");
}

function hide(sqs: QueuePort, queue: QueueRow, input: Input): undefined {
  sqs.store.changeVisibility(queue.name, input.needText("ReceiptHandle"), input.needInteger("VisibilityTimeout", 0, 43_200));
  sqs.wake(queue.name);
}
