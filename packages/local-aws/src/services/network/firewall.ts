/** Local bodies of the web firewall in front of an API. */

import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { compileFirewall, type Firewall } from "../apigateway/firewall";
import type { ApiGateway } from "../apigateway/server";
import { fieldsOf, hyphenated, named, put, stableHex, withoutEffect } from "../resource-parts";

/** WAF API reference, CreateWebACL. */
const aclName: NameRule = { field: "name", maxLength: 128, characters: hyphenated };

export function firewallBodies(api: Pick<ApiGateway, "protect" | "unprotect">): ResourceBody[] {
  const firewalls = new Map<string, Firewall>();
  const putFirewall = ({ name, inputs, state }: GraphResource): void => {
    firewalls.set(String(state.arn), compileFirewall(inputs, `web ACL ${name}`));
  };
  return [
    {
      type: "aws:wafv2/webAcl:WebAcl",
      honoured: ["defaultAction", "rules", "associationConfig"],
      cloudOnly: withoutEffect("seen in the console and in metrics only", [
        "name",
        "scope",
        "visibilityConfig",
        "description",
        "tags",
      ]),
      replaceOn: ["name", "scope"],
      ...named(aclName, (name, args) => {
        const id = stableHex(`acl ${args.name}`, 32);
        const arn = `arn:aws:wafv2:${args.region}:${args.accountId}:regional/webacl/${name}/${id}`;
        return { id, state: { name, arn, capacity: 0 } };
      }),
      ...put(putFirewall),
      delete: ({ state }) => void firewalls.delete(String(state.arn)),
    },
    {
      type: "aws:wafv2/webAclAssociation:WebAclAssociation",
      honoured: ["resourceArn", "webAclArn"],
      cloudOnly: {},
      replaceOn: ["resourceArn", "webAclArn"],
      outputs: ({ inputs }) => ({ id: `${String(inputs.webAclArn)},${String(inputs.resourceArn)}`, state: {} }),
      create: (resource) => {
        const fields = fieldsOf(resource);
        const arn = fields.need("webAclArn");
        if (!firewalls.has(arn)) throw new Error(`webAclArn ${arn} does not exist.`);
        // By its ARN: a changed web ACL is in force at once.
        api.protect(fields.need("resourceArn"), () => firewalls.get(arn));
      },
      delete: ({ inputs }) => api.unprotect(String(inputs.resourceArn)),
    },
  ];
}
