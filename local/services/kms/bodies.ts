/** Local bodies of encryption keys and their aliases. */
import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { physicalName } from "../../engine/names";
import type { Iam } from "../../gateway/iam";
import { optionalText, stableUuid, textInput } from "../resource-inputs";
import type { KmsService } from "./service";

/** KMS API reference, CreateAlias. */
const aliasName: NameRule = {
  field: "name",
  maxLength: 256,
  characters: { pattern: /^alias\/[A-Za-z0-9/_-]+$/, words: "alias/ and then letters, digits and / _ -" },
  adapt: (generated) => `alias/${generated}`,
};

export function kmsBodies(service: KmsService, iam: Iam): ResourceBody[] {
  const putKey = (resource: GraphResource): void => {
    const { id, inputs } = resource;
    iam.setResourcePolicy(service.arnOf(id), inputs.policy);
    service.putKey(id, optionalText(inputs, "description") ?? "", inputs.enableKeyRotation === true);
  };
  const putAlias = (resource: GraphResource): void =>
    service.putAlias(String(resource.state.name), textInput(resource, "targetKeyId"));
  return [
    {
      type: "aws:kms/key:Key",
      honoured: ["description", "enableKeyRotation", "deletionWindowInDays", "policy"],
      cloudOnly: {
        tags: "tags only matter to cost reports and tag-based policies",
      },
      replaceOn: [],
      outputs: ({ name, region, accountId }) => {
        const id = stableUuid(`key ${name}`);
        return { id, state: { keyId: id, arn: `arn:aws:kms:${region}:${accountId}:key/${id}` } };
      },
      create: putKey,
      update: putKey,
      delete: ({ id, inputs }) =>
        service.scheduleDeletion(id, typeof inputs.deletionWindowInDays === "number" ? inputs.deletionWindowInDays : 30),
    },
    {
      type: "aws:kms/alias:Alias",
      honoured: ["name", "targetKeyId"],
      cloudOnly: {},
      replaceOn: ["name"],
      autoName: aliasName,
      outputs: ({ name, inputs, region, accountId }) => {
        const alias = physicalName(aliasName, name, inputs);
        const target = String(inputs.targetKeyId ?? "");
        const targetKeyArn = target.startsWith("arn:") ? target : `arn:aws:kms:${region}:${accountId}:key/${target}`;
        return { id: alias, state: { name: alias, arn: `arn:aws:kms:${region}:${accountId}:${alias}`, targetKeyArn } };
      },
      create: putAlias,
      update: putAlias,
      delete: ({ state }) => service.deleteAlias(String(state.name)),
    },
  ];
}
