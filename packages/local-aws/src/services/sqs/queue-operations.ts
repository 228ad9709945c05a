import { AwsError } from "../../contracts";
import { type Operation, page } from "../messaging/operations";
import { checkAttributes, defaultAttributes, settableAttributes } from "./attributes";
import { type QueuePort, queueArnOf, queueOf } from "./port";
import type { QueueRow } from "./store";

/** Actions on queues and their settings. */
export function queueOperations(sqs: QueuePort): Record<string, Operation> {
  const { store } = sqs;
  const resource = queueArnOf(sqs);
  return {
    CreateQueue: {
      fields: ["QueueName", "Attributes"],
      resource: (input) => sqs.arnOf(input.needText("QueueName")),
      run: (input) => {
        const name = input.needText("QueueName");
        const attributes = input.textMap("Attributes") ?? {};
        if (!/^[A-Za-z0-9_-]{1,80}$/.test(name))
          throw input.error(`QueueName ${name} must be 1 to 80 of a-z A-Z 0-9 _ - (FIFO queues are not supported locally)`);
        checkAttributes(attributes);
        const existing = store.findQueue(name)?.attributes;
        if (existing !== undefined && Object.entries(attributes).some(([key, value]) => existing[key] !== value))
          throw new AwsError(
            "QueueNameExists",
            `A queue named ${name} already exists with other attributes. Use SetQueueAttributes.`,
          );
        if (existing === undefined) store.save(name, { ...defaultAttributes, ...attributes });
        return { QueueUrl: sqs.urlOf(name) };
      },
    },
    GetQueueUrl: {
      fields: ["QueueName"],
      resource: (input) => sqs.arnOf(input.needText("QueueName")),
      run: (input) => ({ QueueUrl: sqs.urlOf(store.queue(input.needText("QueueName")).name) }),
    },
    ListQueues: {
      fields: ["QueueNamePrefix", "NextToken", "MaxResults"],
      resource: () => "*",
      run: (input) => {
        const prefix = input.text("QueueNamePrefix") ?? "";
        const names = store.queues().flatMap(({ name }) => (name.startsWith(prefix) ? [name] : []));
        const { items, nextToken } = page(names, input.text("NextToken"), input.integer("MaxResults", 1, 1000) ?? 1000);
        return { QueueUrls: items.map((name) => sqs.urlOf(name)), NextToken: nextToken };
      },
    },
    GetQueueAttributes: {
      fields: ["QueueUrl", "AttributeNames"],
      resource,
      run: (input) => {
        const all = describe(sqs, queueOf(sqs, input));
        const names = input.texts("AttributeNames") ?? [];
        const known = ["All", ...new Set([...settableAttributes, ...Object.keys(all)])];
        const unknown = names.find((name) => !known.includes(name));
        if (unknown !== undefined)
          throw new AwsError("InvalidAttributeName", `Unknown Attribute ${unknown}. Known: ${known.join(", ")}.`);
        const shown = Object.entries(all).filter(([name]) => names.includes("All") || names.includes(name));
        return shown.length === 0 ? {} : { Attributes: Object.fromEntries(shown) };
      },
    },
    SetQueueAttributes: {
      fields: ["QueueUrl", "Attributes"],
      resource,
      run: (input) => {
        const queue = queueOf(sqs, input);
        const change = input.textMap("Attributes") ?? {};
        checkAttributes(change);
        const merged = Object.entries({ ...queue.attributes, ...change }).filter(([, value]) => value !== "");
        store.save(queue.name, Object.fromEntries(merged));
        sqs.wake(queue.name);
        return undefined;
      },
    },
  };
}

function describe(sqs: QueuePort, queue: QueueRow): Record<string, string> {
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
