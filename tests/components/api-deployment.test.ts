import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type * as GatewayModule from "../../components/scoring-api/gateway";
import type * as ProblemsModule from "../../components/scoring-api/problem-responses";
import type { RouteTarget } from "../../components/scoring-api/route";
import type * as KeyModule from "../../components/shared/encryption-key";
import { type Evaluation, evaluate, evaluateStack, load } from "../helpers/recorder";

// The compiled modules have the types of their sources.
const { createGateway } = load("components/scoring-api/gateway") as typeof GatewayModule;
const { EncryptionKey } = load("components/shared/encryption-key") as typeof KeyModule;
const { PROBLEM_RESPONSES } = load("components/scoring-api/problem-responses") as typeof ProblemsModule;

/** What API Gateway copies into a deployment: all that a REST API is made of but stages, plans and keys. */
const FROZEN = ["authorizer", "integration", "method", "model", "requestValidator", "resource", "response", "restApi"];
const isFrozen = (type: string): boolean => FROZEN.includes(/^aws:apigateway\/(\w+):/.exec(type)?.[1] ?? "");

const trigger = (graph: Evaluation): unknown =>
  Object(graph.ofType("aws:apigateway/deployment:Deployment")[0]?.inputs.triggers).definition;
const frozen = (graph: Evaluation): string[] =>
  graph.resources
    .filter(({ type }) => isFrozen(type))
    .map(({ urn, inputs }) => `${urn} ${JSON.stringify(inputs)}`)
    .sort();

describe("a deployment", () => {
  const dev = evaluateStack("dev");

  it.each([
    { "risk:api.auth": "iam" },
    { "risk:api.auth": "none" },
    {
      "risk:api.auth": "cognito",
      "risk:api.cognitoUserPoolArn": "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_EXAMPLE",
    },
    { "risk:api.provisionedConcurrency": "2" },
  ])("is a new one with %o", async (overrides) => {
    const changed = await evaluateStack("dev", overrides);
    expect(frozen(changed)).not.toEqual(frozen(await dev));
    expect(trigger(changed)).not.toBe(trigger(await dev));
  });

  it("stays the same when settings of the stage, the usage plan or the functions change", async () => {
    const changed = await evaluateStack("dev", {
      "risk:api.throttleRate": "50",
      "risk:api.throttleBurst": "60",
      "risk:api.quotaPerDay": "1000",
      "risk:api.timeoutSeconds": "20",
      "risk:api.memoryMb": "512",
      "risk:api.errorRateAlarmPercent": "1",
      "risk:api.cacheTtlSeconds": "60",
      "risk:api.archiveWindowSeconds": "60",
      "risk:api.firewall": "true",
      "risk:api.manageAccountLogging": "false",
      "risk:tracing": "true",
      "risk:logRetentionDays": "30",
      "risk:lead.policy": '{"bands":{"high":75}}',
    });
    expect(frozen(changed)).toEqual(frozen(await dev));
    expect(trigger(changed)).toBe(trigger(await dev));
  });

  it("waits for everything that it freezes, and for the permissions that its requests need", async () => {
    const graph = await dev;
    const [deployment] = graph.ofType("aws:apigateway/deployment:Deployment");
    const needed = graph.resources.filter(
      ({ type, inputs }) =>
        isFrozen(type) || (type === "aws:lambda/permission:Permission" && inputs.principal === "apigateway.amazonaws.com"),
    );
    expect(needed.length).toBeGreaterThan(FROZEN.length);
    expect(deployment?.dependsOn).toEqual(expect.arrayContaining(needed.map(({ urn }) => urn)));
    expect(graph.find("aws:apigateway/stage:Stage", "scoring-stage").dependsOn).toContain(deployment?.urn);
  });
});

describe("a gateway's deployment", () => {
  const route: RouteTarget = {
    method: "POST",
    path: "/score",
    id: "lead",
    description: "Leads",
    operationName: "leadScore",
    model: { type: "object" },
    invokeArn: pulumi.output("arn:aws:apigateway:us-east-1:lambda:path/functions/lead/invocations"),
    functionName: pulumi.output("lead"),
    qualifier: undefined,
  };
  const triggerOf = async (change: Partial<GatewayModule.GatewayArgs> = {}): Promise<unknown> =>
    trigger(
      await evaluate("test", {}, () => {
        const parent = new pulumi.ComponentResource("test:api:Parent", "api");
        const args: GatewayModule.GatewayArgs = {
          context: {
            logRetentionDays: 7,
            tracing: false,
            key: new EncryptionKey("key", { description: "Test", deletionProtection: false }),
          },
          auth: { mode: "none" },
          routes: [route],
          stageName: "v1",
          limits: { perSecond: 1, burst: 1 },
          ...change,
        };
        createGateway("api", args, parent);
      }),
    );
  const unchanged = triggerOf();

  it.each<[string, Partial<GatewayModule.GatewayArgs>]>([
    ["another path", { routes: [{ ...route, path: "/leads" }] }],
    ["another route", { routes: [route, { ...route, path: "/churn", id: "churn" }] }],
    ["another schema", { routes: [{ ...route, model: { type: "object", required: ["size"] } }] }],
    ["another function or alias behind it", { routes: [{ ...route, invokeArn: pulumi.output("arn:live") }] }],
    ["other authorisation", { auth: { mode: "iam" } }],
    ["other user pools", { auth: { mode: "cognito", userPoolArns: ["arn:pool"] } }],
    ["another setting of the API itself", { transform: () => ({ binaryMediaTypes: ["image/png"] }) }],
  ])("is a new one with %s", async (_, change) => {
    expect(await triggerOf(change)).not.toBe(await unchanged);
  });

  it("is a new one when an error body changes", async () => {
    const before = await unchanged;
    const [first] = PROBLEM_RESPONSES;
    if (first === undefined) throw new Error("There are no problem responses.");
    const { title } = first;
    Object.assign(first, { title: "Refused" });
    try {
      expect(await triggerOf()).not.toBe(before);
    } finally {
      Object.assign(first, { title });
    }
    expect(await triggerOf()).toBe(before);
  });

  it("stays the same when limits of the stage or a permission change", async () => {
    const limits = { perSecond: 9, burst: 9 };
    expect(await triggerOf({ limits, routes: [{ ...route, qualifier: pulumi.output("live") }] })).toBe(await unchanged);
  });
});
