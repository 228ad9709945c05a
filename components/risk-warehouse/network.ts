import { SecurityGroup, VpcEndpoint } from "@pulumi/aws/ec2";
import type { input } from "@pulumi/aws/types";
import { Vpc } from "@pulumi/awsx/ec2/vpc";
import * as pulumi from "@pulumi/pulumi";
import { currentAccount } from "../shared/account";
import type { WarehouseNetworkArgs } from "./args";

export interface WarehouseNetwork {
  readonly vpc: Vpc;
  readonly securityGroup: SecurityGroup;
}

/** The port that Redshift listens on. */
export const WAREHOUSE_PORT = 5439;

/** Three zones, which Redshift Serverless requires; no way out except to S3, which COPY needs under enhanced VPC routing. */
export function createNetwork(
  instance: string,
  { vpcCidr, availabilityZones, clientCidrs, clientSecurityGroupIds }: WarehouseNetworkArgs,
  parent: pulumi.Resource,
): WarehouseNetwork {
  const vpc = new Vpc(
    `${instance}-vpc`,
    {
      cidrBlock: vpcCidr,
      // awsx accepts only one of the two.
      ...(availabilityZones.length === 0 ? { numberOfAvailabilityZones: 3 } : { availabilityZoneNames: [...availabilityZones] }),
      natGateways: { strategy: "None" },
      subnetStrategy: "Auto",
      subnetSpecs: [{ type: "Isolated", name: "warehouse" }],
      enableDnsHostnames: true,
      enableDnsSupport: true,
    },
    { parent },
  );
  const endpoint = new VpcEndpoint(
    `${instance}-s3-endpoint`,
    {
      vpcId: vpc.vpcId,
      serviceName: pulumi.interpolate`com.amazonaws.${currentAccount(parent).region}.s3`,
      vpcEndpointType: "Gateway",
      routeTableIds: vpc.routeTables.apply((tables) => pulumi.all(tables.map((table) => table.id))),
    },
    { parent },
  );
  const securityGroup = new SecurityGroup(
    `${instance}-security-group`,
    {
      vpcId: vpc.vpcId,
      // A changed description would replace the group, so it doesn't say who may connect.
      description: "Risk warehouse",
      ingress: clientRules(clientCidrs, clientSecurityGroupIds),
      egress: [
        {
          description: "S3 through the gateway endpoint",
          protocol: "tcp",
          fromPort: 443,
          toPort: 443,
          prefixListIds: [endpoint.prefixListId],
        },
      ],
    },
    { parent },
  );
  return { vpc, securityGroup };
}

function clientRules(cidrs: readonly string[], securityGroupIds: readonly string[]): input.ec2.SecurityGroupIngress[] {
  const port = { protocol: "tcp", fromPort: WAREHOUSE_PORT, toPort: WAREHOUSE_PORT };
  return [
    ...(cidrs.length === 0 ? [] : [{ ...port, description: "Clients by network", cidrBlocks: [...cidrs] }]),
    ...(securityGroupIds.length === 0
      ? []
      : [{ ...port, description: "Clients by security group", securityGroups: [...securityGroupIds] }]),
  ];
}
