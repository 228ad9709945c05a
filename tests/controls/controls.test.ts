import type { GraphResource } from "@risk/program-graph";
import { describe, expect, it } from "vitest";
import { exemptions } from "../../controls/exemptions";
import { checkGraph, controls, type Finding, notApplicable } from "../../controls/index";
import { isObject } from "../../functions/scoring/core/json";
import { analyticsCases } from "./analytics-cases";
import { type Case, cases as serviceCases, tagCases } from "./cases";
import { deliveryCases } from "./delivery-cases";
import { storageCases } from "./storage-cases";
import { wiringCases } from "./wiring-cases";

const cases = [...serviceCases, ...storageCases, ...analyticsCases, ...deliveryCases, ...wiringCases, ...tagCases];

/** A copy with the value at `a.b` changed; undefined removes the key. */
function changed(inputs: Readonly<Record<string, unknown>>, path: string, value: unknown): Record<string, unknown> {
  const [key = "", ...rest] = path.split(".");
  const member = inputs[key];
  const next = rest.length === 0 ? value : changed(isObject(member) ? member : {}, rest.join("."), value);
  const { [key]: _, ...others } = inputs;
  return next === undefined ? others : { ...others, [key]: next };
}

function broken({ resources, index = 0, of, path, value }: Case): GraphResource[] {
  return resources.map((resource, position) => {
    if (position !== index) return resource;
    return of === "resource" ? { ...resource, [path]: value } : { ...resource, inputs: changed(resource.inputs, path, value) };
  });
}

function violationsOf(id: string, resources: readonly GraphResource[]): readonly Finding[] {
  const own = controls.filter((control) => control.id === id);
  return checkGraph(resources, { stack: "test", controls: own, exemptions: [] }).violations;
}

describe("each control", () => {
  it.each(cases.map((one) => ({ ...one, title: `${one.control} by ${one.path}` })))(
    "$title: passes, then names the fix",
    (one) => {
      expect(violationsOf(one.control, one.resources)).toEqual([]);
      const violations = violationsOf(one.control, broken(one));
      expect(violations.map(({ message }) => message)).toEqual([expect.stringContaining(one.says)]);
      expect(violations[0]).toMatchObject({ control: one.control, exemption: undefined });
    },
  );

  it("has a case here, a unique id and a resource to check", () => {
    const ids = controls.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...new Set(cases.map(({ control }) => control))].sort()).toEqual([...ids].sort());
    for (const one of cases) {
      const types = controls.find(({ id }) => id === one.control)?.appliesTo ?? [];
      expect(
        one.resources.some(({ type }) => types.includes(type)),
        one.control,
      ).toBe(true);
    }
  });
});

/** Every control that the platform has to meet, service by service. */
const REQUIRED = {
  "API Gateway": ["APIGateway.1", "APIGateway.3", "APIGateway.4", "APIGateway.5", "APIG1", "APIG2", "APIG3", "APIG4", "APIG6"],
  Lambda: ["Lambda.1", "Lambda.2", "L1", "Lambda.5", "LambdaDLQ", "LambdaConcurrency"],
  Kinesis: ["Kinesis.1", "KDS1", "KDS3", "Kinesis.3", "DataFirehose.1", "KDF1"],
  DynamoDB: ["DynamoDB.1", "DynamoDB.2", "DDB3", "DynamoDB.6"],
  S3: ["S3.1", "S3.2", "S3.3", "S3.5", "S3.6", "S3.8", "S3.9", "S3.12", "S3.13", "S3.14", "S3.17", "S1", "S10"],
  Messaging: ["SNS.1", "SNS.4", "SNS3", "SQS.1", "SQS2", "SQS.3", "SQS3", "SQS4"],
  EventBridge: ["EventBridge.3", "EVB1", "EventBridge.targets"],
  Redshift: [
    ...[1, 2, 3, 4, 5, 6, 7].map((id) => `RedshiftServerless.${id}`),
    ...[1, 2, 3, 4, 6, 7, 8, 9, 10, 15, 18].map((id) => `Redshift.${id}`),
    ...[1, 2, 3, 4, 5, 6, 8, 9, 10, 11].map((id) => `RS${id}`),
  ],
  Pipeline: [
    "StepFunctions.1",
    "SF1",
    "SF2",
    "Glue.3",
    "Glue.4",
    "GL1",
    "GL3",
    "SageMaker.4",
    "SageMaker.5",
    "SageMaker.training",
    "SageMaker.transform",
  ],
  Secrets: ["SecretsManager.1", "SecretsManager.4", "SSM.secrets", "KMS.1", "KMS.2", "KMS.3", "KMS.4", "KMS.5"],
  IAM: ["IAM.1", "IAM.21", "IAM4", "IAM5"],
  CloudWatch: [
    "CloudWatch.15",
    "CloudWatch.16",
    "CloudWatch.17",
    "CloudWatchLogGroupEncrypted",
    "CloudWatchLogGroupRetentionPeriod",
  ],
};

describe("the controls", () => {
  it.each(Object.entries(REQUIRED))("of %s are checked, or not applicable with a reason", (_, required) => {
    const known = new Set([
      ...controls.flatMap(({ id, alsoKnownAs }) => [id, ...(alsoKnownAs ?? [])]),
      ...notApplicable.map(({ control }) => control),
    ]);
    expect(required.filter((id) => !known.has(id))).toEqual([]);
  });

  it("that are not checked say why", () => {
    for (const { control, reason } of notApplicable) expect(reason.length, control).toBeGreaterThan(30);
  });
});

describe("exemptions", () => {
  const [first, second] = storageCases.filter(({ control }) => control === "SNS.1" || control === "SQS.1").map(broken);
  const topic = first ?? [];
  const queue = second ?? [];
  const accept = (resource: string, stacks?: readonly string[]) => ({
    control: "SNS.1",
    resource,
    reason: "In a test.",
    ...(stacks === undefined ? {} : { stacks }),
  });
  const check = (exemption: ReturnType<typeof accept>, resources = topic) =>
    checkGraph(resources, {
      stack: "dev",
      controls: controls.filter(({ id }) => id === "SNS.1" || id === "SQS.1"),
      exemptions: [exemption],
    });

  it.each(["alerts", "al*", "*"])("excuse a violation on %s and keep it in the results with the reason", (pattern) => {
    const result = check(accept(pattern));
    expect(result.violations).toEqual([]);
    expect(result.unusedExemptions).toEqual([]);
    const found = result.results.flatMap(({ findings }) => findings);
    expect(found.map(({ exemption }) => exemption?.reason)).toEqual(["In a test."]);
  });

  it.each(["alert", "lerts", "a.erts", "alerts*x"])("of %s do not match the resource, and are reported", (pattern) => {
    const result = check(accept(pattern));
    expect(result.violations).toHaveLength(1);
    expect(result.unusedExemptions).toHaveLength(1);
  });

  it("of one control do not excuse another", () => {
    const result = check(accept("*"), queue);
    expect(result.violations.map(({ control }) => control)).toEqual(["SQS.1"]);
    expect(result.unusedExemptions).toHaveLength(1);
  });

  it("of another stack neither excuse nor count as unused", () => {
    const result = check(accept("alerts", ["prod"]));
    expect(result.violations).toHaveLength(1);
    expect(result.unusedExemptions).toEqual([]);
  });

  it("name a control that exists and give a reason", () => {
    const ids = controls.map(({ id }) => id);
    for (const { control, reason } of exemptions) {
      expect(ids).toContain(control);
      expect(reason.length, control).toBeGreaterThan(30);
    }
  });
});
