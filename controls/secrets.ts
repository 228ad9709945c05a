/** Secrets Manager, SSM parameters and KMS keys. */
import type { GraphResource } from "@risk/program-graph";
import { all, at, type Control, field, is, isAtLeast, isNot, isText, type ResourceGraph, violation } from "./control";
import { isPublic, statementsOf } from "./documents";

const SECRET = "aws:secretsmanager/secret:Secret";
const PARAMETER = "aws:ssm/parameter:Parameter";
const KEY = "aws:kms/key:Key";

/** Days that the control allows between two rotations. */
const ROTATION_DAYS = 90;
/** Longest window that KMS offers in which a mistaken deletion can be cancelled. */
const DELETION_WINDOW_DAYS = 30;

const rotationsOf = (secret: GraphResource, graph: ResourceGraph): readonly GraphResource[] =>
  graph.referring("aws:secretsmanager/secretRotation:SecretRotation", "secretId", secret);

function checkPeriod(secret: GraphResource, graph: ResourceGraph): string[] {
  const [rotation] = rotationsOf(secret, graph);
  const path = "rotationRules.automaticallyAfterDays";
  const days = at(rotation?.inputs, path);
  if (typeof days === "number" && days <= ROTATION_DAYS) return [];
  return [violation(`${path} of the secret's SecretRotation`, days, `set it to ${ROTATION_DAYS} days or fewer.`)];
}

/** Names of parameters that hold secrets. The provider marks every parameter's value as secret, so the mark says nothing. */
const SECRET_NAME = /(password|passwd|secret|token|credential|api-?key|private-?key|connection-string)/i;

function checkParameter(parameter: GraphResource): string[] {
  const { inputs, name } = parameter;
  if (inputs.type === "SecureString" || !SECRET_NAME.test(`${name} ${String(inputs.name ?? "")}`)) return [];
  return [violation("type", inputs.type, 'set it to "SecureString", with keyId.')];
}

function checkKeyPolicy({ inputs }: GraphResource): string[] {
  return (statementsOf(inputs.policy) ?? [])
    .filter(isPublic)
    .map(({ sid }) => `policy, ${sid}: anyone may use the key; name a principal, or add a condition on kms:CallerAccount.`);
}

export const secretControls: readonly Control[] = [
  {
    id: "SecretsManager.1",
    alsoKnownAs: ["SMG4"],
    title: "Secrets rotate",
    appliesTo: [SECRET],
    check: (secret, graph) =>
      rotationsOf(secret, graph).some(({ inputs }) => isText(inputs.rotationLambdaArn))
        ? []
        : ["The secret does not rotate; add a SecretRotation with rotationLambdaArn."],
  },
  {
    id: "SecretsManager.4",
    title: `Secrets rotate within ${ROTATION_DAYS} days`,
    appliesTo: [SECRET],
    check: checkPeriod,
  },
  { id: "SSM.secrets", title: "Secret parameters are SecureStrings", appliesTo: [PARAMETER], check: checkParameter },
  {
    id: "KMS.3",
    title: "Keys are in use, and a deletion can be taken back for as long as KMS allows",
    appliesTo: [KEY],
    check: all(
      field("isEnabled", isNot(false), "set it to true."),
      field("deletionWindowInDays", isAtLeast(DELETION_WINDOW_DAYS), `set it to ${DELETION_WINDOW_DAYS} days.`),
    ),
  },
  {
    id: "KMS.4",
    alsoKnownAs: ["KMS5"],
    title: "Keys rotate",
    appliesTo: [KEY],
    check: field("enableKeyRotation", is(true), "set it to true."),
  },
  { id: "KMS.5", title: "Keys are not public", appliesTo: [KEY], check: checkKeyPolicy },
];
