import { randomUUID } from "node:crypto";
import type { Input } from "../messaging/input";
import { type Operation, page } from "../messaging/operations";

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

/** What the operations need of the service. */
export interface TopicPort {
  readonly accountId: string;
  arnOf(name: string): string;
  topics(): Topic[];
  /** Throws NotFound. */
  topic(arn: string): Topic;
  saveTopic(name: string, attributes: Topic["attributes"]): void;
  subscriptions(topicArn: string): Subscription[];
  /** Returns the subscription's ARN. */
  subscribe(topicArn: string, protocol: string, endpoint: string): string;
  publish(publication: Publication): void;
}

const pageSize = 100;

export function snsOperations(sns: TopicPort): Record<string, Operation> {
  const resource = (input: Input) => input.needText("TopicArn");
  return {
    CreateTopic: {
      fields: ["Name"],
      resource: (input) => sns.arnOf(input.needText("Name")),
      run: (input) => {
        const name = input.needText("Name");
        if (!/^[A-Za-z0-9_-]{1,256}$/.test(name))
          throw input.error(`Name ${name} must be 1 to 256 of a-z A-Z 0-9 _ - (FIFO topics are not supported locally)`);
        if (!sns.topics().some((topic) => topic.name === name)) sns.saveTopic(name, {});
        return { TopicArn: sns.arnOf(name) };
      },
    },
    ListTopics: {
      fields: ["NextToken"],
      resource: () => "*",
      run: (input) => {
        const { items, nextToken } = page(sns.topics(), input.text("NextToken"), pageSize);
        return { Topics: items.map((topic) => ({ TopicArn: sns.arnOf(topic.name) })), NextToken: nextToken };
      },
    },
    Subscribe: {
      fields: ["TopicArn", "Protocol", "Endpoint", "ReturnSubscriptionArn"],
      resource,
      run: (input) => ({
        SubscriptionArn: sns.subscribe(input.needText("TopicArn"), input.needText("Protocol"), input.needText("Endpoint")),
      }),
    },
    ListSubscriptionsByTopic: {
      fields: ["TopicArn", "NextToken"],
      resource,
      run: (input) => {
        const all = sns.subscriptions(sns.arnOf(sns.topic(input.needText("TopicArn")).name));
        const { items, nextToken } = page(all, input.text("NextToken"), pageSize);
        const Subscriptions = items.map((one) => ({
          SubscriptionArn: one.arn,
          Owner: sns.accountId,
          Protocol: one.protocol,
          Endpoint: one.endpoint,
          TopicArn: one.topic,
        }));
        return { Subscriptions, NextToken: nextToken };
      },
    },
    Publish: {
      fields: ["TopicArn", "Message", "Subject"],
      resource,
      run: (input) => {
        const topicArn = input.needText("TopicArn");
        sns.topic(topicArn);
        const message = input.needText("Message");
        if (message === "") throw input.error("Message must not be empty");
        if (Buffer.byteLength(message) > 262_144) throw input.error("Message is longer than 256 KB");
        const subject = input.text("Subject");
        if (subject !== undefined && !/^[\x21-\x7e][\x20-\x7e]{0,99}$/.test(subject))
          throw input.error("Subject must be 1 to 100 printable ASCII characters");
        const messageId = randomUUID();
        sns.publish({ topicArn, message, subject, messageId });
        return { MessageId: messageId };
      },
    },
  };
}
