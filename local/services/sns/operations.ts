import { randomUUID } from "node:crypto";
import { AwsError } from "../../contracts";
import type { Input } from "../messaging/input";
import { type Operation, page } from "../messaging/operations";
import type { MessageAttribute } from "../sqs/md5";
import type { SnsService, Subscription } from "./index";
import { accepts } from "./message";

const topicAttributes = ["DisplayName", "Policy", "KmsMasterKeyId", "TracingConfig", "SignatureVersion"];
const subscriptionAttributes = ["RawMessageDelivery", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy"];
const pageSize = 100;

export function snsOperations(sns: SnsService): Record<string, Operation> {
  const topicResource = (input: Input) => input.needText("TopicArn");
  const ofSubscription = (input: Input) => input.needText("SubscriptionArn").split(":").slice(0, 6).join(":");
  const subscription = (input: Input): Subscription => {
    const arn = input.needText("SubscriptionArn");
    const found = sns.subscriptions().find((one) => one.arn === arn);
    if (found === undefined) throw new AwsError("NotFound", `Subscription ${arn} does not exist.`, 404);
    return found;
  };
  const settable = (input: Input, allowed: readonly string[]) => {
    const name = input.needText("AttributeName");
    if (!allowed.includes(name))
      throw input.error(`AttributeName ${name} is not supported by the local runtime; supported: ${allowed.join(", ")}`);
    return { [name]: input.text("AttributeValue") ?? "" };
  };
  const checked = (input: Input, allowed: readonly string[]) => {
    const attributes = input.textMap("Attributes") ?? {};
    const wrong = Object.keys(attributes).find((name) => !allowed.includes(name));
    if (wrong !== undefined)
      throw input.error(`Attributes.${wrong} is not supported by the local runtime; supported: ${allowed.join(", ")}`);
    return attributes;
  };
  const listed = (all: readonly Subscription[], input: Input) => {
    const { items, nextToken } = page(all, input.text("NextToken"), pageSize);
    const owner = sns.context.accountId;
    const Subscriptions = items.map((one) => ({
      SubscriptionArn: one.arn,
      Owner: owner,
      Protocol: one.protocol,
      Endpoint: one.endpoint,
      TopicArn: one.topic,
    }));
    return { Subscriptions, NextToken: nextToken };
  };
  return {
    CreateTopic: {
      fields: ["Name", "Attributes", "Tags"],
      resource: (input) => sns.arnOf(input.needText("Name")),
      run: (input) => {
        const name = input.needText("Name");
        if (!/^[A-Za-z0-9_-]{1,256}$/.test(name))
          throw input.error(`Name ${name} must be 1 to 256 of a-z A-Z 0-9 _ - (FIFO topics are not supported locally)`);
        const present = sns.topics().find((topic) => topic.name === name);
        sns.saveTopic(name, { ...present?.attributes, ...checked(input, topicAttributes) });
        return { TopicArn: sns.arnOf(name) };
      },
    },
    DeleteTopic: {
      fields: ["TopicArn"],
      resource: topicResource,
      run: (input) => {
        sns.deleteTopic(input.needText("TopicArn"));
        return undefined;
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
    GetTopicAttributes: {
      fields: ["TopicArn"],
      resource: topicResource,
      run: (input) => {
        const arn = input.needText("TopicArn");
        const topic = sns.topic(arn);
        const confirmed = String(sns.subscriptions(arn).length);
        const counts = { SubscriptionsConfirmed: confirmed, SubscriptionsPending: "0", SubscriptionsDeleted: "0" };
        return {
          Attributes: new Map(
            Object.entries({ TopicArn: arn, Owner: sns.context.accountId, DisplayName: "", ...topic.attributes, ...counts }),
          ),
        };
      },
    },
    SetTopicAttributes: {
      fields: ["TopicArn", "AttributeName", "AttributeValue"],
      resource: topicResource,
      run: (input) => {
        const topic = sns.topic(input.needText("TopicArn"));
        sns.saveTopic(topic.name, { ...topic.attributes, ...settable(input, topicAttributes) });
        return undefined;
      },
    },
    Subscribe: {
      fields: ["TopicArn", "Protocol", "Endpoint", "Attributes", "ReturnSubscriptionArn"],
      resource: topicResource,
      run: (input) => {
        const attributes = checked(input, subscriptionAttributes);
        return {
          SubscriptionArn: sns.subscribe(
            input.needText("TopicArn"),
            input.needText("Protocol"),
            input.needText("Endpoint"),
            attributes,
          ),
        };
      },
    },
    Unsubscribe: {
      fields: ["SubscriptionArn"],
      resource: ofSubscription,
      run: (input) => {
        sns.unsubscribe(input.needText("SubscriptionArn"));
        return undefined;
      },
    },
    ListSubscriptions: { fields: ["NextToken"], resource: () => "*", run: (input) => listed(sns.subscriptions(), input) },
    ListSubscriptionsByTopic: {
      fields: ["TopicArn", "NextToken"],
      resource: topicResource,
      run: (input) => listed(sns.subscriptions(sns.arnOf(sns.topic(input.needText("TopicArn")).name)), input),
    },
    GetSubscriptionAttributes: {
      fields: ["SubscriptionArn"],
      resource: ofSubscription,
      run: (input) => {
        const { arn, topic, protocol, endpoint, attributes } = subscription(input);
        const facts = {
          SubscriptionArn: arn,
          TopicArn: topic,
          Protocol: protocol,
          Endpoint: endpoint,
          Owner: sns.context.accountId,
          PendingConfirmation: "false",
        };
        return { Attributes: new Map(Object.entries({ ...facts, RawMessageDelivery: "false", ...attributes })) };
      },
    },
    SetSubscriptionAttributes: {
      fields: ["SubscriptionArn", "AttributeName", "AttributeValue"],
      resource: ofSubscription,
      run: (input) => {
        const present = subscription(input);
        const attributes = { ...present.attributes, ...settable(input, subscriptionAttributes) };
        sns.subscribe(present.topic, present.protocol, present.endpoint, attributes);
        return undefined;
      },
    },
    Publish: {
      fields: ["TopicArn", "TargetArn", "Message", "Subject", "MessageStructure", "MessageAttributes"],
      resource: (input) => input.text("TopicArn") ?? input.needText("TargetArn"),
      run: (input) => publish(sns, input.text("TopicArn") ?? input.needText("TargetArn"), input),
    },
    PublishBatch: {
      fields: ["TopicArn", "PublishBatchRequestEntries"],
      resource: topicResource,
      iamAction: "Publish",
      run: async (input) => {
        const entries = input.needChildren("PublishBatchRequestEntries", [
          "Id",
          "Message",
          "Subject",
          "MessageStructure",
          "MessageAttributes",
        ]);
        if (entries.length === 0)
          throw new AwsError("EmptyBatchRequest", "PublishBatchRequestEntries must hold at least one entry.");
        if (entries.length > 10)
          throw new AwsError("TooManyEntriesInBatchRequest", `PublishBatchRequestEntries holds ${entries.length}, more than 10.`);
        const Successful: object[] = [];
        const Failed: object[] = [];
        for (const entry of entries) {
          const Id = entry.needText("Id");
          try {
            Successful.push({ Id, ...(await publish(sns, input.needText("TopicArn"), entry)) });
          } catch (error) {
            if (!(error instanceof AwsError)) throw error;
            Failed.push({ Id, Code: error.code, Message: error.message, SenderFault: true });
          }
        }
        return { Successful, Failed };
      },
    },
  };
}

async function publish(sns: SnsService, topicArn: string, input: Input): Promise<{ MessageId: string }> {
  sns.topic(topicArn);
  const message = input.needText("Message");
  if (message === "") throw input.error("Message must not be empty");
  if (Buffer.byteLength(message) > 262_144) throw input.error("Message is longer than 256 KB");
  if (input.has("MessageStructure"))
    throw input.error("MessageStructure (one text per protocol) is not supported by the local runtime");
  const subject = input.text("Subject");
  if (subject !== undefined && !/^[\x21-\x7e][\x20-\x7e]{0,99}$/.test(subject))
    throw input.error("Subject must be 1 to 100 printable ASCII characters");
  const attributes: Record<string, MessageAttribute> = {};
  for (const [name, attribute] of input.childMap("MessageAttributes", ["DataType", "StringValue", "BinaryValue"])) {
    const DataType = attribute.needText("DataType");
    if (DataType === "Binary")
      attributes[name] = { DataType, BinaryValue: (attribute.blob("BinaryValue") ?? Buffer.alloc(0)).toString("base64") };
    else attributes[name] = { DataType, StringValue: attribute.needText("StringValue") };
  }
  accepts({ FilterPolicy: '{"a":[{"exists":true}]}' }, { message, attributes });
  const messageId = randomUUID();
  await sns.publish({ topicArn, message, subject, attributes, messageId });
  return { MessageId: messageId };
}
