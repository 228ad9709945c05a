import type { DatabaseSync } from "node:sqlite";
import { textOf } from "../messaging/database";

export interface Topic {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Subscription {
  readonly arn: string;
  readonly topic: string;
  readonly protocol: string;
  readonly endpoint: string;
}

export interface Publication {
  readonly topicArn: string;
  readonly message: string;
  readonly subject: string | undefined;
  readonly messageId: string;
}

const schema = `
CREATE TABLE IF NOT EXISTS sns_topics (name TEXT PRIMARY KEY, attributes TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sns_subscription (arn TEXT PRIMARY KEY, topic TEXT NOT NULL, protocol TEXT NOT NULL, endpoint TEXT NOT NULL,
  UNIQUE (topic, protocol, endpoint));`;

export class SnsStore {
  constructor(private readonly db: DatabaseSync) {
    db.exec(schema);
  }

  topics(): Topic[] {
    const rows = this.db.prepare("SELECT * FROM sns_topics ORDER BY name").all();
    return rows.map((row) => ({
      name: textOf(row, "name"),
      attributes: JSON.parse(textOf(row, "attributes")) as Record<string, string>,
    }));
  }

  saveTopic({ name, attributes }: Topic): void {
    this.db.prepare("INSERT OR REPLACE INTO sns_topics VALUES (?, ?)").run(name, JSON.stringify(attributes));
  }

  deleteTopic(name: string, arn: string): void {
    this.db.prepare("DELETE FROM sns_subscription WHERE topic = ?").run(arn);
    this.db.prepare("DELETE FROM sns_topics WHERE name = ?").run(name);
  }

  subscriptions(): Subscription[] {
    const rows = this.db.prepare("SELECT * FROM sns_subscription ORDER BY rowid").all();
    return rows.map((row) => ({
      arn: textOf(row, "arn"),
      topic: textOf(row, "topic"),
      protocol: textOf(row, "protocol"),
      endpoint: textOf(row, "endpoint"),
    }));
  }

  saveSubscription({ arn, topic, protocol, endpoint }: Subscription): void {
    this.db.prepare("INSERT OR REPLACE INTO sns_subscription VALUES (?, ?, ?, ?)").run(arn, topic, protocol, endpoint);
  }

  deleteSubscription(arn: string): void {
    this.db.prepare("DELETE FROM sns_subscription WHERE arn = ?").run(arn);
  }
}
