import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { AwsError } from "../../contracts";
import { Documents } from "../documents";
import { numberOf, optionalNumber, optionalText, type Row, textOf, transaction } from "../messaging/database";

/** Only services attach attributes here: EventBridge adds the reason to a dead letter. */
export interface MessageAttribute {
  readonly DataType: "String" | "Number";
  readonly StringValue: string;
}

export type MessageAttributes = Readonly<Record<string, MessageAttribute>>;

export interface QueueRow {
  readonly name: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
  /** Attributes as the API knows them, all text. */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface SendArgs {
  readonly body: string;
  readonly attributes: MessageAttributes;
  readonly senderId: string;
}

export interface Message {
  readonly id: number;
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: MessageAttributes;
  readonly sentMs: number;
  readonly firstReceivedMs: number;
  readonly receiveCount: number;
  readonly senderId: string;
  readonly deadLetterSourceArn: string | undefined;
}

export interface Redrive {
  readonly deadLetterQueue: string;
  readonly maxReceiveCount: number;
  readonly sourceArn: string;
}

const schema = `
CREATE TABLE IF NOT EXISTS sqs_messages (id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, message_id TEXT NOT NULL, body TEXT NOT NULL, attributes TEXT NOT NULL,
  sent INTEGER NOT NULL, visible INTEGER NOT NULL, first_received INTEGER, receives INTEGER NOT NULL DEFAULT 0, receipt TEXT, sender TEXT NOT NULL, dlq_source TEXT);
CREATE INDEX IF NOT EXISTS sqs_messages_by_queue ON sqs_messages (queue, visible, id);`;

export class SqsStore {
  private readonly queuesByName: Documents<QueueRow>;

  constructor(
    private readonly db: DatabaseSync,
    private readonly now: () => number,
  ) {
    db.exec(schema);
    this.queuesByName = new Documents(db, "sqs_queue_documents");
  }

  queue(name: string): QueueRow {
    const found = this.findQueue(name);
    if (found === undefined)
      throw new AwsError("QueueDoesNotExist", `The queue ${name} does not exist. Check QueueUrl or create it.`);
    return found;
  }

  findQueue(name: string): QueueRow | undefined {
    return this.queuesByName.get(name);
  }

  queues(): QueueRow[] {
    return this.queuesByName.sorted();
  }

  /** Creates the queue or replaces its attributes; messages stay. */
  save(name: string, attributes: QueueRow["attributes"]): void {
    const now = this.now();
    const createdMs = this.queuesByName.get(name)?.createdMs ?? now;
    this.queuesByName.put(name, { name, createdMs, modifiedMs: now, attributes });
  }

  delete(name: string): void {
    transaction(this.db, () => {
      this.db.prepare("DELETE FROM sqs_messages WHERE queue = ?").run(name);
      this.queuesByName.delete(name);
    });
  }

  /** @returns the message's id */
  send(queue: QueueRow, message: SendArgs): string {
    const messageId = randomUUID();
    const now = this.now();
    const delayMs = Number(queue.attributes.DelaySeconds ?? 0) * 1000;
    this.db
      .prepare(
        "INSERT INTO sqs_messages (queue, message_id, body, attributes, sent, visible, sender) VALUES (?, ?, ?, ?, ?, ?, ?)",
      )
      .run(queue.name, messageId, message.body, JSON.stringify(message.attributes), now, now + delayMs, message.senderId);
    return messageId;
  }

  /** Takes up to `limit` visible messages; those over the redrive limit go to the dead-letter queue instead. */
  receive(
    queue: QueueRow,
    limit: number,
    redrive: Redrive | undefined,
    hiddenSeconds = Number(queue.attributes.VisibilityTimeout),
  ): { readonly messages: Message[]; readonly moved: boolean } {
    const now = this.now();
    return transaction(this.db, () => {
      this.expire(queue);
      const messages: Message[] = [];
      const spent: Row[] = [];
      for (const row of this.db
        .prepare("SELECT * FROM sqs_messages WHERE queue = ? AND visible <= ? ORDER BY visible, id")
        .iterate(queue.name, now)) {
        if (messages.length === limit) break;
        if (
          redrive !== undefined &&
          numberOf(row, "receives") >= redrive.maxReceiveCount &&
          this.findQueue(redrive.deadLetterQueue) !== undefined
        ) {
          spent.push(row);
          continue;
        }
        messages.push(messageOf(row, queue.name, now));
      }
      if (redrive !== undefined) for (const row of spent) this.moveToDeadLetters(row, redrive);
      const take = this.db.prepare(
        "UPDATE sqs_messages SET visible = ?, receives = receives + 1, first_received = ?, receipt = ? WHERE id = ?",
      );
      for (const message of messages)
        take.run(now + hiddenSeconds * 1000, message.firstReceivedMs, message.receiptHandle, message.id);
      return { messages, moved: spent.length > 0 };
    });
  }

