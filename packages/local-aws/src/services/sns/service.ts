/** SNS on SQLite: topics and their e-mail subscriptions; e-mail becomes `.eml` files under the data folder. */
import { randomUUID } from "node:crypto";
import { AwsError, type AwsService, type DeliverOptions, type LocalContext, type Permission } from "../../contracts";
import type { DeliverRegistry } from "../deliver";
import { Documents } from "../documents";
import { serviceOf } from "../messaging/operations";
import type { ServiceGate } from "../service-gate";
import { writeMail } from "./mail";
import { type Publication, type Subscription, snsOperations, type Topic, type TopicPort } from "./operations";

export class SnsService implements AwsService, TopicPort {
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

  /** Subscribing the same endpoint again answers the same ARN. E-mail needs no confirmation locally: the mail never leaves the machine. */
  subscribe(topicArn: string, protocol: string, endpoint: string, arn = `${topicArn}:${randomUUID()}`): string {
    this.topic(topicArn);
    if (protocol !== "email")
      throw new AwsError("InvalidParameter", `Protocol ${protocol} is not supported by the local runtime; supported: email.`);
    if (endpoint === "") throw new AwsError("InvalidParameter", "Endpoint must not be empty.");
    const existing = this.subscriptions(topicArn).find((one) => one.endpoint === endpoint);
    if (existing !== undefined) return existing.arn;
    this.subscriptionsByArn.put(arn, { arn, topic: topicArn, protocol, endpoint });
    return arn;
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
    this.publish({ topicArn, message, subject, messageId: randomUUID() });
  }

  /** Mails every subscriber. */
  publish(publication: Publication): void {
    for (const { endpoint } of this.subscriptions(publication.topicArn)) {
      const file = writeMail(this.context, endpoint, publication);
      this.context.log(`Mail to ${endpoint}: ${publication.subject ?? "AWS Notification Message"} → ${file}`);
    }
  }
}
