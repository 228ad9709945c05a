/** Local bodies of IAM roles and their policies. */
import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import type { Iam } from "../../permissions/iam";
import { fieldsOf, named, put, tagInputs } from "../resource-parts";

// IAM API reference: CreateRole, PutRolePolicy.
const characters = { pattern: /^[\w+=,.@-]+$/, words: "letters, digits and _ + = , . @ -" };
const roleName: NameRule = { field: "name", maxLength: 64, characters };
const policyName: NameRule = { field: "name", maxLength: 128, characters };

export function iamBodies(iam: Iam): ResourceBody[] {
  const putRole = ({ inputs, state }: GraphResource): void =>
    iam.putRole(String(state.name), String(state.arn), inputs.assumeRolePolicy);
  const putInline = (resource: GraphResource): void =>
    iam.putInlinePolicy(fieldsOf(resource).need("role"), String(resource.state.name), resource.inputs.policy);
  return [
    {
      type: "aws:iam/role:Role",
      honoured: ["name", "namePrefix", "path", "assumeRolePolicy"],
      cloudOnly: {
        description: "shown in the console only",
        maxSessionDuration: "local sessions end with the runtime",
        tags: tagInputs.tags,
      },
      replaceOn: ["name", "namePrefix", "path"],
      ...named(roleName, (name, { inputs, accountId }) => {
        const arn = `arn:aws:iam::${accountId}:role${inputs.path ?? "/"}${name}`;
        const letters = name.toUpperCase().replace(/[^A-Z0-9]/g, "");
        return { id: name, state: { name, arn, uniqueId: `AROA${letters.slice(0, 17)}` } };
      }),
      ...put(putRole),
      delete: ({ state }) => iam.deleteRole(String(state.name)),
    },
    {
      type: "aws:iam/rolePolicy:RolePolicy",
      honoured: ["name", "namePrefix", "role", "policy"],
      cloudOnly: {},
      replaceOn: ["name", "namePrefix", "role"],
      ...named(policyName, (name, { inputs }) => ({ id: `${String(inputs.role)}:${name}`, state: { name } })),
      ...put(putInline),
      delete: ({ inputs, state }) => iam.removeInlinePolicy(String(inputs.role), String(state.name)),
    },
  ];
}
