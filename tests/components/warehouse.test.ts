import { beforeAll, describe, expect, it } from "vitest";
import { checkParameters } from "../../components/risk-warehouse/parameters";
import { type Evaluation, evaluateStack } from "../helpers/recorder";

const WORKGROUP = "aws:redshiftserverless/workgroup:Workgroup";
const SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup";
const VPC = "awsx:ec2:Vpc";

let dev: Evaluation;
let open: Evaluation;
beforeAll(async () => {
  dev = await evaluateStack("dev");
  open = await evaluateStack("dev", {
    "risk:warehouse.availabilityZones": "us-east-1a,us-east-1b,us-east-1d",
    "risk:warehouse.clientCidrs": "10.8.0.0/16,192.168.4.0/24",
    "risk:warehouse.clientSecurityGroupIds": "sg-0123456789abcdef0",
    "risk:warehouse.dailyRpuHours": "24",
    "risk:warehouse.usageLimitAction": "emit-metric",
  });
}, 60_000);

describe("parameters of the workgroup", () => {
  const all = (changes: Readonly<Record<string, string>>) =>
    Object.entries({ auto_mv: "true", require_ssl: "true", enable_user_activity_logging: "true", ...changes }).map(
      ([parameterKey, parameterValue]) => ({ parameterKey, parameterValue }),
    );

  it("don't cause an update, however many of them AWS returns", () => {
    expect(dev.find(WORKGROUP, "warehouse-workgroup").ignoreChanges).toEqual(["configParameters"]);
  });

  it("pass when AWS has the required values among its own", () => {
    expect(() => checkParameters("warehouse-dev-a1", all({}))).not.toThrow();
  });

  it("are reported with the command that sets them when AWS has others", () => {
    expect(() => checkParameters("warehouse-dev-a1", all({ require_ssl: "false" }))).toThrow(
      'Workgroup "warehouse-dev-a1": expected require_ssl true, AWS has false. Fix: aws redshift-serverless update-workgroup ' +
        "--workgroup-name warehouse-dev-a1 --config-parameters parameterKey=require_ssl,parameterValue=true, then pulumi refresh",
    );
    expect(() => checkParameters("warehouse-dev-a1", [])).toThrow(
      "require_ssl true, AWS has nothing; enable_user_activity_logging true, AWS has nothing",
    );
  });

  it("stop the deployment before anything signs in, when they differ", async () => {
    const readBack = { [WORKGROUP]: { configParameters: all({ enable_user_activity_logging: "false" }) } };
    await expect(evaluateStack("dev", {}, { readBack })).rejects.toThrow(
      /expected enable_user_activity_logging true, AWS has false/,
    );
  });
});

describe("network of the warehouse", () => {
  it("uses the region's first three zones and lets nobody in by default", () => {
    expect(dev.find(VPC, "warehouse-vpc").inputs).toMatchObject({ numberOfAvailabilityZones: 3 });
    expect(dev.find(VPC, "warehouse-vpc").inputs).not.toHaveProperty("availabilityZoneNames");
    expect(dev.find(SECURITY_GROUP, "warehouse-security-group").inputs.ingress).toEqual([]);
  });

  it("uses the zones that the config names", () => {
    expect(open.find(VPC, "warehouse-vpc").inputs).toMatchObject({
      availabilityZoneNames: ["us-east-1a", "us-east-1b", "us-east-1d"],
    });
    expect(open.find(VPC, "warehouse-vpc").inputs).not.toHaveProperty("numberOfAvailabilityZones");
  });

  it("lets the named networks and groups reach Redshift's port, and no other", () => {
    const port = { protocol: "tcp", fromPort: 5439, toPort: 5439 };
    expect(open.find(SECURITY_GROUP, "warehouse-security-group").inputs.ingress).toEqual([
      { ...port, description: "Clients by network", cidrBlocks: ["10.8.0.0/16", "192.168.4.0/24"] },
      { ...port, description: "Clients by security group", securityGroups: ["sg-0123456789abcdef0"] },
    ]);
    expect(open.find(WORKGROUP, "warehouse-workgroup").inputs.publiclyAccessible).toBe(false);
  });

  it.each([
    ["risk:warehouse.clientCidrs", "0.0.0.0/0", "networks of /8 to /32"],
    ["risk:warehouse.clientCidrs", "10.8.0.0/16,128.0.0.0/1", "networks of /8 to /32"],
    ["risk:warehouse.clientCidrs", "10.8.0.256/32", "networks of /8 to /32"],
    ["risk:warehouse.clientCidrs", "10.8.1.7/16,192.168.4.0/24", "risk:warehouse.clientCidrs '10.8.0.0/16,192.168.4.0/24'"],
    ["risk:warehouse.clientSecurityGroupIds", "default", "ids of security groups"],
    ["risk:warehouse.availabilityZones", "us-east-1a,us-east-1b", "three to six zones"],
    ["risk:warehouse.availabilityZones", "us-east-1a,us-east-1a,us-east-1b", "zones of us-east-1, each once"],
    ["risk:warehouse.availabilityZones", "us-west-2a,us-west-2b,us-west-2c", "zones of us-east-1"],
  ])("refuses %s %s", async (key, value, message) => {
    await expect(evaluateStack("dev", { [key]: value })).rejects.toThrow(message);
  });
});

describe("cost of the warehouse", () => {
  it("is limited per day, with an alarm before the limit", () => {
    const limit = (graph: Evaluation) => graph.find("aws:redshiftserverless/usageLimit:UsageLimit", "warehouse-usage-limit");
    expect(limit(dev).inputs).toMatchObject({ amount: 100, breachAction: "deactivate" });
    expect(limit(open).inputs).toEqual({
      resourceArn: expect.stringContaining("warehouse-dev-a1"),
      usageType: "serverless-compute",
      amount: 24,
      period: "daily",
      breachAction: "emit-metric",
    });
    expect(open.find("aws:cloudwatch/metricAlarm:MetricAlarm", "warehouse-usage").inputs).toMatchObject({
      namespace: "AWS/Redshift-Serverless",
      metricName: "UsageLimitConsumed",
      dimensions: { UsageLimitId: "warehouse-usage-limit-id", UsageType: "SERVERLESS_COMPUTE", Workgroup: "warehouse-dev-a1" },
      threshold: 20,
    });
  });
});

describe("logs of the warehouse", () => {
  it("go to groups with retention and key that exist before Redshift could make its own", () => {
    const namespace = dev.find("aws:redshiftserverless/namespace:Namespace", "warehouse-namespace");
    for (const log of ["userlog", "connectionlog", "useractivitylog"]) {
      const group = dev.find("aws:cloudwatch/logGroup:LogGroup", `warehouse-${log}`);
      expect(group.inputs).toMatchObject({
        name: `/aws/redshift/warehouse-dev-a1/${log}`,
        retentionInDays: 7,
        kmsKeyId: expect.stringContaining("platform-key"),
      });
      expect(namespace.dependsOn).toContain(group.urn);
    }
  });
});

describe("the loader", () => {
  it("raises no alarm while it works off a backlog, or for runs that wait meanwhile", () => {
    const alarms = dev.ofType("aws:cloudwatch/metricAlarm:MetricAlarm").map(({ name }) => name);
    expect(alarms.filter((name) => name.startsWith("warehouse-loader"))).toEqual(["warehouse-loader-error-rate"]);
    expect(alarms).toContain("fraud-throttles");
  });
});
