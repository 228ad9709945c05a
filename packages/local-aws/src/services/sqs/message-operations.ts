import { AwsError, type AwsRequest } from "../../contracts";
import type { Input } from "../messaging/input";
import type { Operation } from "../messaging/operations";
import { attributesMd5, md5 } from "./md5";
import { type QueuePort, queueArnOf, queueOf } from "./port";
import type { Message, QueueRow } from "./store";

/** The characters that SQS accepts (SendMessage reference). */
function carriable(body: string): boolean {
  return [...body].every((character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20) return code === 0x9 || code === 0xa || code === 0xd;
    return !(code >= 0xd800 && code <= 0xdfff) && code !== 0xfffe && code !== 0xffff;
  });
}

/** Actions on messages. */
export function messageOperations(sqs: QueuePort): Record<string, Operation> {
  const resource = queueArnOf(sqs);
  return {
    SendMessage: {
      fields: ["QueueUrl", "MessageBody", "DelaySeconds"],
      resource,
      run: (input, request) => send(sqs, queueOf(sqs, input), input, request),
    },
    ReceiveMessage: {
      fields: [
        "QueueUrl",
        "AttributeNames",
        "MessageSystemAttributeNames",
        "MessageAttributeNames",
        "MaxNumberOfMessages",
        "VisibilityTimeout",
        "WaitTimeSeconds",
      ],
      resource,
      run: (input) => receive(sqs, queueOf(sqs, input), input),
    },
    DeleteMessage: {
      fields: ["QueueUrl", "ReceiptHandle"],
      resource,
      run: (input) => remove(sqs, queueOf(sqs, input), input),
    },
    DeleteMessageBatch: {
      fields: ["QueueUrl", "Entries"],
      resource,
      iamAction: "DeleteMessage",
      run: (input) => {
        const queue = queueOf(sqs, input);
        return eachEntry(batch(input, ["ReceiptHandle"]), (entry) => remove(sqs, queue, entry));
      },
    },
    ChangeMessageVisibilityBatch: {
      fields: ["QueueUrl", "Entries"],
      resource,
      iamAction: "ChangeMessageVisibility",
      run: (input) => {
        const queue = queueOf(sqs, input);
        return eachEntry(batch(input, ["ReceiptHandle", "VisibilityTimeout"]), (entry) => hide(sqs, queue, entry));
      },
    },
  };
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

function eachEntry(entries: readonly Input[], run: (entry: Input) => void): object {
  const Successful: object[] = [];
  const Failed: object[] = [];
  for (const entry of entries) {
    const Id = entry.needText("Id");
    try {
      run(entry);
      Successful.push({ Id });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Failed.push({ Id, SenderFault: error.status < 500, Code: error.code, Message: error.message });
    }
  }
  return { Successful, ...(Failed.length > 0 ? { Failed } : {}) };
}

function send(sqs: QueuePort, queue: QueueRow, input: Input, request: AwsRequest): object {
  const body = input.needText("MessageBody");
  const delaySeconds = input.integer("DelaySeconds", 0, 900);
  if (body.length === 0) throw new AwsError("MissingParameter", "MessageBody must not be empty.");
  if (!carriable(body)) throw new AwsError("InvalidMessageContents", "MessageBody holds characters that SQS does not allow.");
  const [size, limit] = [Buffer.byteLength(body), Number(queue.attributes.MaximumMessageSize)];
  if (size > limit) throw input.error(`MessageBody has ${size} bytes, more than the queue's MaximumMessageSize ${limit}`);
  const { principal } = request;
  const senderId = principal.kind === "role" ? principal.roleName : "owner";
  const MessageId = sqs.store.send(queue, { body, attributes: {}, delaySeconds, senderId });
  sqs.wake(queue.name);
  return { MessageId, MD5OfMessageBody: md5(body) };
}

async function receive(sqs: QueuePort, queue: QueueRow, input: Input): Promise<object> {
  const limit = input.integer("MaxNumberOfMessages", 1, 10) ?? 1;
  const visibility = input.integer("VisibilityTimeout", 0, 43_200);
  const wait = input.integer("WaitTimeSeconds", 0, 20) ?? Number(queue.attributes.ReceiveMessageWaitTimeSeconds);
  const until = sqs.now() + wait * 1000;
  let messages = sqs.receive(sqs.arnOf(queue.name), limit, visibility);
  while (messages.length === 0 && sqs.now() < until) {
    await sqs.waitForMessage(queue.name, until);
    messages = sqs.receive(sqs.arnOf(queue.name), limit, visibility);
  }
  if (messages.length === 0) return {};
  const system = [...(input.texts("AttributeNames") ?? []), ...(input.texts("MessageSystemAttributeNames") ?? [])];
  const names = input.texts("MessageAttributeNames") ?? [];
  return { Messages: messages.map((message) => describe(message, system, names)) };
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

function describe(message: Message, system: readonly string[], names: readonly string[]): object {
  const some = <T>(all: Readonly<Record<string, T>>, shown: (name: string) => boolean): Record<string, T> | undefined => {
    const entries = Object.entries(all).filter(([name]) => shown(name));
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  };
  const attributes = some(message.attributes, (name) =>
    names.some(
      (wanted) => wanted === "All" || wanted === name || (wanted.endsWith(".*") && name.startsWith(wanted.slice(0, -2))),
    ),
  );
  return {
    MessageId: message.messageId,
    ReceiptHandle: message.receiptHandle,
    MD5OfBody: md5(message.body),
    Body: message.body,
    Attributes: some(systemAttributes(message), (name) => system.includes("All") || system.includes(name)),
    MessageAttributes: attributes,
    MD5OfMessageAttributes: attributes && attributesMd5(attributes),
  };
}

function remove(sqs: QueuePort, queue: QueueRow, input: Input): undefined {
  if (!sqs.store.deleteMessage(queue.name, input.needText("ReceiptHandle")))
    throw new AwsError("ReceiptHandleIsInvalid", "ReceiptHandle is not one that ReceiveMessage of this queue returned.");
}

function hide(sqs: QueuePort, queue: QueueRow, input: Input): void {
  sqs.store.changeVisibility(queue.name, input.needText("ReceiptHandle"), input.needInteger("VisibilityTimeout", 0, 43_200));
  sqs.wake(queue.name);
}
