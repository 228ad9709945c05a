import { createHash, randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { AwsError } from "../../contracts";
import { numberOf, optionalNumber, optionalText, type Row, textOf, transaction } from "../messaging/database";
import type { MessageAttributes } from "./md5";

export interface QueueRow {
  readonly name: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
  /** Attributes as the API knows them, all text. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

export interface SendArgs {
  readonly body: string;
  readonly attributes: MessageAttributes;
  readonly delaySeconds: number | undefined;
  readonly groupId: string | undefined;
  readonly deduplicationId: string | undefined;
  readonly senderId: string;
  /** Source queue of a message that was moved to a dead-letter queue. */
  readonly deadLetterSourceArn?: string;
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
  readonly groupId: string | undefined;
  readonly deduplicationId: string | undefined;
  readonly senderId: string;
  readonly deadLetterSourceArn: string | undefined;
}

export interface Redrive {
  readonly deadLetterQueue: string;
  readonly maxReceiveCount: number;
  readonly sourceArn: string;
}

const deduplicationMs = 300_000;

const schema = `
CREATE TABLE IF NOT EXISTS sqs_queues (name TEXT PRIMARY KEY, created INTEGER NOT NULL, modified INTEGER NOT NULL, attributes TEXT NOT NULL, tags TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sqs_messages (id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, message_id TEXT NOT NULL, body TEXT NOT NULL, attributes TEXT NOT NULL,
  sent INTEGER NOT NULL, visible INTEGER NOT NULL, first_received INTEGER, receives INTEGER NOT NULL DEFAULT 0, receipt TEXT, group_id TEXT, dedup_id TEXT,
  sender TEXT NOT NULL, dlq_source TEXT);
CREATE INDEX IF NOT EXISTS sqs_messages_by_queue ON sqs_messages (queue, visible, id);
CREATE TABLE IF NOT EXISTS sqs_deduplication (queue TEXT NOT NULL, dedup_id TEXT NOT NULL, message_id TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (queue, dedup_id));`;

export class SqsStore {
  constructor(
    private readonly db: DatabaseSync,
    private readonly now: () => number,
  ) {
    db.exec(schema);
  }

  queue(name: string): QueueRow {
    const found = this.findQueue(name);
    if (found === undefined)
      throw new AwsError("QueueDoesNotExist", `The queue ${name} does not exist. Check QueueUrl or create it.`);
    return found;
  }

  findQueue(name: string): QueueRow | undefined {
    const row = this.db.prepare("SELECT * FROM sqs_queues WHERE name = ?").get(name);
    return row === undefined ? undefined : queueOf(row);
  }

  queues(): QueueRow[] {
    return this.db.prepare("SELECT * FROM sqs_queues ORDER BY name").all().map(queueOf);
  }

  /** Creates the queue or replaces its attributes and tags; messages stay. */
  save(name: string, attributes: QueueRow["attributes"], tags: QueueRow["tags"]): void {
    this.db
      .prepare(
        "INSERT INTO sqs_queues VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET modified = excluded.modified, attributes = excluded.attributes, tags = excluded.tags",
      )
      .run(name, this.now(), this.now(), JSON.stringify(attributes), JSON.stringify(tags));
  }

  delete(name: string): void {
    transaction(this.db, () => {
      for (const table of ["sqs_messages", "sqs_deduplication"])
        this.db.prepare(`DELETE FROM ${table} WHERE queue = ?`).run(name);
      this.db.prepare("DELETE FROM sqs_queues WHERE name = ?").run(name);
    });
  }

  purge(name: string): void {
    this.db.prepare("DELETE FROM sqs_messages WHERE queue = ?").run(name);
  }

  send(queue: QueueRow, message: SendArgs): { readonly messageId: string; readonly sequence: string | undefined } {
    const fifo = queue.attributes.FifoQueue === "true";
    return transaction(this.db, () => {
      const now = this.now();
      const deduplicationId = fifo
        ? (message.deduplicationId ?? createHash("sha256").update(message.body).digest("hex"))
        : undefined;
      if (deduplicationId !== undefined) {
        this.db.prepare("DELETE FROM sqs_deduplication WHERE queue = ? AND at <= ?").run(queue.name, now - deduplicationMs);
        const seen = this.db
          .prepare("SELECT * FROM sqs_deduplication WHERE queue = ? AND dedup_id = ?")
          .get(queue.name, deduplicationId);
        if (seen !== undefined) return { messageId: textOf(seen, "message_id"), sequence: sequence(numberOf(seen, "seq")) };
      }
      const messageId = randomUUID();
      const delayMs = (message.delaySeconds ?? Number(queue.attributes.DelaySeconds ?? 0)) * 1000;
      const { lastInsertRowid } = this.db
        .prepare(
          "INSERT INTO sqs_messages (queue, message_id, body, attributes, sent, visible, group_id, dedup_id, sender, dlq_source) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .run(
          queue.name,
          messageId,
          message.body,
          JSON.stringify(message.attributes),
          now,
          now + delayMs,
          message.groupId ?? null,
          deduplicationId ?? null,
          message.senderId,
          message.deadLetterSourceArn ?? null,
        );
      if (deduplicationId !== undefined) {
        this.db
          .prepare("INSERT INTO sqs_deduplication VALUES (?, ?, ?, ?, ?)")
          .run(queue.name, deduplicationId, messageId, lastInsertRowid, now);
      }
      return { messageId, sequence: fifo ? sequence(Number(lastInsertRowid)) : undefined };
    });
  }

  /** Takes up to `limit` visible messages; those over the redrive limit go to the dead-letter queue instead. */
  receive(
    queue: QueueRow,
    limit: number,
    visibilitySeconds: number,
    redrive: Redrive | undefined,
  ): { readonly messages: Message[]; readonly moved: boolean } {
    const now = this.now();
    const fifo = queue.attributes.FifoQueue === "true";
    return transaction(this.db, () => {
      this.expire(queue);
      const messages: Message[] = [];
      const spent: Row[] = [];
      const blocked = fifo ? this.groupsInFlight(queue.name) : new Set<string>();
      const order = fifo ? "id" : "visible, id";
      for (const row of this.db
        .prepare(`SELECT * FROM sqs_messages WHERE queue = ? AND visible <= ? ORDER BY ${order}`)
        .iterate(queue.name, now)) {
        if (messages.length === limit) break;
        const group = optionalText(row, "group_id");
        if (group !== undefined && blocked.has(group)) continue;
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
        take.run(now + visibilitySeconds * 1000, message.firstReceivedMs, message.receiptHandle, message.id);
      return { messages, moved: spent.length > 0 };
    });
  }

  private moveToDeadLetters(row: Row, redrive: Redrive): void {
    // The enqueue time is kept on a standard queue, so retention keeps counting from the first send (SQS developer guide).
    this.db
      .prepare(
        "UPDATE sqs_messages SET queue = ?, visible = ?, receives = 0, first_received = NULL, receipt = NULL, dlq_source = ? WHERE id = ?",
      )
      .run(redrive.deadLetterQueue, this.now(), redrive.sourceArn, numberOf(row, "id"));
  }

  private groupsInFlight(queue: string): Set<string> {
    const rows = this.db
      .prepare("SELECT DISTINCT group_id FROM sqs_messages WHERE queue = ? AND visible > ? AND group_id IS NOT NULL")
      .all(queue, this.now());
    return new Set(rows.map((row) => textOf(row, "group_id")));
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

function sequence(id: number): string {
  return String(10n ** 19n + BigInt(id)).slice(0, 20);
}

function messageIdOf(queue: string, receiptHandle: string): number | undefined {
  const [owner, id] = Buffer.from(receiptHandle, "base64").toString("utf8").split(" ");
  return owner === queue && id !== undefined && /^\d+$/.test(id) ? Number(id) : undefined;
}

function queueOf(row: Row): QueueRow {
  return {
    name: textOf(row, "name"),
    createdMs: numberOf(row, "created"),
    modifiedMs: numberOf(row, "modified"),
    attributes: JSON.parse(textOf(row, "attributes")) as Record<string, string>,
    tags: JSON.parse(textOf(row, "tags")) as Record<string, string>,
  };
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
    groupId: optionalText(row, "group_id"),
    deduplicationId: optionalText(row, "dedup_id"),
    senderId: textOf(row, "sender"),
    deadLetterSourceArn: optionalText(row, "dlq_source"),
  };
}
