import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { parsePolicy } from "../../permissions/policy";
import { documentText, named, optionalString, put, regionInput, tagInputs } from "../resource-parts";
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
    service.saveGroup(String(state.name), days === 0 ? undefined : days, optionalString(inputs.kmsKeyId));
  };
  const applyPolicy = ({ inputs }: GraphResource) => {
    const document = documentText(inputs.policyDocument);
    parsePolicy(document, `log resource policy ${String(inputs.policyName)}`, "resource");
    service.savePolicy(String(inputs.policyName), document);
  };
  return [
    {
      type: "aws:cloudwatch/logGroup:LogGroup",
      honoured: ["name", "retentionInDays", "kmsKeyId"],
      cloudOnly: { ...tagInputs, logGroupClass: "all local groups can be queried alike" },
      replaceOn: ["name", "logGroupClass"],
      ...named(groupName, (name, { inputs }) => ({ id: name, state: { ...inputs, name, arn: service.arnOf(name) } })),
      ...put(applyGroup),
      delete: ({ state }) => service.deleteGroup(String(state.name)),
    },
    {
      type: "aws:cloudwatch/logStream:LogStream",
      honoured: ["name", "logGroupName"],
      cloudOnly: { ...regionInput, arn: "computed" },
      replaceOn: ["name", "logGroupName"],
      // The local store makes a stream with its first line.
      outputs: ({ inputs }) => ({
        id: String(inputs.name),
        state: { ...inputs, arn: `${service.arnOf(String(inputs.logGroupName))}:log-stream:${String(inputs.name)}` },
      }),
    },
    {
      type: "aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
      honoured: ["policyName", "policyDocument"],
      cloudOnly: regionInput,
      replaceOn: ["policyName"],
      outputs: ({ inputs }) => ({ id: String(inputs.policyName), state: inputs }),
      ...put(applyPolicy),
      delete: ({ inputs }) => service.deletePolicy(String(inputs.policyName)),
    },
  ];
}
