import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { stackGraph } from "@risk/local-aws";
import type { Graph } from "@risk/program-graph";
import { beforeAll, describe, expect, it } from "vitest";
import { summary, textReport } from "../../cli/controls-report";
import { checkGraph, type GraphResult } from "../../controls/index";

const STACKS = ["dev", "staging", "prod"];
const graphs = new Map<string, Graph>();

beforeAll(async () => {
  for (const stack of STACKS) graphs.set(stack, await stackGraph(process.cwd(), stack));
}, 120_000);

const resourcesOf = (stack: string) => graphs.get(stack)?.resources ?? [];
const lines = ({ violations }: GraphResult) => violations.map(({ control, resource }) => `${control} ${resource.name}`).sort();

/** What holds data in dev, or opens it. */
const UNPROTECTED = [
  "access-logs-bucket",
  "catalog-results-bucket",
  "fraud-api-key",
  "fraud-data-bucket",
  "fraud-delivery",
  "fraud-models",
  "fraud-results-table",
  "fraud-state-table",
  "fraud-stream",
  "models-bucket",
  "pipelines-bucket",
  "platform-key",
  "raw-records-bucket",
  "raw-records-key",
  "scoring-churn-models",
  "scoring-device-models",
  "scoring-lead-models",
  "scoring-scores-table",
  "token-key-secret",
  "training-churn-models",
  "training-device-models",
  "training-fraud-models",
  "warehouse-namespace",
];

describe("the graph of", () => {
  it.each(STACKS)("%s meets every control, directly or with an exemption that is needed", (stack) => {
    const result = checkGraph(resourcesOf(stack), { stack });
    expect(result.violations.map(({ control, resource, message }) => `${control} ${resource.name}: ${message}`)).toEqual([]);
    expect(result.unusedExemptions).toEqual([]);
    expect(result.results.filter(({ checked }) => checked.length > 0).length).toBeGreaterThan(50);
  });

  it("dev does not meet prod's controls", () => {
    const result = checkGraph(resourcesOf("dev"), { stack: "prod" });
    expect(lines(result)).toEqual([
      "APIGateway.3 scoring-stage",
      "APIGateway.4 scoring-stage",
      "DynamoDB.2 fraud-results-table",
      "DynamoDB.2 fraud-state-table",
      "DynamoDB.6 fraud-results-table",
      "DynamoDB.6 fraud-state-table",
      "DynamoDB.6 scoring-scores-table",
      "Kinesis.3 fraud-stream",
      ...UNPROTECTED.map((name) => `Protection ${name}`),
    ]);
  });

  it("reports that prod doesn't need the exemptions of dev", () => {
    const result = checkGraph(resourcesOf("prod"), { stack: "dev" });
    expect(result.violations).toEqual([]);
    expect(result.unusedExemptions.map(({ control }) => control).sort()).toEqual([
      "APIGateway.3",
      "APIGateway.4",
      "DynamoDB.2",
      "DynamoDB.6",
      "Kinesis.3",
      "Protection",
    ]);
  });
});

describe("the report", () => {
  it("has a line for each control, exemption and violation with its fix", () => {
    const result = checkGraph(resourcesOf("dev"), { stack: "prod" });
    const text = textReport("prod", result);
    expect(text).toMatch(/DynamoDB\.2 +Tables have point-in-time recovery +3 +1 +0 +2\n/);
    expect(text).toContain("SecretsManager.1 token-key-secret: A new key gives every user a new token");
    expect(text).toContain(
      "APIGateway.3 scoring-stage (aws:apigateway/stage:Stage): xrayTracingEnabled is false; set it to true",
    );
    expect(text).toContain("No resources for these controls:\n  Delivery.others, Redshift.1");
    expect(summary(["prod"], [result], [])).toMatch(/controls on prod: 31 violations, 0 exemptions without a violation\.\n$/);
  });

  it("names exemptions without a violation", () => {
    const result = checkGraph(resourcesOf("prod"), { stack: "dev" });
    expect(textReport("dev", result)).toContain(
      'Kinesis.3 fraud-stream: no such violation; remove "dev" from its stacks in controls/exemptions.ts.',
    );
  });
});

describe("the command", () => {
  const run = (...args: readonly string[]) =>
    promisify(execFile)(process.execPath, ["--no-warnings", "dist/cli/controls.js", ...args], { maxBuffer: 2 ** 24 });

  it("prints JSON and ends with 0 when a stack is in order", async () => {
    const { stdout } = await run("--stack", "dev", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      stacks: [{ stack: "dev", unusedExemptions: [], controls: expect.any(Array) }],
      notChecked: expect.arrayContaining([{ control: "S3.1", reason: expect.any(String) }]),
    });
  }, 60_000);

  it("explains itself, and a mistake in its options", async () => {
    const { stdout } = await run("--help");
    expect(stdout).toContain("--stack NAME");
    await expect(run("--stak", "dev")).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("--stak") });
    await expect(run("--stack", "nowhere")).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Pulumi.nowhere.yaml"),
    });
  }, 60_000);
});
