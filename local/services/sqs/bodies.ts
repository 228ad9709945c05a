import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { physicalName } from "../../engine/names";
import { tagInputs } from "../messaging/naming";
import { checkAttributes, defaultAttributes } from "./attributes";
import type { SqsService } from "./index";

/** Pulumi input → queue attribute. */
const inputAttributes: Readonly<Record<string, string>> = {
  delaySeconds: "DelaySeconds",
  maxMessageSize: "MaximumMessageSize",
  messageRetentionSeconds: "MessageRetentionPeriod",
  receiveWaitTimeSeconds: "ReceiveMessageWaitTimeSeconds",
  visibilityTimeoutSeconds: "VisibilityTimeout",
  redrivePolicy: "RedrivePolicy",
  policy: "Policy",
  fifoQueue: "FifoQueue",
  contentBasedDeduplication: "ContentBasedDeduplication",
  kmsMasterKeyId: "KmsMasterKeyId",
  kmsDataKeyReusePeriodSeconds: "KmsDataKeyReusePeriodSeconds",
  sqsManagedSseEnabled: "SqsManagedSseEnabled",
};

/** Attributes that have a resource type of their own. */
const resourceOf = {
  Policy: { type: "aws:sqs/queuePolicy:QueuePolicy", input: "policy" },
  RedrivePolicy: { type: "aws:sqs/redrivePolicy:RedrivePolicy", input: "redrivePolicy" },
} as const;

/** SQS API reference, CreateQueue; the suffix of FIFO queues counts. */
const queueName: NameRule = {
  field: "name",
  maxLength: 80,
  characters: { pattern: /^[A-Za-z0-9_-]+(\.fifo)?$/, words: "letters, digits, hyphens and underscores" },
  adapt: (generated, inputs) => (inputs.fifoQueue === true ? `${generated}.fifo` : generated),
};

export function sqsBodies(service: SqsService): ResourceBody[] {
  const applyQueue = ({ inputs, state }: GraphResource) => {
    const name = String(state.name);
    const attributes: Record<string, string> = { ...defaultAttributes };
    for (const [input, attribute] of Object.entries(inputAttributes)) {
      const value = inputs[input];
      if (value !== undefined && value !== false && value !== "") attributes[attribute] = String(value);
    }
    checkAttributes(attributes);
    // What QueuePolicy and RedrivePolicy resources gave stays until they change it.
    const kept = service.store.findQueue(name)?.attributes ?? {};
    const ofOthers = Object.fromEntries(Object.entries(kept).filter(([attribute]) => attribute in resourceOf));
    service.store.save(name, { ...ofOthers, ...attributes }, {});
  };
  /** Attributes go when their resource goes, and with the queue. */
  const unset = (queueUrl: unknown, attribute: string) => {
    const queue = service.store.findQueue(service.nameOf(String(queueUrl)));
    if (queue === undefined) return;
    const { [attribute]: _, ...rest } = queue.attributes;
    service.store.save(queue.name, rest, queue.tags);
  };
  const set = (queueUrl: unknown, attribute: string, value: unknown) => {
    const queue = service.store.queue(service.nameOf(String(queueUrl)));
    const change = { [attribute]: String(value) };
    checkAttributes(change);
    service.store.save(queue.name, { ...queue.attributes, ...change }, queue.tags);
  };
  const extra = (attribute: keyof typeof resourceOf): ResourceBody => {
    const { type, input } = resourceOf[attribute];
    const apply = ({ inputs }: GraphResource) => set(inputs.queueUrl, attribute, inputs[input]);
    return {
      type,
      honoured: ["queueUrl", input],
      cloudOnly: { region: tagInputs.region },
      replaceOn: ["queueUrl"],
      outputs: ({ inputs }) => ({ id: String(inputs.queueUrl), state: inputs }),
      create: apply,
      update: apply,
      delete: ({ inputs }) => unset(inputs.queueUrl, attribute),
    };
  };
  return [
    {
      type: "aws:sqs/queue:Queue",
      honoured: ["name", ...Object.keys(inputAttributes)],
      cloudOnly: tagInputs,
      replaceOn: ["name", "fifoQueue"],
      autoName: queueName,
      outputs: ({ name, inputs }) => {
        const physical = physicalName(queueName, name, inputs);
        const url = service.urlOf(physical);
        return { id: url, state: { ...inputs, name: physical, url, arn: service.arnOf(physical) } };
      },
      create: applyQueue,
      update: applyQueue,
      delete: ({ state }) => service.store.delete(String(state.name)),
    },
    extra("Policy"),
    extra("RedrivePolicy"),
  ];
}
