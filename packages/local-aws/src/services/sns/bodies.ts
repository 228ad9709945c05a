import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { hyphenated, named, put, regionInput, stableUuid, tagInputs } from "../resource-parts";
import type { SnsService } from "./service";

/** SNS API reference, CreateTopic. */
const topicName: NameRule = { field: "name", maxLength: 256, characters: hyphenated };

export function snsBodies(service: SnsService): ResourceBody[] {
  const applyTopic = ({ inputs, state }: GraphResource) => {
    const name = String(state.name);
    const kept = service.findTopic(service.arnOf(name))?.attributes.Policy;
    const policy = inputs.policy ?? kept;
    service.saveTopic(name, {
      DisplayName: String(inputs.displayName ?? ""),
      ...(inputs.kmsMasterKeyId === undefined ? {} : { KmsMasterKeyId: String(inputs.kmsMasterKeyId) }),
      ...(policy === undefined ? {} : { Policy: String(policy) }),
    });
  };
  const applyPolicy = ({ inputs }: GraphResource) => {
    const topic = service.topic(String(inputs.arn));
    service.saveTopic(topic.name, { ...topic.attributes, Policy: String(inputs.policy) });
  };
  return [
    {
      type: "aws:sns/topic:Topic",
      honoured: ["name", "displayName", "kmsMasterKeyId", "policy"],
      cloudOnly: {
        ...tagInputs,
        tracingConfig: "X-Ray does not exist locally",
        signatureVersion: "local notifications are not signed",
      },
      replaceOn: ["name"],
      ...named(topicName, (name, { inputs }) => {
        const arn = service.arnOf(name);
        return { id: arn, state: { ...inputs, name, arn, owner: service.accountId } };
      }),
      ...put(applyTopic),
      delete: ({ state }) => service.deleteTopic(String(state.arn)),
    },
    {
      type: "aws:sns/topicPolicy:TopicPolicy",
      honoured: ["arn", "policy"],
      cloudOnly: regionInput,
      replaceOn: ["arn"],
      outputs: ({ inputs }) => ({ id: String(inputs.arn), state: { ...inputs, owner: service.accountId } }),
      ...put(applyPolicy),
      delete: ({ inputs }) => {
        const topic = service.findTopic(String(inputs.arn));
        if (topic === undefined) return;
        const { Policy: _, ...rest } = topic.attributes;
        service.saveTopic(topic.name, rest);
      },
    },
    {
      type: "aws:sns/topicSubscription:TopicSubscription",
      honoured: ["topic", "protocol", "endpoint"],
      cloudOnly: {
        ...regionInput,
        endpointAutoConfirms: "e-mail needs no confirmation locally",
        confirmationTimeoutInMinutes: "nothing is confirmed locally",
      },
      replaceOn: ["topic", "protocol", "endpoint"],
      outputs: ({ name, inputs }) => {
        const arn = `${String(inputs.topic)}:${stableUuid(name)}`;
        return { id: arn, state: { ...inputs, arn, ownerId: service.accountId, pendingConfirmation: false } };
      },
      create: ({ inputs, id }) => service.subscribe(String(inputs.topic), String(inputs.protocol), String(inputs.endpoint), id),
      // By what it subscribes: a replacement that already answers under the same ARN stays.
      delete: ({ inputs }) => {
        const found = service
          .subscriptions(String(inputs.topic))
          .find(({ protocol, endpoint }) => protocol === inputs.protocol && endpoint === inputs.endpoint);
        if (found !== undefined) service.unsubscribe(found.arn);
      },
    },
  ];
}
