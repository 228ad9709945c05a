/** Local bodies of the web firewall in front of an API. */
import { compileFirewall, type Firewall } from "../../apigateway/firewall";
import type { ApiGateway } from "../../apigateway/server";
import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { Fields } from "../../engine/fields";
import { physicalName } from "../../engine/names";
import { stableHex } from "../resource-inputs";

/** WAF API reference, CreateWebACL. */
const aclName: NameRule = {
  field: "name",
  maxLength: 128,
  characters: { pattern: /^[A-Za-z0-9_-]+$/, words: "letters, digits, hyphens and underscores" },
};

export function firewallBodies(api: Pick<ApiGateway, "protect" | "unprotect">): ResourceBody[] {
  const firewalls = new Map<string, Firewall>();
  const putFirewall = ({ name, inputs, state }: GraphResource): void => {
    firewalls.set(String(state.arn), compileFirewall(inputs, `web ACL ${name}`));
  };
  return [
    {
      type: "aws:wafv2/webAcl:WebAcl",
      honoured: ["defaultAction", "rules", "associationConfig"],
      cloudOnly: Object.fromEntries(
        ["name", "scope", "visibilityConfig", "description", "tags"].map((field) => [
          field,
          "seen in the console and in metrics only",
        ]),
      ),
      replaceOn: ["name", "scope"],
      autoName: aclName,
      outputs: ({ name, inputs, region, accountId }) => {
        const acl = physicalName(aclName, name, inputs);
        const id = stableHex(`acl ${name}`, 32);
        return {
          id,
          state: { name: acl, arn: `arn:aws:wafv2:${region}:${accountId}:regional/webacl/${acl}/${id}`, capacity: 0 },
        };
      },
      create: putFirewall,
      update: putFirewall,
      delete: ({ state }) => void firewalls.delete(String(state.arn)),
    },
    {
      type: "aws:wafv2/webAclAssociation:WebAclAssociation",
      honoured: ["resourceArn", "webAclArn"],
      cloudOnly: {},
      replaceOn: ["resourceArn", "webAclArn"],
      outputs: ({ inputs }) => ({ id: `${String(inputs.webAclArn)},${String(inputs.resourceArn)}`, state: {} }),
      create: ({ name, inputs }) => {
        const fields = new Fields(inputs, `web ACL association ${name}`);
        const arn = fields.need("webAclArn");
        if (!firewalls.has(arn)) throw new Error(`webAclArn ${arn} does not exist.`);
        // By its ARN: a changed web ACL is in force at once.
        api.protect(fields.need("resourceArn"), () => firewalls.get(arn));
      },
      delete: ({ inputs }) => api.unprotect(String(inputs.resourceArn)),
    },
  ];
}
