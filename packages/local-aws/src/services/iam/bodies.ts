/** Local bodies of IAM roles and their policies. */
import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { physicalName } from "../../engine/names";
import type { Iam } from "../../gateway/permissions/iam";
import { optionalText, textInput } from "../resource-inputs";

// IAM API reference: CreateRole, PutRolePolicy.
const characters = { pattern: /^[\w+=,.@-]+$/, words: "letters, digits and _ + = , . @ -" };
const roleName: NameRule = { field: "name", maxLength: 64, characters };
const policyName: NameRule = { field: "name", maxLength: 128, characters };

export function iamBodies(iam: Iam): ResourceBody[] {
  const putRole = ({ inputs, state }: GraphResource): void =>
    iam.putRole(String(state.name), String(state.arn), inputs.assumeRolePolicy);
  const putInline = (resource: GraphResource): void =>
    iam.putInlinePolicy(textInput(resource, "role"), String(resource.state.name), resource.inputs.policy);
  return [
    {
      type: "aws:iam/role:Role",
      honoured: ["name", "namePrefix", "path", "assumeRolePolicy"],
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
      update: putRole,
      delete: ({ state }) => iam.deleteRole(String(state.name)),
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
  ];
}
