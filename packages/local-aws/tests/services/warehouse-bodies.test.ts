/** Bodies of the warehouse and its network: what AWS refuses, and what it gives back. */
import { describe, expect, it } from "vitest";
import type { GraphResource, ResourceBody } from "../../src/contracts";
import { vpcBodies } from "../../src/services/network";
import { RedshiftServerless, redshiftBodies } from "../../src/services/redshift";

const WORKGROUP = "aws:redshiftserverless/workgroup:Workgroup";
const LIMIT = "aws:redshiftserverless/usageLimit:UsageLimit";
const redshift = new RedshiftServerless({
  ensureDatabase: async () => undefined,
  dropDatabase: async () => undefined,
  dropRoles: async () => undefined,
  associateRoles: () => undefined,
  dissociateRoles: () => undefined,
  urlOf: (database) => `postgres://admin:secret@127.0.0.1/${database}`,
});

function bodyOf(bodies: readonly ResourceBody[], type: string): ResourceBody {
  const found = bodies.find((body) => body.type === type);
  if (found === undefined) throw new Error(`${type} has no body.`);
  return found;
}

function resource(body: ResourceBody, inputs: Readonly<Record<string, unknown>>): GraphResource {
  const { id, state } = body.outputs({ name: "one", inputs, region: "us-east-1", accountId: "000000000000" });
  const fixed = { urn: "urn:one", name: "one", parent: undefined, dependsOn: [], protect: false } as const;
  return { ...fixed, type: body.type, inputs, id, state: { ...inputs, ...state }, ignoreChanges: [], secretInputs: [] };
}

describe("a workgroup", () => {
  const body = bodyOf(redshiftBodies(redshift), WORKGROUP);
  const set = [{ parameterKey: "require_ssl", parameterValue: "false" }];
  const inputs = { workgroupName: "risk-dev", namespaceName: "risk-dev", baseCapacity: 8, configParameters: set };
  const refreshed = { ...inputs, ...body.readBack?.(inputs) };

  it("comes back with every parameter, whichever were set", () => {
    expect(refreshed.configParameters).toHaveLength(9);
    expect(refreshed.configParameters).toEqual(
      expect.arrayContaining([...set, { parameterKey: "datestyle", parameterValue: "ISO, MDY" }]),
    );
    expect(resource(body, inputs).state.configParameters).toEqual(refreshed.configParameters);
  });

  it("refuses an update that changes nothing but how many parameters are named", () => {
    const update = (changes: object) => body.update?.(resource(body, { ...inputs, ...changes }), resource(body, refreshed));
    expect(() => update({})).toThrow(/You didn't specify any changes\. .* ignore changes of "configParameters"/);
    expect(() => update({ baseCapacity: 16 })).not.toThrow();
    expect(() => update({ configParameters: [{ parameterKey: "require_ssl", parameterValue: "true" }] })).not.toThrow();
  });
});

describe("a usage limit", () => {
  it("is for a workgroup that exists", () => {
    const body = bodyOf(redshiftBodies(redshift), LIMIT);
    const limit = resource(body, { resourceArn: "arn:aws:redshift-serverless:us-east-1:000000000000:workgroup/none" });
    expect(() => body.create?.(limit)).toThrow(/workgroup\/none, which is no workgroup of this stack/);
  });
});

describe("a network", () => {
  const body = bodyOf(vpcBodies(), "awsx:ec2:Vpc");
  const subnetSpecs = [{ type: "Isolated" }];

  it("has a subnet in each zone that is named", () => {
    const named = resource(body, {
      subnetSpecs,
      availabilityZoneNames: ["us-east-1a", "us-east-1b", "us-east-1d", "us-east-1f"],
    });
    expect(named.state.isolatedSubnetIds).toHaveLength(4);
  });

  it("takes the zones' names or their number, as awsx does", () => {
    const both = { subnetSpecs, availabilityZoneNames: ["us-east-1a"], numberOfAvailabilityZones: 3 };
    expect(() => resource(body, both)).toThrow("Only one of [availabilityZoneNames] and [numberOfAvailabilityZones]");
  });
});
