/** SNS on SQLite: topics and their e-mail subscriptions; e-mail becomes `.eml` files under the data folder. */
import { randomUUID } from "node:crypto";
import { AwsError, type AwsService, type DeliverOptions, type LocalContext, type Permission } from "../../contracts";
import type { DeliverRegistry } from "../deliver";
import { Documents } from "../documents";
import type { Input } from "../messaging/input";
import { serviceOf } from "../messaging/operations";
import type { ServiceGate } from "../service-gate";
import { type Publication, writeMail } from "./mail";

interface Topic {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

interface Subscription {
  readonly arn: string;
  readonly topic: string;
  readonly protocol: string;
  readonly endpoint: string;
}

export class SnsService implements AwsService {
  readonly name = "sns";
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];
  readonly accountId: string;
  private readonly topicsByName: Documents<Topic>;
  private readonly subscriptionsByArn: Documents<Subscription>;

  constructor(
    private readonly context: LocalContext,
    private readonly gate: ServiceGate,
    registry: DeliverRegistry,
  ) {
    this.accountId = context.accountId;
    this.topicsByName = new Documents(context.db, "sns_topic_documents");
    this.subscriptionsByArn = new Documents(context.db, "sns_subscription_documents");
    const service = serviceOf({
      name: this.name,
      iamPrefix: "sns",
      validationCode: "InvalidParameter",
      jsonVersion: "1.0",
      operations: {
        Publish: {
          fields: ["TopicArn", "Message", "Subject"],
          resource: (input) => input.needText("TopicArn"),
          run: (input) => this.take(input),
        },
      },
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
    return this.topicsByName.sorted();
  }

  topic(arn: string): Topic {
    const found = this.findTopic(arn);
    if (found === undefined) throw new AwsError("NotFound", `Topic ${arn} does not exist.`, 404);
    return found;
  }

  findTopic(arn: string): Topic | undefined {
    return this.topics().find(({ name }) => this.arnOf(name) === arn);
  }

  saveTopic(name: string, attributes: Topic["attributes"]): void {
    this.topicsByName.put(name, { name, attributes });
  }

  deleteTopic(arn: string): void {
    for (const subscription of this.subscriptions(arn)) this.unsubscribe(subscription.arn);
    this.topicsByName.delete(arn.split(":").at(-1) ?? "");
  }

  subscriptions(topicArn?: string): Subscription[] {
    return this.subscriptionsByArn.all().filter(({ topic }) => topicArn === undefined || topic === topicArn);
  }

  /** Subscribing the same endpoint again changes nothing. E-mail needs no confirmation locally: the mail never leaves the machine. */
  subscribe(topicArn: string, protocol: string, endpoint: string, arn: string): void {
    this.topic(topicArn);
    if (protocol !== "email")
      throw new AwsError("InvalidParameter", `Protocol ${protocol} is not supported by the local runtime; supported: email.`);
    if (endpoint === "") throw new AwsError("InvalidParameter", "Endpoint must not be empty.");
    if (this.subscriptions(topicArn).some((one) => one.endpoint === endpoint)) return;
    this.subscriptionsByArn.put(arn, { arn, topic: topicArn, protocol, endpoint });
  }

  unsubscribe(arn: string): void {
    this.subscriptionsByArn.delete(arn);
  }

  /** What the caller of an IAM action (`Publish`) needs of the topic's key. */
  keyUse(action: string, topicArn: string): readonly Permission[] {
    return this.gate.callerPermissions(`sns:${action}`, topicArn, this.findTopic(topicArn)?.attributes.KmsMasterKeyId);
  }

  private deliver(topicArn: string, message: string, { servicePrincipal, sourceArn = "", subject }: DeliverOptions): void {
    const { Policy: policy, KmsMasterKeyId: keyId } = this.topic(topicArn).attributes;
    if (servicePrincipal !== undefined)
      this.gate.require({ service: servicePrincipal, target: "topic", targetArn: topicArn, sourceArn, policy, keyId });
    this.publish(topicArn, { message, subject });
  }

  private take(input: Input): object {
    const topicArn = input.needText("TopicArn");
    this.topic(topicArn);
    const message = input.needText("Message");
    if (message === "") throw input.error("Message must not be empty");
    if (Buffer.byteLength(message) > 262_144) throw input.error("Message is longer than 256 KB");
    const subject = input.text("Subject");
    if (subject !== undefined && !/^[\x21-\x7e][\x20-\x7e]{0,99}$/.test(subject))
      throw input.error("Subject must be 1 to 100 printable ASCII characters");
    return { MessageId: this.publish(topicArn, { message, subject }) };
  }

  /** Mails every subscriber. @returns the message's id */
  private publish(topicArn: string, content: Omit<Publication, "messageId">): string {
    const publication = { ...content, messageId: randomUUID() };
    for (const { endpoint } of this.subscriptions(topicArn)) {
      const file = writeMail(this.context, endpoint, publication);
      this.context.log(`Mail to ${endpoint}: ${publication.subject ?? "AWS Notification Message"} → ${file}`);
    }
    return publication.messageId;
  }
}
