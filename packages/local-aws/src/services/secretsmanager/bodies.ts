/** Local bodies of secrets. */
import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { physicalName } from "../../engine/names";
import { optionalText, stableHex, textInput } from "../resource-inputs";
import { secretArn } from "./arn";
import type { SecretsManagerService } from "./service";

/** Secrets Manager API reference, CreateSecret. */
const secretName: NameRule = {
  field: "name",
  maxLength: 512,
  characters: { pattern: /^[A-Za-z0-9/_+=.@-]+$/, words: "letters, digits and / _ + = . @ -" },
};

export function secretsManagerBodies(service: SecretsManagerService): ResourceBody[] {
  const put = (resource: GraphResource): void => {
    service.putSecret(
      String(resource.state.name),
      optionalText(resource.inputs, "description"),
      optionalText(resource.inputs, "kmsKeyId"),
    );
  };
  const putVersion = (resource: GraphResource): void => {
    const secretId = textInput(resource, "secretId");
    const current = service.currentValue(secretId);
    if (current !== undefined && resource.ignoreChanges.includes("secretString")) return;
    const wanted = textInput(resource, "secretString");
    if (current !== wanted) service.putValue(secretId, wanted);
  };
  return [
    {
      type: "aws:secretsmanager/secret:Secret",
      honoured: ["name", "namePrefix", "description", "kmsKeyId", "recoveryWindowInDays"],
      cloudOnly: {
        forceOverwriteReplicaSecret: "one machine has no replicas",
        tags: "tags only matter to cost reports and tag-based policies",
      },
      replaceOn: ["name", "namePrefix"],
      autoName: secretName,
      outputs: ({ name, inputs, region, accountId }) => {
        const secret = physicalName(secretName, name, inputs);
        const arn = secretArn(region, accountId, secret);
        return { id: arn, state: { name: secret, arn } };
      },
      create: put,
      update: put,
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
