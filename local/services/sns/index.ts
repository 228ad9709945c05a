/** SNS on SQLite: topics, subscriptions, filter policies; e-mail becomes `.eml` files under the data folder. */
import { randomUUID } from "node:crypto";
import { AwsError, type AwsService, type DeliverOptions, type LocalContext, type Permission } from "../../contracts";
import type { DeliverRegistry } from "../deliver";
import { textOf } from "../messaging/database";
import { serviceOf } from "../messaging/operations";
import type { ServiceGate } from "../service-gate";
import type { SqsService } from "../sqs";
import { writeMail } from "./mail";
import { accepts, envelope, type Publication } from "./message";
import { snsOperations } from "./operations";

export { snsBodies } from "./bodies";

export interface Topic {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Subscription {
  readonly arn: string;
  readonly topic: string;
  readonly protocol: string;
  readonly endpoint: string;
  readonly attributes: Readonly<Record<string, string>>;
}

const protocols = ["email", "email-json", "sqs", "lambda"];

export class SnsService implements AwsService {
  readonly name = "sns";
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];

  constructor(
    readonly context: LocalContext,
    private readonly gate: ServiceGate,
    private readonly sqs: SqsService,
    private readonly registry: DeliverRegistry,
  ) {
    context.db.exec(`CREATE TABLE IF NOT EXISTS sns_topics (name TEXT PRIMARY KEY, attributes TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS sns_subscriptions (arn TEXT PRIMARY KEY, topic TEXT NOT NULL, protocol TEXT NOT NULL, endpoint TEXT NOT NULL,
        attributes TEXT NOT NULL, UNIQUE (topic, protocol, endpoint));`);
    const service = serviceOf({
      name: this.name,
      iamPrefix: "sns",
      validationCode: "InvalidParameter",
      jsonVersion: "1.0",
      queryNamespace: "http://sns.amazonaws.com/doc/2010-03-31/",
      operations: snsOperations(this),
      keyUse: (action, topicArn) => this.keyUse(action, topicArn),
    });
    this.permissions = service.permissions;
    this.handle = service.handle;
    registry.register("sns", (arn, payload, options) => this.deliver(arn, payload, options));
  }

  arnOf(name: string): string {
    return `arn:aws:sns:${this.context.region}:${this.context.accountId}:${name}`;
  }

  topics(): Topic[] {
    const rows = this.context.db.prepare("SELECT * FROM sns_topics ORDER BY name").all();
    return rows.map((row) => ({
      name: textOf(row, "name"),
      attributes: JSON.parse(textOf(row, "attributes")) as Record<string, string>,
    }));
  }

  topic(arn: string): Topic {
    const found = this.topics().find((topic) => this.arnOf(topic.name) === arn);
    if (found === undefined) throw new AwsError("NotFound", `Topic ${arn} does not exist.`, 404);
    return found;
  }

  saveTopic(name: string, attributes: Readonly<Record<string, string>>): void {
    this.context.db.prepare("INSERT OR REPLACE INTO sns_topics VALUES (?, ?)").run(name, JSON.stringify(attributes));
  }

  deleteTopic(arn: string): void {
    this.context.db.prepare("DELETE FROM sns_subscriptions WHERE topic = ?").run(arn);
    this.context.db.prepare("DELETE FROM sns_topics WHERE name = ?").run(arn.split(":").at(-1) ?? "");
  }

  subscriptions(topicArn?: string): Subscription[] {
    const rows = this.context.db.prepare("SELECT * FROM sns_subscriptions ORDER BY rowid").all();
    return rows
      .map((row) => ({
        arn: textOf(row, "arn"),
        topic: textOf(row, "topic"),
        protocol: textOf(row, "protocol"),
        endpoint: textOf(row, "endpoint"),
        attributes: JSON.parse(textOf(row, "attributes")) as Record<string, string>,
      }))
      .filter((subscription) => topicArn === undefined || subscription.topic === topicArn);
  }

