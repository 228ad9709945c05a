/** Local bodies of IAM roles and policies. */
import type { GraphResource, NameRule, ResourceBody } from "../contracts";
import { physicalName } from "../engine/names";
import type { Iam } from "../gateway/iam";
import { optionalText, recordsInput, textInput } from "./resource-inputs";

// IAM API reference: CreateRole, PutRolePolicy, CreatePolicy.
const characters = { pattern: /^[\w+=,.@-]+$/, words: "letters, digits and _ + = , . @ -" };
const roleName: NameRule = { field: "name", maxLength: 64, characters };
const policyName: NameRule = { field: "name", maxLength: 128, characters };

export function iamBodies(iam: Iam): ResourceBody[] {
  const putRole = (resource: GraphResource): void => {
    const name = String(resource.state.name);
    iam.putRole(name, String(resource.state.arn), resource.inputs.assumeRolePolicy);
    for (const inline of recordsInput(resource.inputs, "inlinePolicies"))
      iam.putInlinePolicy(name, String(inline.name), inline.policy);
    const { managedPolicyArns } = resource.inputs;
    for (const arn of Array.isArray(managedPolicyArns) ? managedPolicyArns : []) iam.attachPolicy(name, String(arn));
  };
  const putInline = (resource: GraphResource): void =>
    iam.putInlinePolicy(textInput(resource, "role"), String(resource.state.name), resource.inputs.policy);
  const putManaged = (resource: GraphResource): void => iam.putManagedPolicy(String(resource.state.arn), resource.inputs.policy);
  const attach = (resource: GraphResource): void =>
    iam.attachPolicy(textInput(resource, "role"), textInput(resource, "policyArn"));
  return [
    {
      type: "aws:iam/role:Role",
      honoured: ["name", "namePrefix", "path", "assumeRolePolicy", "inlinePolicies", "managedPolicyArns"],
      cloudOnly: {
        description: "shown in the console only",
        maxSessionDuration: "local sessions end with the runtime",
        forceDetachPolicies: "nothing is destroyed locally but by deleting the data folder",
        tags: "tags only matter to cost reports and tag-based policies",
      },
      replaceOn: ["name", "namePrefix", "path"],
      autoName: roleName,
      outputs: ({ name, inputs, accountId }) => {
        const role = physicalName(roleName, name, inputs);
        const arn = `arn:aws:iam::${accountId}:role${optionalText(inputs, "path") ?? "/"}${role}`;
        return {
          id: role,
          state: {
            name: role,
            arn,
            uniqueId: `AROA${role
              .toUpperCase()
              .replace(/[^A-Z0-9]/g, "")
              .slice(0, 17)}`,
          },
        };
      },
      create: putRole,
      update: putRole,
    },
    {
      type: "aws:iam/rolePolicy:RolePolicy",
      honoured: ["name", "namePrefix", "role", "policy"],
      cloudOnly: {},
      replaceOn: ["name", "namePrefix", "role"],
      autoName: policyName,
      outputs: ({ name, inputs }) => {
        const policy = physicalName(policyName, name, inputs);
        return { id: `${String(inputs.role)}:${policy}`, state: { name: policy } };
      },
      create: putInline,
      update: putInline,
    },
    {
      type: "aws:iam/policy:Policy",
      honoured: ["name", "namePrefix", "path", "policy"],
      cloudOnly: { description: "shown in the console only", tags: "tags only matter to cost reports and tag-based policies" },
      replaceOn: ["name", "namePrefix", "path", "description"],
      autoName: policyName,
      outputs: ({ name, inputs, accountId }) => {
        const policy = physicalName(policyName, name, inputs);
        const arn = `arn:aws:iam::${accountId}:policy${optionalText(inputs, "path") ?? "/"}${policy}`;
        return { id: arn, state: { name: policy, arn } };
      },
      create: putManaged,
      update: putManaged,
    },
    {
      type: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
      honoured: ["role", "policyArn"],
      cloudOnly: {},
      replaceOn: ["role", "policyArn"],
      outputs: ({ name, inputs }) => ({ id: `${String(inputs.role)}-${name}`, state: {} }),
      create: attach,
    },
  ];
}
