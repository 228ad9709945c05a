/** Local bodies of parameters, secrets and encryption keys. */
import type { GraphResource, NameRule, ResourceBody } from "../contracts";
import { physicalName } from "../engine/names";
import type { Iam } from "../gateway/iam";
import type { KmsService } from "./kms";
import { optionalText, stableHex, textInput } from "./resource-inputs";
import { type SecretsManagerService, secretArn } from "./secretsmanager";
import type { SsmService } from "./ssm";

/** Systems Manager API reference, PutParameter: 1011 characters with the ARN before the name, which takes 50 in the longest region. */
const parameterName: NameRule = {
  field: "name",
  maxLength: 961,
  characters: { pattern: /^[A-Za-z0-9_./-]+$/, words: "letters, digits and _ . - /" },
};
/** Secrets Manager API reference, CreateSecret. */
const secretName: NameRule = {
  field: "name",
  maxLength: 512,
  characters: { pattern: /^[A-Za-z0-9/_+=.@-]+$/, words: "letters, digits and / _ + = . @ -" },
};
/** KMS API reference, CreateAlias. */
const aliasName: NameRule = {
  field: "name",
  maxLength: 256,
  characters: { pattern: /^alias\/[A-Za-z0-9/_-]+$/, words: "alias/ and then letters, digits and / _ -" },
  adapt: (generated) => `alias/${generated}`,
};

export function ssmBodies(service: SsmService): ResourceBody[] {
  const put = (resource: GraphResource): void => {
    const { inputs } = resource;
    const name = String(resource.state.name);
    const existing = service.find(name);
    const ignored = resource.ignoreChanges.includes("value") && existing !== undefined;
    const wanted = {
      name,
      type: textInput(resource, "type"),
      value: ignored ? existing.value : textInput(resource, "value"),
      keyId: optionalText(inputs, "keyId"),
      // A description that the program dropped is emptied, not kept.
      description: optionalText(inputs, "description") ?? (existing?.description === undefined ? undefined : ""),
      tier: optionalText(inputs, "tier"),
    };
    const same =
      existing &&
      existing.value === wanted.value &&
      existing.type === wanted.type &&
      existing.description === wanted.description &&
      (wanted.keyId === undefined || existing.keyId === wanted.keyId) &&
      (wanted.tier === undefined || existing.tier === wanted.tier);
    if (!same) service.putParameter({ ...wanted, overwrite: true });
  };
  return [
    {
      type: "aws:ssm/parameter:Parameter",
      honoured: ["name", "type", "value", "keyId", "description", "tier"],
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
      delete: ({ state }) => void service.deleteParameter(String(state.name)),
    },
  ];
}

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
        void service.deleteSecret(
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
        const hex = stableHex(`key ${name}`, 32);
        const id = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
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
