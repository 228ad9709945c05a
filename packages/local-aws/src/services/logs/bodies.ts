import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { physicalName } from "../../engine/names";
import { parsePolicy } from "../../gateway/permissions/policy";
import { tagInputs } from "../messaging/naming";
import type { LogsService } from "./service";

/** CloudWatch Logs API reference, CreateLogGroup. */
const groupName: NameRule = {
  field: "name",
  maxLength: 512,
  characters: { pattern: /^[A-Za-z0-9_./#-]+$/, words: "letters, digits and _ - / . #" },
};

export function logsBodies(service: LogsService): ResourceBody[] {
  const applyGroup = ({ inputs, state }: GraphResource) => {
    // 0 means "never expire" to the provider.
    const days = Number(inputs.retentionInDays ?? 0);
    service.saveGroup(
      String(state.name),
      days === 0 ? undefined : days,
      inputs.kmsKeyId === undefined ? undefined : String(inputs.kmsKeyId),
    );
  };
  const applyPolicy = ({ inputs }: GraphResource) => {
    const document = typeof inputs.policyDocument === "string" ? inputs.policyDocument : JSON.stringify(inputs.policyDocument);
    parsePolicy(document, `log resource policy ${String(inputs.policyName)}`);
    service.savePolicy(String(inputs.policyName), document);
  };
  return [
    {
      type: "aws:cloudwatch/logGroup:LogGroup",
      honoured: ["name", "retentionInDays", "kmsKeyId"],
      cloudOnly: {
        ...tagInputs,
        logGroupClass: "all local groups are queryable alike",
      },
      replaceOn: ["name", "logGroupClass"],
      autoName: groupName,
      outputs: ({ name, inputs }) => {
        const physical = physicalName(groupName, name, inputs);
        return { id: physical, state: { ...inputs, name: physical, arn: service.arnOf(physical) } };
      },
      create: applyGroup,
      update: applyGroup,
      delete: ({ state }) => service.deleteGroup(String(state.name)),
    },
    {
      type: "aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
      honoured: ["policyName", "policyDocument"],
      cloudOnly: { region: tagInputs.region },
      replaceOn: ["policyName"],
      outputs: ({ inputs }) => ({ id: String(inputs.policyName), state: inputs }),
      create: applyPolicy,
      update: applyPolicy,
      delete: ({ inputs }) => service.deletePolicy(String(inputs.policyName)),
    },
  ];
}
