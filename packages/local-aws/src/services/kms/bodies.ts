/** Local bodies of encryption keys and their aliases. */
import { AwsError, type GraphResource, type NameRule, type ResourceBody } from "../../contracts";
import type { Iam } from "../../permissions/iam";
import { fieldsOf, named, put, stableUuid, tagInputs } from "../resource-parts";
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
    service.putAlias(String(resource.state.name), fieldsOf(resource).need("targetKeyId"));
  return [
    {
      type: "aws:kms/key:Key",
      honoured: ["deletionWindowInDays", "policy"],
      cloudOnly: {
        description: "shown in the console only",
        enableKeyRotation: "nothing on one machine is encrypted with the key",
        tags: tagInputs.tags,
      },
      replaceOn: [],
      outputs: ({ name, region, accountId }) => {
        const id = stableUuid(`key ${name}`);
        return { id, state: { keyId: id, arn: `arn:aws:kms:${region}:${accountId}:key/${id}` } };
      },
      ...put(putKey),
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
      ...named(aliasName, (name, { inputs, region, accountId }) => {
        const target = String(inputs.targetKeyId ?? "");
        const targetKeyArn = target.startsWith("arn:") ? target : `arn:aws:kms:${region}:${accountId}:key/${target}`;
        return { id: name, state: { name, arn: `arn:aws:kms:${region}:${accountId}:${name}`, targetKeyArn } };
      }),
      ...put(putAlias),
      delete: ({ state }) => service.deleteAlias(String(state.name)),
    },
  ];
}