  private moveToDeadLetters(row: Row, redrive: Redrive): void {
    // The enqueue time is kept, so retention keeps counting from the first send (SQS developer guide).
    this.db
      .prepare(
        "UPDATE sqs_messages SET queue = ?, visible = ?, receives = 0, first_received = NULL, receipt = NULL, dlq_source = ? WHERE id = ?",
      )
      .run(redrive.deadLetterQueue, this.now(), redrive.sourceArn, numberOf(row, "id"));
  }

  /** Returns false when the handle is of another queue or malformed. A message that is already gone counts as deleted. */
  deleteMessage(queue: string, receiptHandle: string): boolean {
    const id = messageIdOf(queue, receiptHandle);
    if (id === undefined) return false;
    this.db.prepare("DELETE FROM sqs_messages WHERE queue = ? AND id = ?").run(queue, id);
    return true;
  }

  /** @throws AwsError when the handle is wrong, the message is gone or it is not in flight. */
  changeVisibility(queue: string, receiptHandle: string, seconds: number): void {
    const id = messageIdOf(queue, receiptHandle);
    if (id === undefined)
      throw new AwsError("ReceiptHandleIsInvalid", "ReceiptHandle is not one that ReceiveMessage of this queue returned.");
    const row = this.db.prepare("SELECT visible, receives, receipt FROM sqs_messages WHERE queue = ? AND id = ?").get(queue, id);
    if (row === undefined)
      throw new AwsError("InvalidParameterValue", "ReceiptHandle: the message does not exist or is no longer available.");
    if (numberOf(row, "visible") <= this.now() || row.receipt !== receiptHandle) {
      throw new AwsError("MessageNotInflight", "ReceiptHandle: the message is not in flight; its visibility timeout ended.");
    }
    this.db.prepare("UPDATE sqs_messages SET visible = ? WHERE id = ?").run(this.now() + seconds * 1000, id);
  }

  /** Makes a message visible that is still in flight under this handle. */
  release(queue: string, receiptHandle: string): void {
    this.db
      .prepare("UPDATE sqs_messages SET visible = ?1 WHERE queue = ?2 AND receipt = ?3 AND visible > ?1")
      .run(this.now(), queue, receiptHandle);
  }

  expire(queue: QueueRow): void {
    const retentionMs = Number(queue.attributes.MessageRetentionPeriod ?? 345_600) * 1000;
    this.db.prepare("DELETE FROM sqs_messages WHERE queue = ? AND sent <= ?").run(queue.name, this.now() - retentionMs);
  }

  counts(queue: string): { visible: number; inFlight: number; delayed: number; oldestMs: number | undefined } {
    const now = this.now();
    const row = this.db
      .prepare(
        "SELECT SUM(visible <= ?1) AS visible, SUM(visible > ?1 AND receives > 0) AS in_flight, SUM(visible > ?1 AND receives = 0) AS delayed, MIN(sent) AS oldest FROM sqs_messages WHERE queue = ?2",
      )
      .get(now, queue);
    return {
      visible: Number(row?.visible ?? 0),
      inFlight: Number(row?.in_flight ?? 0),
      delayed: Number(row?.delayed ?? 0),
      oldestMs: row === undefined ? undefined : optionalNumber(row, "oldest"),
    };
  }

  /** When the next hidden message becomes visible. */
  nextVisibleMs(queue: string): number | undefined {
    const row = this.db
      .prepare("SELECT MIN(visible) AS next FROM sqs_messages WHERE queue = ? AND visible > ?")
      .get(queue, this.now());
    return row === undefined ? undefined : optionalNumber(row, "next");
  }
}

function messageIdOf(queue: string, receiptHandle: string): number | undefined {
  const [owner, id] = Buffer.from(receiptHandle, "base64").toString("utf8").split(" ");
  return owner === queue && id !== undefined && /^\d+$/.test(id) ? Number(id) : undefined;
}

function messageOf(row: Row, queue: string, now: number): Message {
  const id = numberOf(row, "id");
  return {
    id,
    messageId: textOf(row, "message_id"),
    receiptHandle: Buffer.from(`${queue} ${id} ${randomUUID()}`).toString("base64"),
    body: textOf(row, "body"),
    attributes: JSON.parse(textOf(row, "attributes")) as MessageAttributes,
    sentMs: numberOf(row, "sent"),
    firstReceivedMs: optionalNumber(row, "first_received") ?? now,
    receiveCount: numberOf(row, "receives") + 1,
    senderId: textOf(row, "sender"),
    deadLetterSourceArn: optionalText(row, "dlq_source"),
  };
}
