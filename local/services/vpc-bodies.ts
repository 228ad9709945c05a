/** What `awsx:ec2:Vpc` is made of when it is a component of its own resources: nothing of it has an effect on one machine. */
import type { ResourceBody } from "../contracts";
import { stableHex } from "./resource-inputs";

const NETWORK = "one machine has no network of its own; everything listens on loopback";

const networkPart = (type: string, prefix: string, fields: readonly string[], replaceOn: readonly string[]): ResourceBody => ({
  type,
  honoured: [],
  cloudOnly: Object.fromEntries(fields.map((field) => [field, NETWORK])),
  replaceOn,
  outputs: ({ name, region, accountId }) => {
    const id = `${prefix}-${stableHex(`${type} ${name}`, 17)}`;
    return { id, state: { arn: `arn:aws:ec2:${region}:${accountId}:${type.split(":").pop()?.toLowerCase()}/${id}` } };
  },
});

export function vpcBodies(): ResourceBody[] {
  return [
    networkPart("aws:ec2/vpc:Vpc", "vpc", ["cidrBlock", "enableDnsHostnames", "enableDnsSupport", "tags"], ["cidrBlock"]),
    networkPart(
      "aws:ec2/subnet:Subnet",
      "subnet",
      ["vpcId", "cidrBlock", "availabilityZone", "tags"],
      ["vpcId", "cidrBlock", "availabilityZone"],
    ),
    networkPart("aws:ec2/routeTable:RouteTable", "rtb", ["vpcId", "tags"], ["vpcId"]),
    networkPart("aws:ec2/routeTableAssociation:RouteTableAssociation", "rtbassoc", ["routeTableId", "subnetId"], ["subnetId"]),
  ];
}
