import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { TAGGABLE } from "../../controls/tags";
import { type Evaluation, evaluateStack, ROOT } from "../helpers/recorder";

// With everything that a stack may have.
let prod: Evaluation;
beforeAll(async () => {
  prod = await evaluateStack("prod", {
    "risk:api.provisionedConcurrency": "1",
    "risk:fraud.triggers": "kinesis,eventbridge,firehose,rest,s3",
    "risk:pipelines.datasets": "fraud,device",
    "risk:device.source": "snowflake",
    "risk:snowflake.accountUrl": "acme-risk.snowflakecomputing.com",
    "risk:snowflake.database": "RISK",
    "risk:snowflake.schema": "PUBLIC",
    "risk:snowflake.warehouse": "RISK_WH",
    "risk:snowflake.role": "RISK_READER",
    "risk:snowflake.table": "DEVICE_FINGERPRINTS",
    "risk:snowflake.secretName": "risk/snowflake",
  });
}, 60_000);

/** Whether the SDK's class of a type has the output that only types with tags have. */
function hasTags(type: string): boolean {
  const path = /^aws:([a-z0-9]+\/[A-Za-z0-9]+):/.exec(type)?.[1];
  const file = join(ROOT, "node_modules/@pulumi/aws", `${path}.d.ts`);
  if (!existsSync(file)) throw new Error(`${type}: ${file} does not exist.`);
  return readFileSync(file, "utf8").includes("readonly tagsAll:");
}

describe("tags", () => {
  it("are checked on every type of the graph that the SDK can tag", () => {
    const types = new Set(prod.resources.filter(({ type }) => type.startsWith("aws:")).map(({ type }) => type));
    const taggable = [...types].filter((type) => hasTags(type) && !type.startsWith("aws:s3/bucketObject"));
    expect(TAGGABLE.filter((type) => type.startsWith("aws:"))).toEqual(taggable.sort());
  });

  it("name project, environment and the outermost component, including what the component's parts create", () => {
    const tagsOf = (type: string, name: string) => prod.find(type, name).inputs.tags;
    const shared = { project: "risk", environment: "prod-a1" };
    expect(tagsOf("aws:apigateway/stage:Stage", "scoring-stage")).toEqual({ ...shared, component: "scoring" });
    expect(tagsOf("aws:lambda/function:Function", "scoring-lead-function")).toEqual({ ...shared, component: "scoring" });
    expect(tagsOf("aws:kinesis/stream:Stream", "fraud-stream")).toEqual({ ...shared, component: "fraud" });
    expect(tagsOf("aws:kms/key:Key", "platform-key")).toEqual({ ...shared, component: "platform" });
    expect(tagsOf("awsx:ec2:Vpc", "warehouse-vpc")).toEqual({ ...shared, component: "warehouse" });
    expect(tagsOf("aws:iam/role:Role", "gateway-logs-role")).toEqual({ ...shared, component: "platform" });
    expect(tagsOf("aws:sfn/stateMachine:StateMachine", "training-steps-machine")).toEqual({ ...shared, component: "training" });
  });

  it("leave a resource's own tags in place", () => {
    expect(prod.find("aws:iam/role:Role", "warehouse-loader-role").inputs.tags).toMatchObject({
      RedshiftDbRoles: "risk_loader",
      component: "warehouse",
    });
  });
});
