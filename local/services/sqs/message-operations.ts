import { AwsError, type AwsRequest } from "../../contracts";
import type { Input } from "../messaging/input";
import type { Operation } from "../messaging/operations";
import type { SqsService } from "./index";
import { attributesMd5, type MessageAttribute, type MessageAttributes, md5 } from "./md5";
import type { Message, QueueRow } from "./store";

const sendFields = ["MessageBody", "DelaySeconds", "MessageAttributes", "MessageDeduplicationId", "MessageGroupId"];
/** SQS's own set: other control characters cannot be carried (SendMessage reference). */
function carriable(body: string): boolean {
  return [...body].every((character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20) return code === 0x9 || code === 0xa || code === 0xd;
    return !(code >= 0xd800 && code <= 0xdfff) && code !== 0xfffe && code !== 0xffff;
  });
}

/** Actions on messages. */
export function messageOperations(sqs: SqsService): Record<string, Operation> {
  const { resource } = sqs;
  return {
    SendMessage: {
      fields: ["QueueUrl", ...sendFields],
      resource,
      run: (input, request) => send(sqs, sqs.queueFrom(input), input, request),
    },
    SendMessageBatch: {
      fields: ["QueueUrl", "Entries"],
      resource,
      iamAction: "SendMessage",
      run: (input, request) => {
        const queue = sqs.queueFrom(input);
        const entries = batch(input, sendFields);
        const bytes = entries.reduce((sum, entry) => sum + Buffer.byteLength(entry.text("MessageBody") ?? ""), 0);
        if (bytes > 1_048_576) throw new AwsError("BatchRequestTooLong", `Entries hold ${bytes} bytes, more than 1,048,576.`);
        return eachEntry(entries, (entry) => send(sqs, queue, entry, request));
      },
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
      run: (input) => receive(sqs, input),
    },
    DeleteMessage: {
      fields: ["QueueUrl", "ReceiptHandle"],
      resource,
      run: (input) => {
        remove(sqs, sqs.queueFrom(input), input);
        return undefined;
      },
    },
    DeleteMessageBatch: {
      fields: ["QueueUrl", "Entries"],
      resource,
      iamAction: "DeleteMessage",
      run: (input) => {
        const queue = sqs.queueFrom(input);
        return eachEntry(batch(input, ["ReceiptHandle"]), (entry) => remove(sqs, queue, entry));
      },
    },
    ChangeMessageVisibility: {
      fields: ["QueueUrl", "ReceiptHandle", "VisibilityTimeout"],
      resource,
      run: (input) => {
        change(sqs, sqs.queueFrom(input), input);
        return undefined;
      },
    },
    ChangeMessageVisibilityBatch: {
      fields: ["QueueUrl", "Entries"],
      resource,
      iamAction: "ChangeMessageVisibility",
      run: (input) => {
        const queue = sqs.queueFrom(input);
        return eachEntry(batch(input, ["ReceiptHandle", "VisibilityTimeout"]), (entry) => change(sqs, queue, entry));
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

function eachEntry(entries: readonly Input[], run: (entry: Input) => object): object {
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

function send(sqs: SqsService, queue: QueueRow, input: Input, request: AwsRequest): object {
  const body = input.needText("MessageBody");
  const attributes = attributesOf(input);
  const fifo = queue.attributes.FifoQueue === "true";
  const groupId = input.text("MessageGroupId");
  const deduplicationId = input.text("MessageDeduplicationId");
  const delaySeconds = input.integer("DelaySeconds", 0, 900);
  if (body.length === 0) throw new AwsError("MissingParameter", "MessageBody must not be empty.");
  if (!carriable(body)) throw new AwsError("InvalidMessageContents", "MessageBody holds characters that SQS does not allow.");
  const size = Buffer.byteLength(body) + attributesSize(attributes);
  const limit = Number(queue.attributes.MaximumMessageSize);
  if (size > limit)
    throw input.error(`MessageBody and MessageAttributes have ${size} bytes, more than the queue's MaximumMessageSize ${limit}`);
  if (fifo && groupId === undefined) throw new AwsError("MissingParameter", "MessageGroupId is required for a FIFO queue.");
  if (fifo && deduplicationId === undefined && queue.attributes.ContentBasedDeduplication !== "true") {
    throw input.error("MessageDeduplicationId is required for a FIFO queue without ContentBasedDeduplication");
  }
  if (fifo && delaySeconds !== undefined) throw input.error("DelaySeconds of a single message is not allowed on a FIFO queue");
  if (!fifo && deduplicationId !== undefined) throw input.error("MessageDeduplicationId is only allowed on a FIFO queue");
  const sent = sqs.store.send(queue, { body, attributes, delaySeconds, groupId, deduplicationId, senderId: senderOf(request) });
  sqs.wake(queue.name);
  return {
    MessageId: sent.messageId,
    MD5OfMessageBody: md5(body),
    MD5OfMessageAttributes: attributesMd5(attributes),
    SequenceNumber: sent.sequence,
  };
}

function attributesOf(input: Input): MessageAttributes {
  const result: Record<string, MessageAttribute> = {};
  for (const [name, attribute] of input.childMap("MessageAttributes", ["DataType", "StringValue", "BinaryValue"])) {
    const DataType = attribute.needText("DataType");
    if (!/^(String|Number|Binary)(\..+)?$/.test(DataType))
      throw attribute.error(`DataType ${DataType} must be String, Number or Binary`);
    if (DataType.startsWith("Binary")) {
      const binary = attribute.blob("BinaryValue");
      if (binary === undefined) throw attribute.error("BinaryValue is required for DataType Binary");
      result[name] = { DataType, BinaryValue: binary.toString("base64") };
    } else {
      result[name] = { DataType, StringValue: attribute.needText("StringValue") };
    }
  }
  if (Object.keys(result).length > 10) throw input.error("MessageAttributes holds more than 10 attributes");
  return result;
}

function attributesSize(attributes: MessageAttributes): number {
  return Object.entries(attributes).reduce((sum, [name, attribute]) => {
    const value =
      attribute.BinaryValue === undefined
        ? Buffer.byteLength(attribute.StringValue ?? "")
        : Buffer.from(attribute.BinaryValue, "base64").length;
    return sum + Buffer.byteLength(name) + Buffer.byteLength(attribute.DataType) + value;
  }, 0);
}

async function receive(sqs: SqsService, input: Input): Promise<object> {
  const queue = sqs.queueFrom(input);
  const limit = input.integer("MaxNumberOfMessages", 1, 10) ?? 1;
  const visibility = input.integer("VisibilityTimeout", 0, 43_200);
  const wait = input.integer("WaitTimeSeconds", 0, 20) ?? Number(queue.attributes.ReceiveMessageWaitTimeSeconds);
  const until = sqs.context.clock.now() + wait * 1000;
  let messages = sqs.receive(sqs.arnOf(queue.name), limit, visibility);
  while (messages.length === 0 && sqs.context.clock.now() < until) {
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
    ...(message.groupId === undefined ? {} : { MessageGroupId: message.groupId }),
    ...(message.deduplicationId === undefined ? {} : { MessageDeduplicationId: message.deduplicationId }),
    ...(message.deadLetterSourceArn === undefined ? {} : { DeadLetterQueueSourceArn: message.deadLetterSourceArn }),
  };
}

function describe(message: Message, system: readonly string[], names: readonly string[]): object {
  const shownSystem = Object.entries(systemAttributes(message)).filter(
    ([name]) => system.includes("All") || system.includes(name),
  );
  const shown = Object.entries(message.attributes).filter(([name]) =>
    names.some(
      (wanted) =>
        wanted === "All" || wanted === ".*" || wanted === name || (wanted.endsWith(".*") && name.startsWith(wanted.slice(0, -2))),
    ),
  );
  const attributes = Object.fromEntries(shown);
  return {
    MessageId: message.messageId,
    ReceiptHandle: message.receiptHandle,
    MD5OfBody: md5(message.body),
    Body: message.body,
    Attributes: shownSystem.length === 0 ? undefined : new Map(shownSystem),
    MessageAttributes: shown.length === 0 ? undefined : new Map(shown),
    MD5OfMessageAttributes: attributesMd5(attributes),
  };
}

function remove(sqs: SqsService, queue: QueueRow, input: Input): object {
  if (!sqs.store.deleteMessage(queue.name, input.needText("ReceiptHandle"))) {
    throw new AwsError("ReceiptHandleIsInvalid", "ReceiptHandle is not one that ReceiveMessage of this queue returned.");
  }
  // The next message of a FIFO group becomes available.
  sqs.wake(queue.name);
  return {};
}

function change(sqs: SqsService, queue: QueueRow, input: Input): object {
  sqs.store.changeVisibility(queue.name, input.needText("ReceiptHandle"), input.needInteger("VisibilityTimeout", 0, 43_200));
  sqs.wake(queue.name);
  return {};
}

/** The caller's id, as `SenderId` shows it. */
function senderOf(request: AwsRequest): string {
  return request.principal.kind === "role" ? request.principal.roleName : "owner";
}
