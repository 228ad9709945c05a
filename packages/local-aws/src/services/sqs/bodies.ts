import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { hyphenated, named, put, regionInput, tagInputs } from "../resource-parts";
import { checkAttributes, defaultAttributes } from "./attributes";
import type { SqsService } from "./service";

/** Pulumi input → queue attribute. */
const inputAttributes: Readonly<Record<string, string>> = {
  delaySeconds: "DelaySeconds",
  maxMessageSize: "MaximumMessageSize",
  messageRetentionSeconds: "MessageRetentionPeriod",
  receiveWaitTimeSeconds: "ReceiveMessageWaitTimeSeconds",
  visibilityTimeoutSeconds: "VisibilityTimeout",
  redrivePolicy: "RedrivePolicy",
  policy: "Policy",
  kmsMasterKeyId: "KmsMasterKeyId",
  kmsDataKeyReusePeriodSeconds: "KmsDataKeyReusePeriodSeconds",
  sqsManagedSseEnabled: "SqsManagedSseEnabled",
};

/** SQS API reference, CreateQueue. */
const queueName: NameRule = { field: "name", maxLength: 80, characters: hyphenated };

export function sqsBodies(service: SqsService): ResourceBody[] {
  const applyQueue = ({ inputs, state }: GraphResource) => {
    const name = String(state.name);
    const attributes: Record<string, string> = { ...defaultAttributes };
    for (const [input, attribute] of Object.entries(inputAttributes)) {
      const value = inputs[input];
      if (value !== undefined && value !== false && value !== "") attributes[attribute] = String(value);
    }
    checkAttributes(attributes);
    // A policy from a QueuePolicy resource stays.
    const policy = service.store.findQueue(name)?.attributes.Policy;
    service.store.save(name, { ...(policy === undefined ? {} : { Policy: policy }), ...attributes });
  };
  const setPolicy = ({ inputs }: GraphResource) => {
    const queue = service.store.queue(service.nameOf(String(inputs.queueUrl)));
    const change = { Policy: String(inputs.policy) };
    checkAttributes(change);
    service.store.save(queue.name, { ...queue.attributes, ...change });
  };
  return [
    {
      type: "aws:sqs/queue:Queue",
      honoured: ["name", ...Object.keys(inputAttributes)],
      cloudOnly: tagInputs,
      replaceOn: ["name"],
      ...named(queueName, (name, { inputs }) => {
        const url = service.urlOf(name);
        return { id: url, state: { ...inputs, name, url, arn: service.arnOf(name) } };
      }),
      ...put(applyQueue),
      delete: ({ state }) => service.store.delete(String(state.name)),
    },
    {
      type: "aws:sqs/queuePolicy:QueuePolicy",
      honoured: ["queueUrl", "policy"],
      cloudOnly: regionInput,
      replaceOn: ["queueUrl"],
      outputs: ({ inputs }) => ({ id: String(inputs.queueUrl), state: inputs }),
      ...put(setPolicy),
      delete: ({ inputs }) => {
        const queue = service.store.findQueue(service.nameOf(String(inputs.queueUrl)));
        if (queue === undefined) return;
        const { Policy: _, ...rest } = queue.attributes;
        service.store.save(queue.name, rest);
      },
    },
  ];
}
