/** Local bodies of what only exists in a cloud network (VPC, security groups, endpoints), and of the web firewall in front of an API. */
import { compileFirewall, type Firewall } from "../apigateway/firewall.js";
import type { ApiGateway } from "../apigateway/server.js";
import type { GraphResource, NameRule, ResourceBody } from "../contracts";
import { Fields } from "../engine/fields.js";
import { physicalName } from "../engine/names";
import { stableHex } from "./resource-inputs";

const NETWORK = "one machine has no network of its own; everything listens on loopback";
const FIREWALL = "seen in the console and in metrics only";

/** EC2 API reference, CreateSecurityGroup. */
const groupName: NameRule = { field: "name", maxLength: 255 };
/** WAF API reference, CreateWebACL. */
const aclName: NameRule = {
  field: "name",
  maxLength: 128,
  characters: { pattern: /^[A-Za-z0-9_-]+$/, words: "letters, digits, hyphens and underscores" },
};

function cloudOnly(reason: string, fields: readonly string[]): Record<string, string> {
  return Object.fromEntries(fields.map((field) => [field, reason]));
}

export function networkBodies(api: Pick<ApiGateway, "protect" | "unprotect">): ResourceBody[] {
  const firewalls = new Map<string, Firewall>();
  const putFirewall = ({ name, inputs, state }: GraphResource): void => {
    firewalls.set(String(state.arn), compileFirewall(inputs, `web ACL ${name}`));
  };
  return [
    {
      type: "awsx:ec2:Vpc",
      honoured: [],
      cloudOnly: cloudOnly(NETWORK, [
        "cidrBlock",
        "numberOfAvailabilityZones",
        "availabilityZoneNames",
        "natGateways",
        "subnetStrategy",
        "subnetSpecs",
        "enableDnsHostnames",
        "enableDnsSupport",
        "tags",
      ]),
      replaceOn: [],
      outputs: ({ name, inputs }) => {
        const named = Array.isArray(inputs.availabilityZoneNames) ? inputs.availabilityZoneNames : undefined;
        if (named !== undefined && inputs.numberOfAvailabilityZones !== undefined)
          throw new Error(
            "Only one of [availabilityZoneNames] and [numberOfAvailabilityZones] can be specified; leave one of them out.",
          );
        const zones = named?.length ?? Number(inputs.numberOfAvailabilityZones ?? 3);
        const specs = Array.isArray(inputs.subnetSpecs) ? inputs.subnetSpecs : [{ type: "Private" }, { type: "Public" }];
        const subnets = (type: string): string[] =>
          specs.some((spec: { type?: unknown }) => String(spec.type) === type)
            ? Array.from({ length: zones }, (_, zone) => `subnet-${stableHex(`${name} ${type} ${zone}`, 17)}`)
            : [];
        const [isolated, privates, publics] = [subnets("Isolated"), subnets("Private"), subnets("Public")];
        const vpcId = `vpc-${stableHex(name, 17)}`;
        const state = {
          vpcId,
          isolatedSubnetIds: isolated,
          privateSubnetIds: privates,
          publicSubnetIds: publics,
          routeTables: [...isolated, ...privates, ...publics].map((subnet) => ({ id: `rtb-${stableHex(subnet, 17)}` })),
          natGateways: [],
          subnets: [],
          vpcEndpoints: [],
        };
        return { id: vpcId, state };
      },
    },
    {
      type: "aws:ec2/securityGroup:SecurityGroup",
      honoured: [],
      cloudOnly: cloudOnly(NETWORK, ["name", "vpcId", "description", "ingress", "egress", "revokeRulesOnDelete", "tags"]),
      replaceOn: ["name", "vpcId", "description"],
      autoName: groupName,
      outputs: ({ name, inputs, region, accountId }) => {
        const id = `sg-${stableHex(name, 17)}`;
        const group = physicalName(groupName, name, inputs);
        return { id, state: { name: group, arn: `arn:aws:ec2:${region}:${accountId}:security-group/${id}` } };
      },
    },
    {
      type: "aws:ec2/vpcEndpoint:VpcEndpoint",
      honoured: [],
      cloudOnly: cloudOnly(NETWORK, [
        "vpcId",
        "serviceName",
        "vpcEndpointType",
        "routeTableIds",
        "subnetIds",
        "securityGroupIds",
        "privateDnsEnabled",
        "policy",
        "tags",
      ]),
      replaceOn: ["vpcId", "serviceName", "vpcEndpointType"],
      outputs: ({ name, region, accountId }) => {
        const id = `vpce-${stableHex(name, 17)}`;
        const prefixListId = `pl-${stableHex(`${name}-prefixes`, 17)}`;
        return { id, state: { arn: `arn:aws:ec2:${region}:${accountId}:vpc-endpoint/${id}`, state: "available", prefixListId } };
      },
    },
    {
      type: "aws:wafv2/webAcl:WebAcl",
      honoured: ["defaultAction", "rules", "associationConfig"],
      cloudOnly: cloudOnly(FIREWALL, ["name", "scope", "visibilityConfig", "description", "tags"]),
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
