/** Local bodies of encryption keys and their aliases. */
import { AwsError, type GraphResource, type NameRule, type ResourceBody } from "../../contracts";
import { physicalName } from "../../engine/names";
import type { Iam } from "../../gateway/permissions/iam";
import { stableUuid, textInput } from "../resource-inputs";
import type { KmsService } from "./service";

/** KMS API reference, CreateAlias. */
const aliasName: NameRule = {
  field: "name",
  maxLength: 256,
  characters: { pattern: /^alias\/[A-Za-z0-9/_-]+$/, words: "alias/ and then letters, digits and / _ -" },
  adapt: (generated) => `alias/${generated}`,
};

export function kmsBodies(service: KmsService, iam: Iam): ResourceBody[] {
  const putKey = ({ id, inputs }: GraphResource): void => iam.setResourcePolicy(service.arnOf(id), inputs.policy);
  const putAlias = (resource: GraphResource): void =>
    service.putAlias(String(resource.state.name), textInput(resource, "targetKeyId"));
  return [
    {
      type: "aws:kms/key:Key",
      honoured: ["deletionWindowInDays", "policy"],
      cloudOnly: {
        description: "shown in the console only",
        enableKeyRotation: "nothing on one machine is encrypted with the key",
        tags: "tags only matter to cost reports and tag-based policies",
      },
      replaceOn: [],
      outputs: ({ name, region, accountId }) => {
        const id = stableUuid(`key ${name}`);
        return { id, state: { keyId: id, arn: `arn:aws:kms:${region}:${accountId}:key/${id}` } };
      },
      create: putKey,
      update: putKey,
      delete: ({ id, inputs }) => {
        const days = Number(inputs.deletionWindowInDays ?? 30);
        if (!(Number.isInteger(days) && days >= 7 && days <= 30))
          throw new AwsError("ValidationException", `PendingWindowInDays must be a whole number from 7 to 30, got ${days}.`);
        iam.setResourcePolicy(service.arnOf(id), undefined);
      },
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