  /** Subscribing the same endpoint again answers the same ARN. E-mail needs no confirmation locally: the mail never leaves the machine. */
  subscribe(
    topicArn: string,
    protocol: string,
    endpoint: string,
    attributes: Readonly<Record<string, string>>,
    arn?: string,
  ): string {
    this.topic(topicArn);
    if (!protocols.includes(protocol)) {
      throw new AwsError(
        "InvalidParameter",
        `Protocol ${protocol} is not supported by the local runtime; supported: ${protocols.join(", ")}.`,
      );
    }
    if (endpoint === "") throw new AwsError("InvalidParameter", "Endpoint must not be empty.");
    accepts(attributes, { message: "{}", attributes: {} });
    const existing = this.subscriptions(topicArn).find((one) => one.protocol === protocol && one.endpoint === endpoint);
    const chosen = existing?.arn ?? arn ?? `${topicArn}:${randomUUID()}`;
    this.context.db
      .prepare("INSERT OR REPLACE INTO sns_subscriptions VALUES (?, ?, ?, ?, ?)")
      .run(chosen, topicArn, protocol, endpoint, JSON.stringify(attributes));
    return chosen;
  }

  unsubscribe(arn: string): void {
    this.context.db.prepare("DELETE FROM sns_subscriptions WHERE arn = ?").run(arn);
  }

  /** What the caller of an IAM action (`Publish`) needs of the topic's key. */
  keyUse(action: string, topicArn: string): readonly Permission[] {
    const topic = this.topics().find(({ name }) => this.arnOf(name) === topicArn);
    return this.gate.callerPermissions(`sns:${action}`, topicArn, topic?.attributes.KmsMasterKeyId);
  }

  private async deliver(topicArn: string, payload: string, options: DeliverOptions): Promise<void> {
    const topic = this.topic(topicArn);
    if (options.servicePrincipal !== undefined) {
      this.gate.require({
        service: options.servicePrincipal,
        target: "topic",
        targetArn: topicArn,
        sourceArn: options.sourceArn ?? "",
        policy: topic.attributes.Policy,
        keyId: topic.attributes.KmsMasterKeyId,
      });
    }
    await this.publish({ topicArn, message: payload, subject: options.subject, attributes: {}, messageId: randomUUID() });
  }

  /** Delivers to every accepting subscription; a failed one is reported and, if it has one, goes to its dead-letter queue. */
  async publish(publication: Publication): Promise<void> {
    for (const subscription of this.subscriptions(publication.topicArn)) {
      if (!accepts(subscription.attributes, publication)) continue;
      try {
        await this.send(subscription, publication);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.context.log(
          `SNS could not deliver ${publication.messageId} to ${subscription.protocol} ${subscription.endpoint}: ${reason}`,
        );
        const redrive = subscription.attributes.RedrivePolicy;
        if (redrive !== undefined) this.toDeadLetters(redrive, subscription, publication);
      }
    }
  }

  private async send(subscription: Subscription, publication: Publication): Promise<void> {
    const timestamp = new Date(this.context.clock.now()).toISOString();
    const sourceArn = publication.topicArn;
    switch (subscription.protocol) {
      case "sqs": {
        const raw = subscription.attributes.RawMessageDelivery === "true";
        const body = raw ? publication.message : JSON.stringify(envelope(publication, subscription, timestamp));
        const attributes = raw ? publication.attributes : {};
        this.sqs.deliver(subscription.endpoint, body, { servicePrincipal: "sns.amazonaws.com", sourceArn, attributes });
        return;
      }
      case "lambda": {
        const record = {
          EventSource: "aws:sns",
          EventVersion: "1.0",
          EventSubscriptionArn: subscription.arn,
          Sns: envelope(publication, subscription, timestamp),
        };
        await this.registry.deliver(subscription.endpoint, JSON.stringify({ Records: [record] }), {
          servicePrincipal: "sns.amazonaws.com",
          sourceArn,
        });
        return;
      }
      default: {
        const text =
          subscription.protocol === "email-json"
            ? JSON.stringify(envelope(publication, subscription, timestamp), null, 2)
            : publication.message;
        const file = writeMail(this.context, subscription.endpoint, publication, text);
        this.context.log(`Mail to ${subscription.endpoint}: ${publication.subject ?? "AWS Notification Message"} → ${file}`);
      }
    }
  }

  private toDeadLetters(redrive: string, subscription: Subscription, publication: Publication): void {
    const policy = JSON.parse(redrive) as { deadLetterTargetArn: string };
    const body = JSON.stringify(envelope(publication, subscription, new Date(this.context.clock.now()).toISOString()));
    this.sqs.deliver(policy.deadLetterTargetArn, body, {
      servicePrincipal: "sns.amazonaws.com",
      sourceArn: publication.topicArn,
    });
  }
}
