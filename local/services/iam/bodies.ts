/** Local bodies of IAM roles and policies. */
import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { physicalName } from "../../engine/names";
import type { Iam } from "../../gateway/iam";
import { optionalText, recordsInput, textInput } from "../resource-inputs";

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
    for (const arn of managedArns(resource)) iam.attachPolicy(name, arn);
  };
  /** Takes back the policies that the role's own inputs gave it, but for those of `kept`. */
  const takePolicies = (resource: GraphResource, kept?: GraphResource): void => {
    const role = String(resource.state.name);
    for (const name of inlineNames(resource))
      if (kept === undefined || !inlineNames(kept).includes(name)) iam.removeInlinePolicy(role, name);
    for (const arn of managedArns(resource))
      if (kept === undefined || !managedArns(kept).includes(arn)) iam.detachPolicy(role, arn);
  };
  const putInline = (resource: GraphResource): void =>
    iam.putInlinePolicy(textInput(resource, "role"), String(resource.state.name), resource.inputs.policy);
  const putManaged = (resource: GraphResource): void => iam.putManagedPolicy(String(resource.state.arn), resource.inputs.policy);
  const attach = (resource: GraphResource): void =>
    iam.attachPolicy(textInput(resource, "role"), textInput(resource, "policyArn"));
  return [
    {
      type: "aws:iam/role:Role",
      honoured: ["name", "namePrefix", "path", "assumeRolePolicy", "inlinePolicies", "managedPolicyArns", "forceDetachPolicies"],
      cloudOnly: {
        description: "shown in the console only",
        maxSessionDuration: "local sessions end with the runtime",
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
      update: (resource, previous) => {
        putRole(resource);
        takePolicies(previous, resource);
      },
      delete: (resource) => {
        const name = String(resource.state.name);
        takePolicies(resource);
        if (resource.inputs.forceDetachPolicies === true) iam.clearRole(name);
        iam.deleteRole(name);
      },
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
      delete: ({ inputs, state }) => iam.removeInlinePolicy(String(inputs.role), String(state.name)),
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
      delete: ({ state }) => iam.deleteManagedPolicy(String(state.arn)),
    },
    {
      type: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
      honoured: ["role", "policyArn"],
      cloudOnly: {},
      replaceOn: ["role", "policyArn"],
      outputs: ({ name, inputs }) => ({ id: `${String(inputs.role)}-${name}`, state: {} }),
      create: attach,
      delete: ({ inputs }) => iam.detachPolicy(String(inputs.role), String(inputs.policyArn)),
    },
  ];
}

function managedArns({ inputs }: Pick<GraphResource, "inputs">): string[] {
  return Array.isArray(inputs.managedPolicyArns) ? inputs.managedPolicyArns.map(String) : [];
}

function inlineNames({ inputs }: Pick<GraphResource, "inputs">): string[] {
  return recordsInput(inputs, "inlinePolicies").map(({ name }) => String(name));
}
