/** Local bodies of secrets. */
import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { fieldsOf, named, put, stableHex, tagInputs } from "../resource-parts";
import { secretArn } from "./arn";
import type { SecretsManagerService } from "./service";

/** Secrets Manager API reference, CreateSecret. */
const secretName: NameRule = {
  field: "name",
  maxLength: 512,
  characters: { pattern: /^[A-Za-z0-9/_+=.@-]+$/, words: "letters, digits and / _ + = . @ -" },
};

export function secretsManagerBodies(service: SecretsManagerService): ResourceBody[] {
  const putSecret = (resource: GraphResource): void => {
    const fields = fieldsOf(resource);
    service.putSecret(String(resource.state.name), fields.text("description"), fields.text("kmsKeyId"));
  };
  const putVersion = (resource: GraphResource): void => {
    const fields = fieldsOf(resource);
    const secretId = fields.need("secretId");
    const current = service.currentValue(secretId);
    if (current !== undefined && resource.ignoreChanges.includes("secretString")) return;
    const wanted = fields.need("secretString");
    if (current !== wanted) service.putValue(secretId, wanted);
  };
  return [
    {
      type: "aws:secretsmanager/secret:Secret",
      honoured: ["name", "namePrefix", "description", "kmsKeyId", "recoveryWindowInDays"],
      cloudOnly: {
        forceOverwriteReplicaSecret: "one machine has no replicas",
        tags: tagInputs.tags,
      },
      replaceOn: ["name", "namePrefix"],
      ...named(secretName, (name, { region, accountId }) => {
        const arn = secretArn(region, accountId, name);
        return { id: arn, state: { name, arn } };
      }),
      ...put(putSecret),
      delete: ({ inputs, state }) =>
        service.deleteSecret(
          String(state.name),
          typeof inputs.recoveryWindowInDays === "number" ? inputs.recoveryWindowInDays : 30,
        ),
    },
    {
      type: "aws:secretsmanager/secretVersion:SecretVersion",
      honoured: ["secretId", "secretString"],
      cloudOnly: {},
      replaceOn: ["secretId", "secretString"],
      outputs: ({ name, inputs }) => {
        const versionId = stableHex(`version ${name}`, 32);
        return {
          id: `${String(inputs.secretId)}|${versionId}`,
          state: { arn: inputs.secretId, versionId, versionStages: ["AWSCURRENT"] },
        };
      },
      create: putVersion,
      // AWSCURRENT can't be taken from a version: the value goes with its secret (provider, secret_version.go).
      delete: () => undefined,
    },
  ];
}
