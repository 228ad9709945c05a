import { AwsError } from "../../contracts";
import type { Input } from "../messaging/input";
import { type Operation, page } from "../messaging/operations";
import { checkAttributes, defaultAttributes, parseRedrive } from "./attributes";
import type { SqsService } from "./index";
import type { QueueRow } from "./store";

/** Actions on queues and their settings. */
export function queueOperations(sqs: SqsService): Record<string, Operation> {
  const { resource, store } = sqs;
  const onQueue = (fields: readonly string[], run: (queue: QueueRow, input: Input) => object | undefined): Operation => ({
    fields: ["QueueUrl", ...fields],
    resource,
    run: (input) => run(sqs.queueFrom(input), input),
  });
  return {
    CreateQueue: {
      fields: ["QueueName", "Attributes", "tags"],
      resource: (input) => sqs.arnOf(input.needText("QueueName")),
      run: (input) => {
        const name = input.needText("QueueName");
        const attributes = input.textMap("Attributes") ?? {};
        const fifo = attributes.FifoQueue === "true";
        if (
          !/^[A-Za-z0-9_-]{1,80}$/.test(fifo ? name.replace(/\.fifo$/, "") : name) ||
          name.length > 80 ||
          fifo !== name.endsWith(".fifo")
        ) {
          throw input.error(
            `QueueName ${name} must be 1 to 80 of a-z A-Z 0-9 _ - and end in .fifo exactly when FifoQueue is true`,
          );
        }
        checkAttributes(attributes);
        const existing = store.findQueue(name);
        const wanted = Object.entries(attributes);
        if (existing !== undefined && wanted.some(([key, value]) => existing.attributes[key] !== value)) {
          throw new AwsError(
            "QueueNameExists",
            `A queue named ${name} already exists with other attributes. Use SetQueueAttributes.`,
          );
        }
        if (existing === undefined) store.save(name, { ...defaultAttributes, ...attributes }, input.textMap("tags") ?? {});
        return { QueueUrl: sqs.urlOf(name) };
      },
    },
    DeleteQueue: onQueue([], (queue) => {
      store.delete(queue.name);
      return undefined;
    }),
    GetQueueUrl: {
      fields: ["QueueName", "QueueOwnerAWSAccountId"],
      resource: (input) => sqs.arnOf(input.needText("QueueName")),
      run: (input) => {
        const owner = input.text("QueueOwnerAWSAccountId") ?? sqs.context.accountId;
        if (owner !== sqs.context.accountId)
          throw new AwsError(
            "QueueDoesNotExist",
            `QueueOwnerAWSAccountId ${owner}: only ${sqs.context.accountId} exists locally.`,
          );
        return { QueueUrl: sqs.urlOf(store.queue(input.needText("QueueName")).name) };
      },
    },
    ListQueues: {
      fields: ["QueueNamePrefix", "NextToken", "MaxResults"],
      resource: () => "*",
      run: (input) => {
        const prefix = input.text("QueueNamePrefix") ?? "";
        const names = store
          .queues()
          .map((queue) => queue.name)
          .filter((name) => name.startsWith(prefix));
        const { items, nextToken } = page(names, input.text("NextToken"), input.integer("MaxResults", 1, 1000) ?? 1000);
        return { QueueUrls: items.map((name) => sqs.urlOf(name)), NextToken: nextToken };
      },
    },
    GetQueueAttributes: onQueue(["AttributeNames"], (queue, input) => {
      const all = describe(sqs, queue);
      const names = input.texts("AttributeNames") ?? [];
      const unknown = names.find((name) => name !== "All" && !knownAttributes.includes(name));
      if (unknown !== undefined)
        throw new AwsError("InvalidAttributeName", `Unknown Attribute ${unknown}. Known: All, ${knownAttributes.join(", ")}.`);
      const shown = Object.entries(all).filter(([name]) => names.includes("All") || names.includes(name));
      return shown.length === 0 ? {} : { Attributes: new Map(shown) };
    }),
    SetQueueAttributes: onQueue(["Attributes"], (queue, input) => {
      const change = input.textMap("Attributes") ?? {};
      if (change.FifoQueue !== undefined && change.FifoQueue !== (queue.attributes.FifoQueue ?? "false"))
        throw input.error("Attributes.FifoQueue cannot change");
      checkAttributes(change);
      const merged = Object.entries({ ...queue.attributes, ...change }).filter(([, value]) => value !== "");
      store.save(queue.name, Object.fromEntries(merged), queue.tags);
      sqs.wake(queue.name);
      return undefined;
    }),
    PurgeQueue: onQueue([], (queue) => {
      store.purge(queue.name);
      return undefined;
    }),
    ListQueueTags: onQueue([], (queue) => ({ Tags: new Map(Object.entries(queue.tags)) })),
    TagQueue: onQueue(["Tags"], (queue, input) => {
      store.save(queue.name, queue.attributes, { ...queue.tags, ...input.textMap("Tags") });
      return undefined;
    }),
    UntagQueue: onQueue(["TagKeys"], (queue, input) => {
      const removed = input.texts("TagKeys") ?? [];
      store.save(
        queue.name,
        queue.attributes,
        Object.fromEntries(Object.entries(queue.tags).filter(([key]) => !removed.includes(key))),
      );
      return undefined;
    }),
    ListDeadLetterSourceQueues: onQueue(["NextToken", "MaxResults"], (queue, input) => {
      const sources = store.queues().filter((source) => {
        const policy = source.attributes.RedrivePolicy;
        return policy !== undefined && parseRedrive(policy).deadLetterTargetArn === sqs.arnOf(queue.name);
      });
      const { items, nextToken } = page(sources, input.text("NextToken"), input.integer("MaxResults", 1, 1000) ?? 1000);
      return { queueUrls: items.map((source) => sqs.urlOf(source.name)), NextToken: nextToken };
    }),
  };
}

const knownAttributes = [
  ...Object.keys(defaultAttributes),
  "Policy",
  "RedrivePolicy",
  "RedriveAllowPolicy",
  "KmsMasterKeyId",
  "KmsDataKeyReusePeriodSeconds",
  "SqsManagedSseEnabled",
  "FifoQueue",
  "ContentBasedDeduplication",
  "QueueArn",
  "CreatedTimestamp",
  "LastModifiedTimestamp",
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
];

function describe(sqs: SqsService, queue: QueueRow): Record<string, string> {
  sqs.store.expire(queue);
  const counts = sqs.store.counts(queue.name);
  return {
    ...queue.attributes,
    QueueArn: sqs.arnOf(queue.name),
    CreatedTimestamp: String(Math.floor(queue.createdMs / 1000)),
    LastModifiedTimestamp: String(Math.floor(queue.modifiedMs / 1000)),
    ApproximateNumberOfMessages: String(counts.visible),
    ApproximateNumberOfMessagesNotVisible: String(counts.inFlight),
    ApproximateNumberOfMessagesDelayed: String(counts.delayed),
  };
}
