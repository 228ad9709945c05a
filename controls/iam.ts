import type { GraphResource } from "@risk/program-graph";
import { at, type Control, isText, listAt, violation } from "./control";
import { covers, type IamStatement, statementsOf } from "./documents";

const MANAGED = "aws:iam/policy:Policy";
const ROLE = "aws:iam/role:Role";
const INLINE = ["aws:iam/rolePolicy:RolePolicy", "aws:iam/userPolicy:UserPolicy", "aws:iam/groupPolicy:GroupPolicy", ROLE];

/** Actions that can only be granted on `*`. https://docs.aws.amazon.com/service-authorization/latest/reference/ */
const WITHOUT_RESOURCES = new Set([
  "xray:puttracesegments",
  "xray:puttelemetryrecords",
  "xray:getsamplingrules",
  "xray:getsamplingtargets",
  "cloudwatch:getmetricdata",
  "cloudwatch:putmetricdata",
  "logs:createlogdelivery",
  "logs:deletelogdelivery",
  "logs:describeresourcepolicies",
  "logs:getlogdelivery",
  "logs:listlogdeliveries",
  "logs:putresourcepolicy",
  "logs:updatelogdelivery",
  // By the id of a version, which is all that a record has ("IAM examples for deserializers", Glue developer guide).
  "glue:getschemaversion",
  "redshift-data:describestatement",
  "redshift-data:getstatementresult",
  "redshift-data:cancelstatement",
  "redshift-data:liststatements",
  "ec2:describenetworkinterfaces",
  "ec2:describesecuritygroups",
  "ec2:describesubnets",
  "ec2:describevpcs",
  "ecr:getauthorizationtoken",
]);

/** Allowing statements of a policy, or of a role's inline policies; a document that can't be read is a violation. */
function grantsOf({ type, inputs }: GraphResource): readonly IamStatement[] | undefined {
  const documents = type === ROLE ? listAt(inputs, "inlinePolicies").map((entry) => at(entry, "policy")) : [inputs.policy];
  const statements = documents.map(statementsOf);
  if (statements.some((list) => list === undefined)) return undefined;
  return statements.flatMap((list) => list ?? []).filter(({ allows }) => allows);
}

/** A sentence for each allowing statement in which `problem` finds one. */
const eachGrant =
  (problem: (statement: IamStatement) => string | undefined): Control["check"] =>
  (resource) => {
    const grants = grantsOf(resource);
    if (grants === undefined) return [violation("policy", resource.inputs.policy, "set it to a policy document.")];
    return grants.flatMap((statement) => {
      const text = problem(statement);
      return text === undefined ? [] : [`policy, ${statement.sid}: ${text}`];
    });
  };

const DECRYPTING = ["kms:decrypt", "kms:reencryptfrom"];
const isEveryKey = (resource: string): boolean => covers(resource, "arn:aws:kms:any-region:000000000000:key/any");

const decryptAll = eachGrant(({ actions, resources }) => {
  const decrypts = actions.some((pattern) => DECRYPTING.some((action) => covers(pattern, action)));
  return decrypts && resources.some(isEveryKey) ? "decrypts under every key; name the keys' ARNs as Resource." : undefined;
});

const attached: Control["check"] = ({ inputs }) =>
  [inputs.policyArn, ...listAt(inputs, "managedPolicyArns")]
    .filter((arn) => isText(arn) && /^arn:[^:]*:iam::aws:policy\//.test(arn))
    .map((arn) => `${String(arn)} is AWS's and grows with the service; grant the actions needed in a policy of the stack.`);

export const iamControls: readonly Control[] = [
  {
    id: "IAM.1",
    title: "No policy allows everything",
    appliesTo: [MANAGED, ...INLINE],
    check: eachGrant(({ actions, resources }) =>
      actions.includes("*") && resources.includes("*")
        ? "allows every action on every resource; name the actions and the resources."
        : undefined,
    ),
  },
  {
    id: "IAM.21",
    title: "Policies name actions, without wildcards",
    appliesTo: [MANAGED, ...INLINE],
    check: eachGrant(({ actions }) => {
      const wild = actions.filter((action) => action.includes("*"));
      return wild.length > 0 ? `Action has a wildcard (${wild.join(", ")}); name the actions needed.` : undefined;
    }),
  },
  {
    id: "IAM5",
    title: "Policies name resources wherever the action knows any",
    appliesTo: [MANAGED, ...INLINE],
    check: eachGrant(({ actions, resources }) => {
      const named = actions.filter((action) => !WITHOUT_RESOURCES.has(action));
      return resources.includes("*") && named.length > 0
        ? `Resource is "*" for ${named.join(", ")}; name the resources' ARNs.`
        : undefined;
    }),
  },
  {
    id: "IAM4",
    title: "No policies managed by AWS are attached",
    appliesTo: [
      ROLE,
      "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
      "aws:iam/userPolicyAttachment:UserPolicyAttachment",
      "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
      "aws:iam/policyAttachment:PolicyAttachment",
    ],
    check: attached,
  },
  { id: "KMS.1", title: "Managed policies decrypt under named keys only", appliesTo: [MANAGED], check: decryptAll },
  { id: "KMS.2", title: "Inline policies decrypt under named keys only", appliesTo: INLINE, check: decryptAll },
];
