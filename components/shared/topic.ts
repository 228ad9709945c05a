import { Topic, TopicPolicy, TopicSubscription } from "@pulumi/aws/sns";
import * as pulumi from "@pulumi/pulumi";
import { currentAccount } from "./account";
import type { EncryptionKey } from "./encryption-key";
import { policyDocument, type Statement, tlsOnly } from "./iam";

export interface NotificationTopicArgs {
  readonly key: EncryptionKey;
  /** Sender shown in the e-mail, at most 100 characters. */
  readonly displayName: string;
  /** Who gets e-mails. SNS asks the address to confirm; until then it sends nothing. Default: nobody. */
  readonly email?: pulumi.Input<string>;
  /** Services that may publish for this account. */
  readonly publishers: readonly ("cloudwatch.amazonaws.com" | "events.amazonaws.com")[];
}

/** An encrypted topic, with an e-mail subscription if an address is given. */
export class NotificationTopic extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  readonly nodes: { readonly topic: Topic; readonly policy: TopicPolicy; readonly subscription: TopicSubscription | undefined };

  constructor(name: string, args: NotificationTopicArgs, opts?: pulumi.ComponentResourceOptions) {
    super("risk:lib:Topic", name, {}, opts);
    const { accountId } = currentAccount(this);
    const topic = new Topic(`${name}-topic`, { displayName: args.displayName, kmsMasterKeyId: args.key.arn }, { parent: this });
    const policy = new TopicPolicy(
      `${name}-policy`,
      {
        arn: topic.arn,
        policy: policyDocument([
          tlsOnly(["sns:Publish"], [topic.arn]),
          ...args.publishers.map((service): Statement => {
            const publish: Statement = {
              sid: service === "events.amazonaws.com" ? "Events" : "Alarms",
              principals: { service: [service] },
              actions: ["sns:Publish"],
              resources: [topic.arn],
            };
            // "You can't use Condition blocks in Amazon SNS topic policies for EventBridge": EventBridge User Guide, "Using
            // resource-based policies". The key's policy still ties its use to this account's topics.
            if (service === "events.amazonaws.com") return publish;
            return { ...publish, conditions: { StringEquals: { "aws:SourceAccount": accountId } } };
          }),
        ]),
      },
      { parent: this },
    );
    const subscription =
      args.email === undefined
        ? undefined
        : new TopicSubscription(`${name}-email`, { topic: topic.arn, protocol: "email", endpoint: args.email }, { parent: this });
    this.arn = topic.arn;
    this.nodes = { topic, policy, subscription };
    this.registerOutputs({ arn: this.arn });
  }
}
