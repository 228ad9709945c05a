/**
 * Provider `awsx` with the one component that the program uses, `awsx:ec2:Vpc`, made of resources of `@pulumi/aws`: a subnet of each
 * kind, a route table and its association in every zone. It stands in for the published plugin, which would have to be downloaded; its
 * subnets are equal parts of the network. Started by the engine as `pulumi-resource-awsx ENGINE_ADDRESS`.
 */
import { RouteTable } from "@pulumi/aws/ec2/routeTable.js";
import { RouteTableAssociation } from "@pulumi/aws/ec2/routeTableAssociation.js";
import { Subnet } from "@pulumi/aws/ec2/subnet.js";
import { Vpc as NetworkVpc } from "@pulumi/aws/ec2/vpc.js";
import { getAvailabilityZonesOutput } from "@pulumi/aws/getAvailabilityZones.js";
import * as pulumi from "@pulumi/pulumi";
import { main } from "@pulumi/pulumi/provider/index.js";
import { isRecord, messageOf } from "@risk/program-graph";

const KINDS = ["Public", "Private", "Isolated"] as const;
type Kind = (typeof KINDS)[number];

interface VpcArgs {
  readonly cidrBlock: string;
  readonly numberOfAvailabilityZones: number;
  /** Empty: the first ones of the region. */
  readonly availabilityZoneNames: readonly string[];
  readonly subnetSpecs: readonly { readonly type: Kind; readonly name?: string }[];
  readonly enableDnsHostnames: boolean;
  readonly enableDnsSupport: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

/** @param index of a /20 inside a /16 */
const subnetCidr = (cidrBlock: string, index: number): string => {
  const [first, second] = cidrBlock.split(".");
  return `${first}.${second}.${index * 16}.0/20`;
};

class Vpc extends pulumi.ComponentResource {
  readonly outputs: pulumi.Inputs;

  constructor(name: string, args: VpcArgs, opts: pulumi.ComponentResourceOptions) {
    super("awsx:ec2:Vpc", name, {}, opts);
    const { cidrBlock, subnetSpecs, tags, availabilityZoneNames: chosen } = args;
    const vpc = new NetworkVpc(
      name,
      {
        cidrBlock,
        tags: { ...tags, Name: name },
        enableDnsHostnames: args.enableDnsHostnames,
        enableDnsSupport: args.enableDnsSupport,
      },
      { parent: this },
    );
    const zones = chosen.length > 0 ? chosen.length : args.numberOfAvailabilityZones;
    const names = pulumi.output(chosen.length > 0 ? [...chosen] : getAvailabilityZonesOutput({}, { parent: this }).names);
    const parts = subnetSpecs.flatMap((spec, position) =>
      Array.from({ length: zones }, (_, zone) => {
        const part = `${name}-${spec.name ?? spec.type.toLowerCase()}-${zone + 1}`;
        const subnet = new Subnet(
          part,
          {
            vpcId: vpc.id,
            cidrBlock: subnetCidr(cidrBlock, position * zones + zone),
            availabilityZone: names.apply((all) => all[zone] ?? ""),
            tags: { ...tags, Name: part, SubnetType: spec.type },
          },
          { parent: vpc },
        );
        const table = new RouteTable(part, { vpcId: vpc.id, tags: { ...tags, Name: part } }, { parent: subnet });
        new RouteTableAssociation(part, { routeTableId: table.id, subnetId: subnet.id }, { parent: table });
        return { kind: spec.type, subnet, table };
      }),
    );
    const idsOf = (kind: Kind) => parts.filter((part) => part.kind === kind).map(({ subnet }) => subnet.id);
    this.outputs = {
      vpc,
      vpcId: vpc.id,
      publicSubnetIds: idsOf("Public"),
      privateSubnetIds: idsOf("Private"),
      isolatedSubnetIds: idsOf("Isolated"),
      subnets: parts.map(({ subnet }) => subnet),
      routeTables: parts.map(({ table }) => table),
      natGateways: [],
      vpcEndpoints: [],
    };
    this.registerOutputs(this.outputs);
  }
}

const isKind = (value: unknown): value is Kind => KINDS.some((kind) => kind === value);

/**
 * The arguments as plain values; those of a network decide how many resources there are, so all of them are known in a preview.
 * @throws Error that names the argument that can't stand in here
 */
async function literal(inputs: pulumi.Inputs): Promise<VpcArgs> {
  const known = await new Promise<Readonly<Record<string, unknown>>>((resolve) => {
    pulumi.output(inputs).apply((values) => resolve(values));
  });
  const refuse = (name: string, expected: string): never => {
    throw new Error(`awsx:ec2:Vpc: ${name}: expected ${expected}, got ${JSON.stringify(known[name])}.`);
  };
  const { cidrBlock, subnetSpecs, natGateways, numberOfAvailabilityZones, availabilityZoneNames, tags } = known;
  if (typeof cidrBlock !== "string" || !/^\d+\.\d+\.0\.0\/16$/.test(cidrBlock)) return refuse("cidrBlock", "a /16 network");
  if (!isRecord(natGateways) || natGateways.strategy !== "None") return refuse("natGateways", '{strategy: "None"}');
  const specs = Array.isArray(subnetSpecs) ? subnetSpecs.filter((spec) => isRecord(spec) && isKind(spec.type)) : [];
  if (!Array.isArray(subnetSpecs) || specs.length < subnetSpecs.length || specs.length === 0)
    return refuse("subnetSpecs", `a list of {type: ${KINDS.join(" | ")}}`);
  return {
    cidrBlock,
    subnetSpecs: specs,
    tags: isRecord(tags) ? Object.fromEntries(Object.entries(tags).map(([key, value]) => [key, String(value)])) : {},
    availabilityZoneNames: Array.isArray(availabilityZoneNames) ? availabilityZoneNames.map(String) : [],
    numberOfAvailabilityZones: typeof numberOfAvailabilityZones === "number" ? numberOfAvailabilityZones : 3,
    enableDnsHostnames: known.enableDnsHostnames === true,
    enableDnsSupport: known.enableDnsSupport !== false,
  };
}

main(
  {
    // The engine asks for the version that the program's package names.
    version: (require("@pulumi/awsx/package.json") as { readonly version: string }).version,
    schema: "{}",
    async construct(name, type, inputs, options) {
      if (type !== "awsx:ec2:Vpc") throw new Error(`${type}: only awsx:ec2:Vpc stands in here.`);
      const vpc = new Vpc(name, await literal(inputs), options);
      return { urn: vpc.urn, state: vpc.outputs };
    },
  },
  process.argv.slice(2),
).catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
