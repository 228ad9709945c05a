/** Local body of parameters. */
import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { fieldsOf, named, put, tagInputs } from "../resource-parts";
import type { SsmService } from "./service";

/** Systems Manager API reference, PutParameter: 1011 characters with the ARN before the name, which takes 50 in the longest region. */
const parameterName: NameRule = {
  field: "name",
  maxLength: 961,
  characters: { pattern: /^[A-Za-z0-9_./-]+$/, words: "letters, digits and _ . - /" },
};

export function ssmBodies(service: SsmService): ResourceBody[] {
  const apply = (resource: GraphResource): void => {
    const fields = fieldsOf(resource);
    const name = String(resource.state.name);
    const existing = service.parameters.find(name);
    const ignored = resource.ignoreChanges.includes("value") && existing !== undefined;
    const wanted = {
      name,
      type: fields.need("type"),
      value: ignored ? existing.value : fields.need("value"),
      keyId: fields.text("keyId"),
      // A description that the program dropped is emptied, not kept.
      description: fields.text("description") ?? (existing?.description === undefined ? undefined : ""),
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
        tags: tagInputs.tags,
        overwrite: "the program owns its parameters locally",
        dataType: "only 'text' parameters are stored",
      },
      replaceOn: ["name", "dataType"],
      ...named(parameterName, (name, { region, accountId }) => {
        const arn = `arn:aws:ssm:${region}:${accountId}:parameter/${name.replace(/^\//, "")}`;
        return { id: name, state: { name, arn, version: 1 } };
      }),
      ...put(apply),
      delete: ({ state }) => service.parameters.delete(String(state.name)),
    },
  ];
}
