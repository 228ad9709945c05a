/** Local body of parameters. */
import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { physicalName } from "../../engine/names";
import { optionalText, textInput } from "../resource-inputs";
import type { SsmService } from "./service";

/** Systems Manager API reference, PutParameter: 1011 characters with the ARN before the name, which takes 50 in the longest region. */
const parameterName: NameRule = {
  field: "name",
  maxLength: 961,
  characters: { pattern: /^[A-Za-z0-9_./-]+$/, words: "letters, digits and _ . - /" },
};

export function ssmBodies(service: SsmService): ResourceBody[] {
  const put = (resource: GraphResource): void => {
    const { inputs } = resource;
    const name = String(resource.state.name);
    const existing = service.parameters.find(name);
    const ignored = resource.ignoreChanges.includes("value") && existing !== undefined;
    const wanted = {
      name,
      type: textInput(resource, "type"),
      value: ignored ? existing.value : textInput(resource, "value"),
      keyId: optionalText(inputs, "keyId"),
      // A description that the program dropped is emptied, not kept.
      description: optionalText(inputs, "description") ?? (existing?.description === undefined ? undefined : ""),
    };
    const same =
      existing &&
      existing.value === wanted.value &&
      existing.type === wanted.type &&
      existing.description === wanted.description &&
      (wanted.keyId === undefined || existing.keyId === wanted.keyId);
    if (!same) service.parameters.put({ ...wanted, overwrite: true });
  };
  return [
    {
      type: "aws:ssm/parameter:Parameter",
      honoured: ["name", "type", "value", "keyId", "description"],
      cloudOnly: {
        tags: "tags only matter to cost reports and tag-based policies",
        overwrite: "the program owns its parameters locally",
        dataType: "only 'text' parameters are stored",
      },
      replaceOn: ["name", "dataType"],
      autoName: parameterName,
      outputs: ({ name, inputs, region, accountId }) => {
        const parameter = physicalName(parameterName, name, inputs);
        const arn = `arn:aws:ssm:${region}:${accountId}:parameter/${parameter.replace(/^\//, "")}`;
        return { id: parameter, state: { name: parameter, arn, version: 1 } };
      },
      create: put,
      update: put,
      delete: ({ state }) => service.parameters.delete(String(state.name)),
    },
  ];
}
