/** Local bodies of what only exists in a cloud network: it has no effect on one machine. */
import type { NameRule, ResourceBody } from "../../contracts";
import { physicalName } from "../../engine/names";
import { stableHex, withoutEffect } from "../resource-parts";

const NETWORK = "one machine has no network of its own; everything listens on loopback";

/** EC2 API reference, CreateSecurityGroup. */
const groupName: NameRule = { field: "name", maxLength: 255 };

/** A part with an id and an ARN of EC2. */
const part = (
  type: string,
  prefix: string,
  fields: readonly string[],
  replaceOn: readonly string[],
  outputs: (id: string, args: Parameters<ResourceBody["outputs"]>[0]) => Readonly<Record<string, unknown>> = () => ({}),
): ResourceBody => ({
  type,
  honoured: [],
  cloudOnly: withoutEffect(NETWORK, [...fields, "tags"]),
  replaceOn,
  outputs: (args) => {
    const id = `${prefix}-${stableHex(`${type} ${args.name}`, 17)}`;
    const kind = type.slice(type.lastIndexOf(":") + 1).replace(/(?<=[a-z])(?=[A-Z])/g, "-");
    const arn = `arn:aws:ec2:${args.region}:${args.accountId}:${kind.toLowerCase()}/${id}`;
    return { id, state: { arn, ...outputs(id, args) } };
  },
});

export function vpcBodies(): ResourceBody[] {
  return [
    {
      type: "awsx:ec2:Vpc",
      honoured: [],
      cloudOnly: withoutEffect(NETWORK, [
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
      outputs: ({ name, inputs }) => awsxVpc(name, inputs),
    },
    {
      ...part(
        "aws:ec2/securityGroup:SecurityGroup",
        "sg",
        ["name", "vpcId", "description", "ingress", "egress", "revokeRulesOnDelete"],
        ["name", "vpcId", "description"],
        (_, { name, inputs }) => ({ name: physicalName(groupName, name, inputs) }),
      ),
      autoName: groupName,
    },
    part(
      "aws:ec2/vpcEndpoint:VpcEndpoint",
      "vpce",
      [
        "vpcId",
        "serviceName",
        "vpcEndpointType",
        "routeTableIds",
        "subnetIds",
        "securityGroupIds",
        "privateDnsEnabled",
        "policy",
      ],
      ["vpcId", "serviceName", "vpcEndpointType"],
      (id) => ({ state: "available", prefixListId: `pl-${stableHex(id, 17)}` }),
    ),
    // What `awsx:ec2:Vpc` is made of when it is a component of its own resources.
    part("aws:ec2/vpc:Vpc", "vpc", ["cidrBlock", "enableDnsHostnames", "enableDnsSupport"], ["cidrBlock"]),
    part(
      "aws:ec2/subnet:Subnet",
      "subnet",
      ["vpcId", "cidrBlock", "availabilityZone"],
      ["vpcId", "cidrBlock", "availabilityZone"],
    ),
    part("aws:ec2/routeTable:RouteTable", "rtb", ["vpcId"], ["vpcId"]),
    part("aws:ec2/routeTableAssociation:RouteTableAssociation", "rtbassoc", ["routeTableId", "subnetId"], ["subnetId"]),
  ];
}

function awsxVpc(name: string, inputs: Readonly<Record<string, unknown>>): ReturnType<ResourceBody["outputs"]> {
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
}
