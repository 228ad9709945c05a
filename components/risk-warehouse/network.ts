import { SecurityGroup, VpcEndpoint } from "@pulumi/aws/ec2";
import { Vpc } from "@pulumi/awsx/ec2/vpc";
import * as pulumi from "@pulumi/pulumi";
import type { RiskWarehouseArgs } from "./args";

export interface WarehouseNetwork {
  readonly vpc: Vpc;
  readonly securityGroup: SecurityGroup;
}

/** Three zones, as Redshift Serverless wants; no way out but S3, which COPY needs under enhanced VPC routing. */
export function createNetwork(
  instance: string,
  { vpcCidr, region }: RiskWarehouseArgs,
  parent: pulumi.Resource,
): WarehouseNetwork {
  const vpc = new Vpc(
    `${instance}-vpc`,
    {
      cidrBlock: vpcCidr,
      numberOfAvailabilityZones: 3,
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
      serviceName: `com.amazonaws.${region}.s3`,
      vpcEndpointType: "Gateway",
      routeTableIds: vpc.routeTables.apply((tables) => pulumi.all(tables.map((table) => table.id))),
    },
    { parent },
  );
  const securityGroup = new SecurityGroup(
    `${instance}-security-group`,
    {
      vpcId: vpc.vpcId,
      description: "Risk warehouse: nothing in, S3 out",
      ingress: [],
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
